"""What encord-agents gives its functions, in functions of ``@task.encord_agent``. Needs encord-agents."""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest

from airflow_provider_encord.agents import AgentResult, Task
from tests.airflow_layer.agent_stage import AgentStage, numbers

pytest.importorskip("encord_agents")
pytestmark = pytest.mark.airflow

from encord.objects import Classification, LabelRowV2  # noqa: E402
from encord.project import Project  # noqa: E402
from encord.storage import StorageItem  # noqa: E402
from encord.user_client import EncordUserClient  # noqa: E402
from encord.workflow.stages.agent import AgentStage as SdkStage  # noqa: E402
from encord.workflow.stages.agent import AgentTask  # noqa: E402
from encord_agents.core.data_model import FrameData  # noqa: E402
from encord_agents.core.utils import get_user_client as make_client  # noqa: E402
from encord_agents.tasks import Depends  # noqa: E402
from encord_agents.tasks.dependencies import dep_client, dep_storage_item  # noqa: E402
from encord_agents.tasks.models import TaskAgentReturnStruct  # noqa: E402


def test_objects_of_the_sdk_are_passed(stage: AgentStage) -> None:
    seen: list[tuple[Any, ...]] = []

    def look(task: Task, mine: AgentTask, its: SdkStage, project: Project, item: StorageItem) -> AgentResult:
        seen.append((str(mine.uuid), str(its.uuid), str(project.project_hash), item.name))
        assert item.get_signed_url()
        return AgentResult(str(its.pathways[0].uuid))

    stage.emulator.clear_journal()
    assert numbers(stage.run(look)) == {"tasks": 4, "moved": 4}
    assert seen == [(task.uuid, stage.stage_id, stage.project_id, task.data_title) for task in stage.tasks]
    paths = [entry["path"] for entry in stage.emulator.journal()]
    assert sum(path.endswith("/tasks") for path in paths) == 2, "our listing, and one of the SDK for all tasks"


def test_a_task_that_the_function_moves_by_itself_is_not_counted_as_left(stage: AgentStage) -> None:
    def move_some(task: AgentTask) -> None:
        if str(task.uuid) == stage.tasks[1].uuid:
            task.proceed(pathway_name="good")

    assert numbers(stage.run(move_some)) == {"tasks": 4, "left": 3, "skipped": 1}
    assert stage.counts() == {"Pre-label": 3, "Complete": 1}


def test_dependencies_are_resolved_closed_and_shared(stage: AgentStage) -> None:
    happened: list[str] = []

    def name_of(item: StorageItem) -> Iterator[str]:
        happened.append(f"open {item.name}")
        yield item.name
        happened.append(f"close {item.name}")

    def upper(name: Annotated[str, Depends(name_of)]) -> str:
        return name.upper()

    def label(
        task: Task,
        name: Annotated[str, Depends(name_of)],
        upper_name: Annotated[str, Depends(upper)],
        client: Annotated[EncordUserClient, Depends(dep_client)],
        threshold: float,
        item: StorageItem = Depends(dep_storage_item),  # noqa: B008 - so do users
    ) -> str:
        assert (name, upper_name, threshold) == (item.name, item.name.upper(), 0.5)
        assert client.get_project(stage.project_id)
        happened.append(f"call {task.data_title}")
        return "good"

    assert numbers(stage.run(label, {"threshold": 0.5})) == {"tasks": 4, "moved": 4}
    expected = [f"{what} {task.data_title}" for task in stage.tasks for what in ("open", "call", "close")]
    assert happened == expected


def test_a_dependency_that_fails_costs_its_task_only(stage: AgentStage) -> None:
    def only_some(task: AgentTask) -> str:
        if str(task.uuid) == stage.tasks[1].uuid:
            raise RuntimeError("no such file")
        return task.data_title

    def label(title: Annotated[str, Depends(only_some)]) -> str:
        return "good"

    with pytest.raises(Exception, match=r"1 tasks failed .*RuntimeError: no such file"):
        stage.run(label)
    assert stage.counts() == {"Pre-label": 1, "Complete": 3}


def test_labels_of_the_sdk_reach_dependencies_and_their_edits_are_saved(stage: AgentStage) -> None:
    def weather(row: LabelRowV2) -> LabelRowV2:
        kind = row.ontology_structure.get_child_by_title("Weather", type_=Classification)
        instance = kind.create_instance()
        instance.set_answer(kind.attributes[0].options[0])
        instance.set_for_frames(0)
        row.add_classification_instance(instance)
        return row

    def label(row: Annotated[LabelRowV2, Depends(weather)]) -> TaskAgentReturnStruct:
        return TaskAgentReturnStruct(pathway=stage_pathway, label_row=row, label_row_priority=0.25)

    stage_pathway = "good"
    assert numbers(stage.run(label)) == {"tasks": 4, "moved": 4, "labels_saved": 4}
    assert all(row["classification_answers"] for row in stage.labels().values())


def test_what_a_task_does_not_have_is_refused_before_the_first_task(stage: AgentStage) -> None:
    def frame_of(frame: FrameData) -> int:
        return frame.frame

    def label(frame: Annotated[int, Depends(frame_of)]) -> str:
        raise AssertionError("it must not be called")

    with pytest.raises(Exception, match=r"^frame: .*dependency .*frame_of asks for .*FrameData"):
        stage.run(label)
    assert stage.changes() == []


def test_the_client_of_the_connection_is_also_behind_another_name(stage: AgentStage) -> None:
    def client() -> EncordUserClient:
        return make_client()

    def label(client: Annotated[EncordUserClient, Depends(client)]) -> str:
        assert client.get_project(stage.project_id)
        return "good"

    assert numbers(stage.run(label)) == {"tasks": 4, "moved": 4}


def test_dependencies_that_cannot_be_read_are_named(stage: AgentStage) -> None:
    def one() -> int:
        return 1

    def label(number: Annotated[int, Depends(one)] = Depends(one)) -> str:  # type: ignore[assignment]
        return "good"

    with pytest.raises(Exception, match=r"^The dependencies of the function .*label cannot be read: AssertionError: "):
        stage.run(label)
