"""The gates as Airflow runs them, on exports of the emulator: they fail or branch, with the numbers and a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.operators.labels import EncordExportLabelsOperator, EncordImportLabelsOperator
from airflow_provider_encord.operators.quality import EncordQualityGateOperator
from airflow_provider_encord.operators.workflow import EncordReviewTasksOperator
from tests.airflow_layer.bench import Account, run_dag
from tests.airflow_layer.dags import gates_in_a_dag


class Labelled:
    """A project with labels, its exports, and gates on them."""

    def __init__(self, account: Account, directory: Path):
        self.account, self.directory = account, directory
        seeded = account.project(rows=6, created=1.0, objects_per_row=3)
        self.project_id, self.data_hashes = seeded["project_id"], seeded["data_hashes"]

    def export(self, name: str, **arguments: Any) -> str:
        destination = str(self.directory / name)
        operator = EncordExportLabelsOperator(
            task_id="export", project_id=self.project_id, destination=destination, **arguments
        )
        manifest: str = operator.execute({})["manifest"]
        return manifest

    def gate(self, **arguments: Any) -> dict[str, Any]:
        report = str(self.directory / "report.jsonl")
        operator = EncordQualityGateOperator(task_id="gate", project_id=self.project_id, report=report, **arguments)
        value: dict[str, Any] = operator.execute({})
        return value

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.directory / "report.jsonl").read_text().splitlines()]

    def require_colours(self) -> None:
        """Let the ontology require an answer that a car of a model does not have."""
        with self.account.client() as client:
            project = client.project(self.project_id)
            structure = project.ontology().editor_ontology
            (car,) = [item for item in structure["objects"] if item["name"] == "Car"]
            for attribute in car["attributes"]:
                attribute["required"] = True
            project.replace_ontology(structure)
        box = {"feature": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}}
        source = self.directory / "model.jsonl"
        source.write_text(json.dumps({"data_hash": self.data_hashes[0], "objects": [box]}) + "\n")
        EncordImportLabelsOperator(
            task_id="import", project_id=self.project_id, source=str(source), if_exists="merge"
        ).execute({})


@pytest.fixture
def labelled(account: Account, tmp_path: Path) -> Labelled:
    return Labelled(account, tmp_path)


def test_good_labels_pass_with_the_numbers(labelled: Labelled) -> None:
    manifest = labelled.export("now")
    value = labelled.gate(labels=manifest, max_invalid_rows=0, max_class_drift=0.1, reference=manifest)
    assert value["passed"] is True
    assert value["rows"] == 6
    assert value["findings"] == 0
    assert {name: found["value"] for name, found in value["measures"].items()} == {
        "invalid_rows": 0.0,
        "class_drift": 0.0,
    }
    assert labelled.lines() == []


def test_a_planted_annotation_without_an_answer_fails_the_gate_and_is_named(labelled: Labelled) -> None:
    labelled.require_colours()
    manifest, page = labelled.export("now"), labelled.directory / "gate.html"
    with pytest.raises(AirflowFailException, match=r"missing_attributes: 0\.\d+, limit 0"):
        labelled.gate(labels=manifest, max_missing_attributes=0, page=str(page))
    (line,) = labelled.lines()
    assert line["data_hash"] == labelled.data_hashes[0]
    assert line["class_name"] == "Car"
    assert "no answer to Colour" in line["error"]
    assert "missing_attributes, by class" in page.read_text()
    assert "http" not in page.read_text()
    # Within the limit, the finding is still listed.
    assert labelled.gate(labels=manifest, max_missing_attributes=0.9)["findings"] == 1


def test_another_mix_of_classes_fails_the_gate(labelled: Labelled) -> None:
    before = labelled.export("before")
    labelled.require_colours()
    for _ in range(3):
        labelled.account.emulator.annotate(labelled.project_id, objects_per_row=4, seed=_)
    after = labelled.export("after")
    value = labelled.gate(labels=after, reference=before, max_class_drift=1)
    drift = value["measures"]["class_drift"]["value"]
    assert 0 < drift < 1
    with pytest.raises(AirflowFailException, match=r"class_drift.*\n  - class "):
        labelled.gate(labels=after, reference=before, max_class_drift=drift / 2)


def test_rejections_and_open_issues_are_counted(labelled: Labelled) -> None:
    with labelled.account.client() as client:
        project = client.project(labelled.project_id)
        stage = project.stage("Annotate")
        stage.submit(list(stage.tasks()))
        review = project.stage("Review")
        review.reject(list(review.tasks())[:2])
        review.approve(list(review.tasks()))
        project.issues(labelled.data_hashes[1]).add("A car is missing.")
    interval = {"start": "2020-01-01", "end": "2100-01-01"}
    with pytest.raises(AirflowFailException) as raised:
        labelled.gate(
            labels=labelled.export("now"), max_rejection_rate=0.1, max_issue_rate=0.1, min_support=1, **interval
        )
    assert "rejection_rate: 0.333, limit 0.1" in str(raised.value)
    assert "issue_rate: 0.167, limit 0.1" in str(raised.value)
    assert f"annotator {labelled.account.email}: 0.333 of 6" in str(raised.value)
    lines = labelled.lines()
    assert [line["error"] for line in lines if line["source"] == "issue_rate"] == [
        "It has 1 open issues, such as: A car is missing."
    ]
    assert len([line for line in lines if line["source"] == "rejection_rate" and line["data_hash"]]) == 2


def test_the_rows_of_a_report_can_be_sent_back(labelled: Labelled) -> None:
    labelled.require_colours()
    with labelled.account.client() as client:
        stage = client.project(labelled.project_id).stage("Annotate")
        stage.submit(list(stage.tasks()))
    with pytest.raises(AirflowFailException):
        labelled.gate(labels=labelled.export("now"), max_missing_attributes=0, min_support=1)
    assert {bool(line["data_hash"]) for line in labelled.lines()} == {True, False}  # also the class and the annotator
    operator = EncordReviewTasksOperator(
        task_id="reject",
        project_id=labelled.project_id,
        stage="Review",
        verdict="reject",
        source=str(labelled.directory / "report.jsonl"),
        report=str(labelled.directory / "rejected.jsonl"),
    )
    assert operator.execute({})["updated"] == 1
    with labelled.account.client() as client:
        (back,) = client.project(labelled.project_id).stage("Annotate").tasks()
    assert back.data_hash == labelled.data_hashes[0]


def test_a_gate_that_measured_nothing_does_not_pass_unless_it_may(labelled: Labelled) -> None:
    manifest = labelled.export("now")
    with pytest.raises(AirflowFailException, match="agreement: not measured"):
        labelled.gate(labels=manifest, min_agreement=0.8)
    assert labelled.gate(labels=manifest, min_agreement=0.8, if_empty="pass")["passed"] is True


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "Pass at least one of min_agreement"),
        ({"max_invalid_rows": 0}, "labels: invalid_rows needs labels"),
        ({"max_rejection_rate": 0.1}, "start, end: max_rejection_rate needs the interval"),
        ({"max_class_drift": 0.1, "labels": "now"}, "reference: max_class_drift needs the manifest"),
        ({"max_rejection_rate": 0.1, **dict.fromkeys(("start", "end"), "2026-11-01")}, "start, end: the interval from"),
        ({"max_rejection_rate": 1, "start": "2026-11-02", "end": "2026-11-01"}, "start, end: the interval from"),
        ({"max_invalid_rows": 0, "labels": "nowhere"}, "^labels: There is no complete export in .*nowhere"),
        (
            {"max_class_drift": 0, "labels": "now", "reference": "/nowhere"},
            "^reference: There is no complete export in",
        ),
    ],
)
def test_what_is_missing_is_named(labelled: Labelled, arguments: dict[str, Any], message: str) -> None:
    if "labels" in arguments:
        arguments = {**arguments, "labels": str(labelled.directory / arguments["labels"])}
    if arguments.get("labels", "").endswith("now"):
        labelled.export("now")
    with pytest.raises(AirflowFailException, match=message):
        labelled.gate(**arguments)
    assert not (labelled.directory / "report.jsonl").exists()


def test_what_is_no_export_in_json_lines_is_named_with_its_argument(labelled: Labelled) -> None:
    tables = labelled.export("tables", format="parquet")
    with pytest.raises(AirflowFailException, match=r"^labels: the export in .* has the format parquet"):
        labelled.gate(labels=tables, max_invalid_rows=0)
    with pytest.raises(AirflowFailException, match=r"^reference: the export in .* has the format parquet"):
        labelled.gate(labels=labelled.export("now"), reference=tables, max_class_drift=0)
    (labelled.directory / "file").touch()
    with pytest.raises(AirflowFailException, match=r"^labels: There is no complete export in .*/file"):
        labelled.gate(labels=str(labelled.directory / "file"), max_invalid_rows=0)


def test_a_report_does_not_replace_another_file(labelled: Labelled) -> None:
    (labelled.directory / "report.jsonl").write_text("mine\n")
    with pytest.raises(AirflowFailException, match="is not a report of a quality gate"):
        labelled.gate(labels=labelled.export("now"), max_invalid_rows=0)
    assert (labelled.directory / "report.jsonl").read_text() == "mine\n"


def test_a_page_does_not_replace_the_labels(labelled: Labelled) -> None:
    """A page only replaces a page; the manifest of the export stays."""
    manifest = labelled.export("now")
    file = Path(manifest.removeprefix("file://"))
    content = file.read_bytes()
    with pytest.raises(AirflowFailException, match=r"page: .* is not a page of a quality gate"):
        labelled.gate(labels=manifest, max_invalid_rows=0, page=manifest)
    assert file.read_bytes() == content


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
    with pytest.raises(AirflowFailException, match="max_missing_attributes: it is empty"):
        labelled.gate(max_missing_attributes="", **arguments)


def test_a_limit_that_a_template_renders_to_none_is_an_error_too(labelled: Labelled) -> None:
    """With native rendering, a template can become None. A limit that was never passed is only not taken."""
    operator = EncordQualityGateOperator(
        task_id="gate",
        project_id=labelled.project_id,
        report=str(labelled.directory / "report.jsonl"),
        labels=labelled.export("now"),
        max_invalid_rows=1,
        max_missing_attributes="{{ params.limit }}",
    )
    operator.max_missing_attributes = None
    with pytest.raises(AirflowFailException, match="max_missing_attributes: it is empty"):
        operator.execute({})


def test_the_labels_of_another_project_are_refused(labelled: Labelled, account: Account, tmp_path: Path) -> None:
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


def test_an_incremental_export_is_measured_as_a_whole(labelled: Labelled) -> None:
    """The gate is about the labels of the project: of an incremental export, the earlier rows count, too."""
    options = {"incremental": True, "lookback_seconds": 0.001}
    first = labelled.export("history/1", **options)
    assert labelled.gate(labels=first, max_invalid_rows=1)["rows"] == 6
    labelled.account.emulator.annotate(labelled.project_id, objects_per_row=1, seed=5)
    labelled.export("history/2", **options)
    third = labelled.export("history/3", **options)
    value = labelled.gate(labels=third, reference=third, max_invalid_rows=1, max_class_drift=0, max_issue_rate=1)
    assert value["rows"] == 6
    assert value["measures"]["issue_rate"]["support"] == 6
    with pytest.raises(AirflowFailException, match=r"labels: .* is an incremental export"):
        labelled.gate(labels=third, min_agreement=0.5)
    (labelled.directory / "alone").mkdir()
    moved = Path(third.removeprefix("file://")).parent.rename(labelled.directory / "alone" / "3")
    with pytest.raises(AirflowFailException, match="that export is missing"):
        labelled.gate(labels=str(moved / "manifest.json"), max_invalid_rows=1)


def test_rows_that_the_export_could_not_read_are_named_in_a_warning(
    labelled: Labelled, caplog: pytest.LogCaptureFixture
) -> None:
    """An export with on_error='skip' lists unreadable rows as failed; the gate must not be silent about them."""
    manifest = labelled.export("now")
    file = Path(manifest.removeprefix("file://"))
    content = json.loads(file.read_text())
    content["counts"]["failed"] = 1
    content["counts"]["with_labels"] += 1
    content["counts"]["listed"] += 1
    content["listing"]["rows"] += 1
    content["failed"] = [{"data_hash": "d", "branch": "main", "label_hash": "l", "error": "It contains NaN."}]
    file.write_text(json.dumps(content))
    labelled.gate(labels=manifest, max_invalid_rows=0)
    assert "labels: 1 label rows could not be read by the export" in caplog.text


@pytest.mark.airflow
@pytest.mark.usefixtures("airflow_database")
@pytest.mark.parametrize("good", [True, False])
def test_the_branch_operator_runs_what_was_chosen_and_skips_the_other(labelled: Labelled, good: bool) -> None:
    if not good:
        labelled.require_colours()
    limit = {"max_missing_attributes": 1.0 if good else 0.0}
    params = {
        "project": labelled.project_id,
        "labels": labelled.export("now"),
        "directory": str(labelled.directory),
        "limit": limit["max_missing_attributes"],
    }
    run = run_dag(gates_in_a_dag.dag, **params)
    assert run.state == "success"
    assert run.tasks == {
        "gate": "success",
        "release_labels": "success" if good else "skipped",
        "send_back": "skipped" if good else "success",
    }
    assert run.results["gate"]["passed"] is good
