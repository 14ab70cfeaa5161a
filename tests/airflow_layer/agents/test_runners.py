"""`EncordAgentRunnerOperator` on runners of encord-agents as users write them. Needs encord-agents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.hooks.encord import EncordHook
from airflow_provider_encord.operators.agents import EncordAgentRunnerOperator
from tests.airflow_layer.agent_stage import AgentStage, numbers
from tests.airflow_layer.agents.conftest import Script
from tests.airflow_layer.bench import run

pytest.importorskip("encord_agents")
pytestmark = pytest.mark.airflow

RUNNER = """
    from encord.objects import LabelRowV2
    from encord.objects.coordinates import BoundingBoxCoordinates
    from encord.storage import StorageItem
    from encord.user_client import EncordUserClient
    from encord.workflow.stages.agent import AgentTask
    from encord_agents.tasks import Depends, {kind}
    from encord_agents.tasks.dependencies import dep_client
    from encord_agents.tasks.models import TaskAgentReturnStruct
    from typing_extensions import Annotated

    runner = {kind}(project_hash="{project}")

    @runner.stage("Pre-label")
    def label(
        task: AgentTask,
        label_row: LabelRowV2,
        item: StorageItem,
        client: Annotated[EncordUserClient, Depends(dep_client)],
    ) -> TaskAgentReturnStruct:
        car = label_row.ontology_structure.objects[0].create_instance()
        box = BoundingBoxCoordinates(height=0.4, width=0.3, top_left_x=0.1, top_left_y=0.2)
        car.set_for_frames(box, 0)
        label_row.add_object_instance(car)
        assert client.get_project("{project}").title
        assert item.name == task.data_title
        return TaskAgentReturnStruct(pathway="good", label_row=label_row, label_row_priority=0.75)

    if __name__ == "__main__":
        runner.run()
"""


@pytest.mark.parametrize("kind", ["Runner", "QueueRunner"])
def test_a_script_runs_unchanged_with_the_client_of_the_connection(
    stage: AgentStage, script: Script, kind: str
) -> None:
    path = script(RUNNER.replace("{kind}", kind))
    result = run(EncordAgentRunnerOperator, runner=path, report=stage.path("report.jsonl"))
    (of_stage,) = result.pop("stages")
    assert result.pop("project_id") == stage.project_id
    assert (of_stage["stage"], numbers(of_stage)) == ("Pre-label", numbers(result))
    assert numbers(result) == {"tasks": 4, "moved": 4, "labels_saved": 4}
    assert stage.objects() == [1, 1, 1, 1]
    lines = stage.lines("report.jsonl")
    assert [(line["outcome"], line["pathway"], line["priority"]) for line in lines] == [("updated", "good", 0.75)] * 4


TWO_STAGES = """
    from encord_agents.tasks import Runner
    runner = Runner()

    @runner.stage("Pre-label")
    def first(project_task: "AgentTask"):
        if project_task.data_title.endswith("1.png"):
            raise RuntimeError("a planted fault")
        return "unsure" if project_task.data_title.endswith("2.png") else None

    from encord.workflow.stages.agent import AgentTask
"""


def test_a_task_that_fails_is_counted_reported_and_costs_no_other(stage: AgentStage, script: Script) -> None:
    arguments = {"runner": script(TWO_STAGES), "project_id": stage.project_id, "report": stage.path("r.jsonl")}
    with pytest.raises(Exception, match=r"1 tasks failed and stay in stage .*RuntimeError: a planted fault"):
        run(EncordAgentRunnerOperator, **arguments)
    assert stage.counts() == {"Pre-label": 3, "Annotate": 1}
    assert sorted(line["outcome"] for line in stage.lines("r.jsonl")) == ["failed", "unchanged", "unchanged", "updated"]

    done = run(EncordAgentRunnerOperator, **arguments, on_error="good")
    assert numbers(done) == {"tasks": 3, "left": 2, "routed": 1}
    assert stage.counts() == {"Pre-label": 2, "Annotate": 1, "Complete": 1}


def test_a_runner_of_a_module_runs_the_stage_that_is_asked_for(
    stage: AgentStage, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(TWO_STAGES)
    name = f"agents_{tmp_path.name.replace('-', '_')}"
    (tmp_path / "my_agents.py").rename(tmp_path / f"{name}.py")
    monkeypatch.syspath_prepend(tmp_path)
    arguments = {"runner": f"{name}:runner", "project_id": stage.project_id}
    with pytest.raises(Exception, match=r"1 tasks failed"):
        run(EncordAgentRunnerOperator, stage="Pre-label", batch_size=2, **arguments)
    assert stage.counts() == {"Pre-label": 4}
    with pytest.raises(Exception, match=r"stage: the runner has no function for stage 'Annotate'\. .*'Pre-label'"):
        run(EncordAgentRunnerOperator, stage="Annotate", **arguments)


def test_a_script_imports_the_modules_beside_it(stage: AgentStage, script: Script, tmp_path: Path) -> None:
    (tmp_path / "my_model_of_this_test.py").write_text("def decide(title):\n    return 'good'\n")
    path = script(
        """
        from encord_agents.tasks import Runner
        from encord.workflow.stages.agent import AgentTask
        from my_model_of_this_test import decide
        runner = Runner(pre_execution_callback=lambda runner: print("CALLED", len(runner.agents)))

        @runner.stage("Pre-label")
        def label(task: AgentTask) -> str:
            return decide(task.data_title)
        """
    )
    done = run(EncordAgentRunnerOperator, runner=path, project_id=stage.project_id, max_concurrency=4)
    assert numbers(done) == {"tasks": 4, "moved": 4}


def test_a_runner_object_is_taken_as_it_is(stage: AgentStage) -> None:
    from encord.workflow.stages.agent import AgentTask
    from encord_agents.tasks import Runner

    runner = Runner(stage.project_id, user_client=EncordHook().get_sdk_client())

    @runner.stage("Pre-label", will_set_priority=True)
    def label(task: AgentTask) -> str:
        return "good"

    label.__annotations__ = {"task": AgentTask}
    runner.agents[0].callable.__annotations__ = {"task": AgentTask}
    assert numbers(run(EncordAgentRunnerOperator, runner=runner)) == {"tasks": 4, "moved": 4}


def test_arguments_of_a_stage_decide_what_is_read(stage: AgentStage, script: Script) -> None:
    path = script(
        """
        from encord.objects import LabelRowV2
        from encord_agents.core.data_model import LabelRowInitialiseLabelsArgs, LabelRowMetadataIncludeArgs
        from encord_agents.tasks import Runner
        runner = Runner(project_hash="{project}")

        @runner.stage(
            "Pre-label",
            label_row_metadata_include_args=LabelRowMetadataIncludeArgs(include_client_metadata=True),
            label_row_initialise_labels_args=LabelRowInitialiseLabelsArgs(include_signed_url=True),
        )
        def label(row: LabelRowV2) -> str:
            assert row.data_link
            assert row.client_metadata == {"site": "north"}
            return "good"
        """
    )
    with stage.account.client() as client:
        sdk = EncordHook().get_sdk_client()
        rows = client.project(stage.project_id).label_rows()
        for item in sdk.get_storage_items([row.backing_item_uuid for row in rows]):
            item.update(client_metadata={"site": "north"})
    assert numbers(run(EncordAgentRunnerOperator, runner=path)) == {"tasks": 4, "moved": 4}


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("runner = 1", {}, r"makes no Runner or QueueRunner"),
    ("raise RuntimeError('no GPU')", {}, r"could not be loaded: RuntimeError: no GPU"),
    ("import sys\nsys.exit(3)", {}, r"could not be loaded: SystemExit: 3"),
    ("from encord_agents.tasks import Runner\na = Runner()\nb = Runner()", {}, r"has several runners: a, b"),
    ("from encord_agents.tasks import Runner\na = Runner()", {}, r"project_id: pass it"),
    ("from encord_agents.tasks import Runner\na = Runner('{project}')", {}, r"runner: it has no functions"),
    (
        "from encord_agents.tasks import Runner\na = Runner('{project}')",
        {"project_id": "aaaaaaaa-0000-4000-8000-000000000010"},
        r"the runner is bound to project .* cannot run on project aaaaaaaa",
    ),
    (
        "from encord_agents.tasks import Runner\na = Runner('{project}')\n@a.stage('Prelabel')\ndef f(): ...",
        {},
        r"could not be loaded: Stage name `Prelabel` could not be matched .*Pre-label",
    ),
    (
        "from encord_agents.tasks import Runner\na = Runner('{project}')\n@a.stage('Pre-label')\ndef f(x: int): ...",
        {},
        r"function f of the runner: x: this parameter .* mark it with Depends",
    ),
]


@pytest.mark.parametrize(("text", "arguments", "message"), WRONG)
def test_what_is_wrong_is_named_before_the_first_task(
    stage: AgentStage, script: Script, text: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(Exception, match=message) as raised:
        run(EncordAgentRunnerOperator, runner=script(text), **arguments)
    assert "AirflowFailException" in type(raised.value).__name__
    assert stage.changes() == []


@pytest.mark.parametrize("place", ["", "/nowhere/agents.py", "no_such_module:runner", "os:path"])
def test_a_place_that_has_no_runner_is_named(stage: AgentStage, place: str) -> None:
    with pytest.raises(Exception, match=r"^runner: "):
        run(EncordAgentRunnerOperator, runner=place, project_id=stage.project_id)


def test_the_key_stays_out_of_the_environment_and_out_of_what_is_imported(
    stage: AgentStage, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script(
        """
        import os
        from encord_agents.core.utils import get_user_client
        from encord_agents.tasks import Runner
        runner = Runner()
        client = get_user_client()

        @runner.stage("Pre-label")
        def label():
            assert get_user_client() is not None
            assert not any("PRIVATE KEY" in value for name, value in os.environ.items() if name.startswith("ENCORD"))
            return "good"
        """
    )
    assert numbers(run(EncordAgentRunnerOperator, runner=path, project_id=stage.project_id))["moved"] == 4
    from encord_agents.core.utils import get_user_client

    with pytest.raises(Exception, match="ENCORD_SSH_KEY"):
        get_user_client()
