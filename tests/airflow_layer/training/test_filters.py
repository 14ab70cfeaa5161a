"""Filters of training sets: what is in them, and that everything else is counted under its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.gates.gate import GateLine
from airflow_provider_encord.operators.literals import InvalidLiteralError
from airflow_provider_encord.operators.training import EncordBuildTrainingSetOperator
from airflow_provider_encord.reports import FAILED, QUALITY_GATE, SCHEMA_VERSION, encode_lines
from tests.airflow_layer.bench import Account
from tests.airflow_layer.training.test_training_sets import ALL_TRAIN, yolo
from tests.airflow_layer.training.training_sets import Pictures, contents


@pytest.fixture
def pictures(account: Account, tmp_path: Path) -> Pictures:
    return Pictures(account, tmp_path)


def built(pictures: Pictures, **arguments: Any) -> tuple[dict[int, list[list[float]]], dict[str, Any], list[Any]]:
    """The lines by the number of the picture, the record, and the lines about what was left out by filters."""
    pictures.build(split=ALL_TRAIN, **arguments)
    directory = pictures.directory / "set"
    left_out = [json.loads(line) for line in (directory / "left_out.jsonl").read_text().splitlines()]
    filtered = [line for line in left_out if line["reason"].startswith("filtered out by")]
    record = json.loads((directory / "training_set.json").read_text())
    assert sum(record["left_out"].values()) == len(left_out)
    return yolo(directory), record, filtered


def test_images_with_an_answer_are_kept_and_the_others_listed(pictures: Pictures) -> None:
    lines, record, filtered = built(pictures, classification_answers={"Weather": "Rain / Fog"})
    assert {*lines} == {4, 8}
    assert record["left_out"]["filtered out by classification_answers (Weather)"] == 10
    assert {line["kind"] for line in filtered} == {"image"}
    assert record["filters"] == {"classification_answers": {"Weather": ["Rain / Fog"]}}


def test_one_of_several_answers_will_do_and_none_stands_for_no_answer(pictures: Pictures) -> None:
    lines, record, _ = built(pictures, classification_answers='{"Weather": ["Sun", null]}')
    assert {*lines} == {*range(12)} - {4, 8}
    assert record["left_out"]["filtered out by classification_answers (Weather)"] == 2


@pytest.mark.parametrize(
    ("answers", "cars"),
    [
        ({"Occluded": False}, {2, 5, 8, 11}),
        ({"Occluded": "true"}, {1, 4, 7, 10}),
        ({"Occluded": [False, None]}, {0, 2, 3, 5, 8, 9, 11}),
        ({"Seats": 4}, {2, 5, 8, 11}),
        ({"Seats": "4.0", "Occluded": [True, False]}, {2, 5, 8, 11}),
        ({"Plate": ["B 1", "B 2"]}, {2, 5, 8, 11}),
        ({"Plate": "B 2"}, set()),
    ],
)
def test_objects_with_an_answer_are_kept_and_so_are_classes_without_the_attribute(
    pictures: Pictures, answers: dict[str, Any], cars: set[int]
) -> None:
    lines, record, filtered = built(pictures, object_answers=answers)
    assert len(lines) == 12
    assert {number for number, drawn in lines.items() if any(line[0] == 0 for line in drawn)} == cars
    assert sum(line[0] == 1 for drawn in lines.values() for line in drawn) == 5
    assert len(filtered) == 11 - len(cars)
    assert {line["shape"] for line in filtered} <= {"bounding_box"}
    assert record["splits"]["train"]["objects"].get("Car", 0) == len(cars)


def test_data_units_in_a_stage_are_kept_also_if_they_moved_after_the_export(pictures: Pictures) -> None:
    inputs = pictures.inputs()
    with pictures.account.client() as client:
        stage = client.project(pictures.project).stage("Annotate")
        tasks = [task for task in stage.tasks() if int((task.data_title or "0")[:4]) % 2 == 0]
        stage.move(tasks, "Complete")
    lines, record, filtered = built(pictures, stage="Complete", **inputs)
    assert {*lines} == {0, 2, 4, 6, 8, 10}
    assert record["left_out"]["filtered out by stage"] == 6
    assert {line["kind"] for line in filtered} == {"label_row"}
    with pytest.raises(AirflowFailException, match="has another training set"):
        pictures.build(split=ALL_TRAIN, **inputs)
    assert len(built(pictures, stage=["Annotate", "Complete"], overwrite=True, **inputs)[0]) == 12


def test_with_the_key_of_a_project_a_stage_is_compared_by_its_title(
    pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = pictures.inputs()
    monkeypatch.setenv("AIRFLOW_CONN_ENCORD_DEFAULT", pictures.account.api_key_connection(pictures.project))
    assert len(built(pictures, stage="Annotate", **inputs)[0]) == 12
    with pytest.raises(AirflowFailException, match=r"No image is in the training set.*filtered out by stage"):
        pictures.build("other", stage="Complete", **inputs)


def gate_report(pictures: Pictures, findings: dict[str, str], project_id: str = "") -> str:
    path = pictures.directory / "findings.jsonl"
    lines = [
        GateLine(
            schema_version=SCHEMA_VERSION,
            operation=QUALITY_GATE,
            source=measure,
            id=None,
            outcome=FAILED,
            error="It was found.",
            project_id=project_id or pictures.project,
            data_hash=data_hash,
            data_title="",
        )
        for data_hash, measure in findings.items()
    ]
    path.write_bytes(b"".join(encode_lines(lines)))
    return str(path)


def test_data_units_that_a_quality_gate_found_are_left_out(pictures: Pictures) -> None:
    inputs = pictures.inputs()
    with pictures.account.client() as client:
        hashes = {int(row.data_title[:4]): row.data_hash for row in client.project(pictures.project).label_rows()}
    report = gate_report(pictures, {hashes[1]: "agreement", hashes[2]: "missing_attributes"})
    lines, record, _ = built(pictures, gate_report=report, **inputs)
    assert {*lines} == {*range(12)} - {1, 2}
    assert record["left_out"]["filtered out by gate_report (agreement)"] == 1
    lines, _, _ = built(pictures, gate_report=report, gate_measures="agreement", overwrite=True, **inputs)
    assert {*lines} == {*range(12)} - {1}
    assert contents(pictures.directory / "set") != {}


def test_a_gate_and_a_build_agree_about_which_data_units_are_wrong(pictures: Pictures) -> None:
    """The report is that of a real gate: cars of every third picture have no required answer."""
    from airflow_provider_encord.operators.quality import EncordQualityGateOperator

    inputs = pictures.inputs()
    with pictures.account.client() as client:
        project = client.project(pictures.project)
        structure = project.ontology().editor_ontology
        structure["objects"][0]["attributes"][0]["required"] = True
        project.replace_ontology(structure)
    report = str(pictures.directory / "gate.jsonl")
    gate = EncordQualityGateOperator(
        task_id="gate",
        project_id=pictures.project,
        labels=inputs["labels"],
        report=report,
        max_missing_attributes=0.1,
    )
    with pytest.raises(AirflowFailException):
        gate.execute({})
    lines, record, _ = built(pictures, gate_report=report, **inputs)
    assert {*lines} == {*range(12)} - {0, 3, 9}
    assert record["left_out"]["filtered out by gate_report (missing_attributes)"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stage": "Done"}, r"stage: 'Done' is neither id nor title of a stage.* 'Annotate'"),
        ({"classification_answers": {"Light": "on"}}, r"classification_answers: .* no attribute 'Light'.* 'Weather'"),
        (
            {"classification_answers": {"Weather": "Snow"}},
            r"'Weather' has no answer 'Snow'. It has 'Sun', 'Rain / Fog'",
        ),
        ({"classification_answers": {"Weather": True}}, r"'Weather' has no answer 'True'"),
        ({"object_answers": {"Weather": "Sun"}}, r"object_answers: .* no attribute 'Weather'.* 'Occluded', 'Seats'"),
        ({"object_answers": {"Seats": "many"}}, r"'Seats' has no answer 'many'. It has a number, or None"),
        ({"gate_report": "/nowhere/gate.jsonl"}, r"gate_report: file:///nowhere/gate.jsonl cannot be used"),
    ],
)
def test_a_filter_that_the_project_does_not_have_is_refused_with_what_it_has(
    pictures: Pictures, tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    inputs = pictures.inputs()
    with pytest.raises(AirflowFailException, match=message):
        pictures.build(**inputs, **arguments)
    assert not (tmp_path / "set").exists()


def test_the_report_of_another_project_or_task_is_refused(pictures: Pictures, tmp_path: Path) -> None:
    inputs = pictures.inputs()
    report = gate_report(pictures, {"x": "agreement"}, project_id="another")
    with pytest.raises(AirflowFailException, match=r"gate_report: .* is about the project another"):
        pictures.build(gate_report=report, **inputs)
    with pytest.raises(AirflowFailException, match="line 1: it is not a line of a report of a quality gate"):
        pictures.build(gate_report=inputs["media"], **inputs)
    with pytest.raises(AirflowFailException, match=r"destination: .* contains gate_report"):
        pictures.build(gate_report=str(tmp_path / "set" / "gate.jsonl"), **inputs)
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"classification_answers": {"Weather": []}}, "classification_answers: .* is not an answer to 'Weather'"),
        ({"object_answers": {"Occluded": {"is": False}}}, "object_answers: .* is not an answer to 'Occluded'"),
        ({"object_answers": {"Occluded": ""}}, "object_answers: '' is not an answer"),
        ({"object_answers": "Occluded"}, "object_answers: "),
        ({"gate_report": "gate.jsonl"}, "gate_report: "),
        ({"gate_report": "/data/gate.jsonl", "gate_measures": ["taste"]}, "gate_measures: 'taste' is not one of"),
        ({"gate_measures": "agreement"}, "gate_measures: it needs `gate_report`"),
    ],
)
def test_a_filter_of_a_wrong_form_is_refused_when_the_dag_is_parsed(arguments: dict[str, Any], message: str) -> None:
    places = {"labels": "/data/labels", "media": "/data/media.jsonl", "destination": "/data/set"}
    with pytest.raises(InvalidLiteralError, match=message):
        EncordBuildTrainingSetOperator(task_id="build", format="coco", **{**places, **arguments})


def test_templates_in_filters_wait_for_the_run() -> None:
    places = {"labels": "/data/labels", "media": "/data/media.jsonl", "destination": "/data/set"}
    made = EncordBuildTrainingSetOperator(
        task_id="build",
        format="coco",
        classification_answers={"Weather": "{{ params.weather }}"},
        object_answers="{{ params.objects | tojson }}",
        gate_measures="{{ params.measures }}",
        **places,
    )
    assert made.classification_answers == {"Weather": "{{ params.weather }}"}
