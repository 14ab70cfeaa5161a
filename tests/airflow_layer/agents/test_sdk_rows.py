"""Functions that ask for label rows of Encord's SDK. Needs the extra ``sdk``: Airflow 3.3 has it here."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_encord.agents import AgentResult, Task
from airflow_provider_encord.hooks.encord import EncordHook
from tests.airflow_layer.agent_stage import AgentStage, numbers

encord_objects = pytest.importorskip("encord.objects")
pytestmark = pytest.mark.airflow
LabelRowV2 = encord_objects.LabelRowV2
Project = pytest.importorskip("encord.project").Project


def _draw(row: LabelRowV2) -> None:  # type: ignore[valid-type]
    from encord.objects import Object
    from encord.objects.coordinates import BoundingBoxCoordinates

    box = BoundingBoxCoordinates(height=0.4, width=0.3, top_left_x=0.1, top_left_y=0.2)
    car = row.ontology_structure.get_child_by_title("Car", type_=Object).create_instance()
    car.set_for_frames(box, 0)
    row.add_object_instance(car)


def test_changes_of_a_label_row_of_the_sdk_are_saved(stage: AgentStage) -> None:
    stage.emulator.annotate(stage.project_id, data_hashes=[stage.tasks[0].data_hash], objects_per_row=2)

    def prelabel(task: Task, row: LabelRowV2) -> str | AgentResult:  # type: ignore[valid-type]
        if task == stage.tasks[1]:
            return "unsure"
        _draw(row)
        return "good" if task == stage.tasks[0] else AgentResult("good", row)

    stage.emulator.clear_journal()
    assert numbers(stage.run(prelabel)) == {"tasks": 4, "moved": 4, "labels_saved": 3}
    assert stage.objects() == [3, 0, 1, 1]
    assert stage.changes() == ["labelrow", "labelrow", "actions"]  # only our client creates and saves


def test_an_edit_is_not_overwritten_by_a_row_that_the_function_read_by_itself(stage: AgentStage) -> None:
    edited = stage.tasks[1]
    stage.emulator.annotate(stage.project_id, objects_per_row=1)

    def prelabel(task: Task, project: Project) -> AgentResult:  # type: ignore[valid-type]
        (row,) = project.list_label_rows_v2(data_hashes=[task.data_hash])  # type: ignore[attr-defined]
        row.initialise_labels()
        if task == edited:
            stage.emulator.clock(advance_s=5)
            stage.emulator.annotate(stage.project_id, data_hashes=[edited.data_hash], objects_per_row=3)
        _draw(row)
        return AgentResult("good", row)

    assert numbers(stage.run(prelabel)) == {"tasks": 4, "moved": 3, "conflict": 1, "labels_saved": 3}
    assert stage.objects() == [2, 4, 2, 2]


def test_an_edit_of_a_person_is_not_overwritten(stage: AgentStage) -> None:
    edited = stage.tasks[1]

    def prelabel(task: Task, row: LabelRowV2) -> str:  # type: ignore[valid-type]
        if task == edited:
            stage.emulator.annotate(stage.project_id, data_hashes=[edited.data_hash], objects_per_row=3)
        _draw(row)
        return "good"

    assert numbers(stage.run(prelabel)) == {"tasks": 4, "moved": 3, "conflict": 1, "labels_saved": 3}
    assert stage.objects() == [1, 3, 1, 1]


def test_labels_that_the_sdk_cannot_read_cost_their_task_only(stage: AgentStage) -> None:
    stage.emulator.annotate(stage.project_id, data_hashes=[stage.tasks[0].data_hash], objects_per_row=6)
    sdk = EncordHook().get_sdk_client()
    ontology = sdk.get_ontology(sdk.get_project(stage.project_id).ontology_hash)
    ontology.structure.objects.clear()
    ontology.save()

    def prelabel(row: LabelRowV2) -> str:  # type: ignore[valid-type]
        return "good"

    with pytest.raises(AirflowException, match=r"1 tasks failed .*3 moved.*SDK cannot read its labels: OntologyError"):
        stage.run(prelabel)
