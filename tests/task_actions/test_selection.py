"""Which tasks are selected: an empty condition never selects the whole stage."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException

from airflow_provider_encord.client.api.projects import Stage
from airflow_provider_encord.client.api.workflow import choose_stage
from airflow_provider_encord.operators.workflow import (
    EncordMoveTasksOperator,
    EncordReleaseTasksOperator,
    EncordSampleTasksOperator,
)
from airflow_provider_encord.task_actions import strata
from airflow_provider_encord.task_actions.label_content import classes_in, most_frequent
from airflow_provider_encord.task_actions.selection import ChosenTask
from tests.task_actions.desk import Desk


@pytest.mark.parametrize(
    "name", ["task_ids", "data_hashes", "source", "user_emails", "statuses", "client_metadata", "max_tasks"]
)
def test_a_condition_that_a_template_renders_to_none_does_not_select_the_whole_stage(desk: Desk, name: str) -> None:
    """With native rendering, and for the output of a task that returned nothing, a condition becomes None."""
    with DAG("native", schedule=None, render_template_as_native_obj=True):
        operator = EncordMoveTasksOperator(
            task_id="move",
            project_id=desk.project_id,
            stage="Annotate",
            to_stage="Archive",
            report=str(desk.report()),
            **{name: "{{ nothing }}"},
        )
    operator.render_template_fields({"nothing": None})  # type: ignore[arg-type]
    assert getattr(operator, name) is None
    with pytest.raises(AirflowFailException, match=f"^{name}: it is empty"):
        operator.execute(desk.run.context())
    assert desk.counts() == {"Annotate": 4}


@pytest.mark.parametrize("value", ["{}", {}])
def test_empty_client_metadata_does_not_select_the_whole_stage(desk: Desk, value: Any) -> None:
    """A condition that a template renders to nothing never selects the whole stage."""
    desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive", client_metadata=value)
    assert desk.counts() == {"Annotate": 4}


@pytest.mark.parametrize("name", ["user_emails", "dataset_ids", "statuses"])
def test_an_empty_list_selects_no_tasks(desk: Desk, name: str) -> None:
    """An empty list selects no tasks."""
    end = desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive", **{name: []})
    assert end.succeeded, end.error
    assert end.result["tasks"] == 0


def test_the_report_of_an_upload_is_no_source(desk: Desk) -> None:
    """A file that names neither tasks nor data units is an error; its ids are not those of tasks."""
    path = desk.report("uploaded")
    line = {
        "schema_version": "1.0",
        "operation": "upload_files",
        "source": "a.jpg",
        "outcome": "created",
        "error": None,
    }
    path.write_text(json.dumps({**line, "id": desk.data_hashes[0]}) + "\n")
    end = desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive", source=str(path))
    assert not end.succeeded


def test_an_id_that_is_the_title_of_another_stage_names_the_stage_with_the_id() -> None:
    """The message says to pass the id, so an id must work."""
    one = Stage(uuid="11111111-0000-4000-8000-000000000000", title="One", stage_type="REVIEW")
    other = Stage(uuid="22222222-0000-4000-8000-000000000000", title=one.uuid, stage_type="REVIEW")
    assert choose_stage([one, other], one.uuid) is one


def _row(**more: Any) -> dict[str, Any]:
    objects = [
        {"objectHash": "a", "name": "Car", "isDeleted": True, "createdBy": "eve"},
        {"objectHash": "b", "name": "Bus", "createdBy": "ada"},
    ]
    labels = {"objects": objects, "classifications": []}
    return {"data_hash": "d", "data_units": {"d": {"data_hash": "d", "labels": labels}}, **more}


def test_deleted_objects_are_no_content() -> None:
    """An object that was deleted is not in the data unit."""
    assert classes_in(_row()) == {"Bus"}
    assert most_frequent(_row(), "annotator") == "ada"


def test_classifications_of_newer_label_rows_are_content() -> None:
    """Newer label rows have classifications only in classification_answers."""
    answers = {
        "c": {
            "classificationHash": "c",
            "featureHash": "w",
            "createdBy": "ada",
            "range": [[0, 0]],
            "classifications": [{"name": "Weather", "featureHash": "x", "answers": "rain"}],
        }
    }
    assert "Weather" in classes_in(_row(data_type="image", classification_answers=answers))


def test_strata_by_class_look_at_the_main_branch(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an export with all branches, the class of a data unit is that of its main branch."""

    def row(branch: str, name: str) -> dict[str, Any]:
        labels = {"objects": [{"objectHash": "a", "name": name}], "classifications": []}
        return {"data_hash": "d", "branch_name": branch, "data_units": {"d": {"data_hash": "d", "labels": labels}}}

    monkeypatch.setattr(strata, "manifest_of_project", lambda *_: None)
    monkeypatch.setattr(strata, "latest_rows", lambda *_: iter([row("main", "Car"), row("model", "Bus")]))
    task = ChosenTask(id="t", data_hash="d", data_title="", assignee=None, created_at="", updated_at="")
    with desk.client as client:
        assert list(strata.groups_of(client, desk.project_id, [task], "class", "manifest.json")) == ["Car"]


def test_users_are_found_whatever_the_case_of_their_address(desk: Desk) -> None:
    """user_emails: an address is the same in upper case."""
    person = desk.member()
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), person)
    end = desk.attempt(EncordReleaseTasksOperator, stage="Annotate", user_emails=[person.upper()])
    assert end.result["updated"] == 4


def test_an_empty_sample_stays_the_sample(desk: Desk) -> None:
    """A clear returns the sample again, also if it was empty."""
    assert desk.attempt(EncordSampleTasksOperator, report="s", stage="Review", size=2).result["sampled"] == 0
    desk.by_hand("move", "Annotate", desk.tasks("Annotate"), "Review")
    assert desk.attempt(EncordSampleTasksOperator, report="s", stage="Review", size=2).result["sampled"] == 0


def test_an_address_with_blanks_around_it_is_the_address(desk: Desk) -> None:
    """user_emails: blanks around an address, as templates leave them, do not make it another one."""
    person = desk.member()
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), person)
    end = desk.attempt(EncordReleaseTasksOperator, stage="Annotate", user_emails=[f"{person}\n"])
    assert end.result["updated"] == 4
