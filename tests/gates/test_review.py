"""What the quality gates must do, and do not do yet."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.client.api.analytics import TaskAction
from airflow_provider_encord.gates.activity import rejections
from airflow_provider_encord.gates.measures import Measured, Rate, measure
from tests.gates.test_measures import answered, box, measured, row
from tests.gates.test_operators import Labelled, labelled

__all__ = ["labelled"]

TEXT = {"name": "Note", "type": "text", "required": True}


def option(name: str, *nested: dict[str, Any]) -> dict[str, Any]:
    return {"label": name, "value": name.lower(), "featureNodeHash": name.lower(), "options": list(nested)}


def car_with(*attributes: dict[str, Any]) -> dict[str, Any]:
    return {"objects": [{"name": "Car", "featureNodeHash": "car", "attributes": list(attributes)}]}


def chosen(attribute: str, *names: str) -> dict[str, Any]:
    options = [{"featureHash": name.lower(), "name": name} for name in names]
    return {"name": attribute, "featureHash": attribute.lower(), "answers": options}


def missing_in(document: Any, structure: dict[str, Any]) -> int:
    found = Measured()
    list(measure([document], structure, found, main_branch="main", min_iou=0.5))
    return found.missing.total.matched


def test_a_checklist_has_no_order() -> None:
    """Annotators who tick the same options in another order agree."""
    orders = (("ada", ("Red", "Blue")), ("eve", ("Blue", "Red")))
    rows = [row("a", [box(0.1, hash_="c", by=who)], branch=who, c=[chosen("Colour", *order)]) for who, order in orders]
    assert measured(rows)[0].agreement.total.share == 1.0


def test_a_required_attribute_with_the_name_of_another_one_is_noticed() -> None:
    """Attributes are told apart by their hash, not by their name: each chosen option needs its note."""
    notes = [{**TEXT, "featureNodeHash": f"note of {name}"} for name in ("Red", "Blue")]
    colours = {
        "name": "Colour",
        "featureNodeHash": "colour",
        "type": "checklist",
        "options": [option("Red", notes[0]), option("Blue", notes[1])],
    }
    one = {"name": "Note", "featureHash": "note of Red", "answers": "scratched"}
    document = row("a", [box(0.1, hash_="c")], c=[chosen("Colour", "Red", "Blue"), one])
    assert missing_in(document, car_with(colours)) == 1


def test_an_answer_on_one_frame_is_no_answer_on_the_others() -> None:
    """A required attribute that changes over the frames of a video must have an answer on each frame of its object."""
    document = row("v", [])
    document["data_units"]["v"]["labels"] = {
        str(number): {"objects": [box(0.1, hash_="c")], "classifications": []} for number in range(9)
    }
    document["object_actions"] = {"c": {"actions": [{**answered("Note", text="x"), "range": [[8, 8]]}]}}
    structure = car_with({**TEXT, "featureNodeHash": "note", "dynamic": True})
    assert missing_in(document, structure) == 1


def test_the_history_is_in_order_of_time_also_with_fractions_of_a_second() -> None:
    """12:00:00.5 is after 12:00:00, so the rejection counts for who submitted before it."""
    history = [
        TaskAction(timestamp="2026-11-01T12:00:00Z", action_type="submit", task_uuid="t", actor_email="ada"),
        TaskAction(timestamp="2026-11-01T12:00:00.500000Z", action_type="reject", task_uuid="t", actor_email="rita"),
    ]
    assert [finding.annotator for finding in rejections(history, Rate())] == ["ada"]


def test_a_page_does_not_replace_the_labels(labelled: Labelled) -> None:
    """A page only replaces a page; the manifest of the export stays."""
    manifest = labelled.export("now")
    content = open(manifest.removeprefix("file://"), "rb").read()
    try:
        labelled.gate(labels=manifest, max_invalid_rows=0, page=manifest)
    except AirflowFailException as error:
        assert "page" in str(error)
    assert open(manifest.removeprefix("file://"), "rb").read() == content


def test_the_page_and_the_report_are_two_files(labelled: Labelled) -> None:
    """The report is not replaced by the page."""
    labelled.require_colours()
    report = labelled.directory / "report.jsonl"
    with pytest.raises(AirflowFailException):
        labelled.gate(labels=labelled.export("now"), max_missing_attributes=0, page=str(report))
    assert not report.exists() or [json.loads(line) for line in report.read_text().splitlines()]


def test_a_limit_that_a_template_renders_to_nothing_does_not_let_the_labels_pass(labelled: Labelled) -> None:
    """A limit without a value is an error; the gate must not pass because it was not looked at."""
    labelled.require_colours()
    arguments = {"labels": labelled.export("now"), "max_invalid_rows": 1}
    with pytest.raises(AirflowFailException):
        labelled.gate(max_missing_attributes="", **arguments)


def test_the_labels_of_another_project_are_refused(labelled: Labelled, account: Any, tmp_path: Any) -> None:
    """labels: the export of this project; the ontology of this project says nothing about others."""
    (tmp_path / "other").mkdir()
    other = Labelled(account, tmp_path / "other")
    with pytest.raises(AirflowFailException, match="project"):
        labelled.gate(labels=other.export("now"), max_invalid_rows=0)


def test_a_data_unit_that_was_deleted_since_the_export_does_not_stop_the_gate(labelled: Labelled) -> None:
    """A deleted data unit has no open issues; the others are measured."""
    manifest = labelled.export("now")
    with labelled.account.client() as client:
        rows = list(client.project(labelled.project_id).label_rows())
        client.dataset(rows[0].dataset_hash).remove_data_rows([rows[0].data_hash])
    value = labelled.gate(labels=manifest, max_issue_rate=0)
    assert value["measures"]["issue_rate"]["support"] == 5


def test_content_of_another_form_is_named(labelled: Labelled) -> None:
    """Label rows with strange content are named, as by the export in other formats."""
    from airflow_provider_encord.client.errors import EncordError

    document = row("a", [box(0.1)])
    document["data_units"] = ["a"]
    with pytest.raises(EncordError, match="label of a on main"):
        measured([document])


def test_points_that_are_close_match() -> None:
    """An object whose bounding box has no area can be matched, if its points are almost the same."""
    sides = []
    for who, x in (("ada", 0.5), ("eve", 0.5001)):
        point = {**box(0.1, hash_="p", by=who), "shape": "point", "point": {"0": {"x": x, "y": 0.5}}}
        del point["boundingBox"]
        sides.append(row("a", [point], branch=who))
    assert measured(sides)[0].agreement.total.share == 1.0


def test_rows_about_which_encord_says_nothing_are_not_valid() -> None:
    """A row that does not say whether it is valid is not measured, and does not let the others pass."""
    document = row("a", [])
    del document["is_valid"]
    assert measured([document])[0].invalid.total.annotations == 0


def test_an_incremental_export_is_measured_as_a_whole(labelled: Labelled) -> None:
    """The gate is about the labels of the project: of an incremental export, the earlier rows count, or it is refused."""
    options = {"incremental": True, "lookback_seconds": 0.001}
    first = labelled.export("history/1", **options)
    assert labelled.gate(labels=first, max_invalid_rows=1)["rows"] == 6
    labelled.account.emulator.annotate(labelled.project_id, objects_per_row=1, seed=5)
    second = labelled.export("history/2", **options)
    third = labelled.export("history/3", **options)
    assert second
    try:
        assert labelled.gate(labels=third, max_invalid_rows=1, if_empty="pass")["rows"] == 6
    except AirflowFailException as error:
        assert "incremental" in str(error)
