"""The report of a registration: what it keeps of earlier runs, and what it never deletes."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, ObjectStoragePath

from tests.airflow_layer.cloud_intake import Intake
from tests.object_stores import attach_memory


def _lines(report: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in report.read_text().splitlines()]


def _beside(report: Any, suffix: str) -> Any:
    return report.parent / f"{report.name}{suffix}"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("part-00007-abc.jsonl", '{"rows": 1}\n'),
        ("part-000000.jsonl", "not ours\n"),
        ("part-000000.jsonl", '{"url": "s3://bucket/key"}\n'),
        ("part-000000.sent.jsonl", '{"url": "s3://bucket/key"}\n'),
        ("claim.json", '{"mine": 1}'),
        ("notes.txt", "not ours"),
        ("export.unfinished", "not ours"),
    ],
)
def test_parts_that_are_not_of_a_report_are_refused_before_any_request(
    intake: Intake, tmp_path: Path, name: str, content: str
) -> None:
    report = tmp_path / "report.jsonl"
    parts = _beside(report, ".parts")
    parts.mkdir()
    (parts / name).write_text(content)
    intake.emulator.clear_journal()
    with pytest.raises(AirflowFailException, match=rf"report: .*{name}.*not part of a report"):
        intake.register(source=intake.manifest(intake.objects(1)), report=str(report))
    assert {path.name: path.read_text() for path in parts.iterdir()} == {name: content}
    assert intake.emulator.journal() == []


@pytest.mark.parametrize("suffix", ["", ".known"])
@pytest.mark.parametrize("content", ["mine\n", '{"mine": 1}\n', '{"url": "s3://bucket/key"}\n'])
def test_a_file_that_is_not_a_report_is_refused_before_any_request(
    intake: Intake, tmp_path: Path, suffix: str, content: str
) -> None:
    report = tmp_path / "report.jsonl"
    _beside(report, suffix).write_text(content)
    intake.emulator.clear_journal()
    with pytest.raises(AirflowFailException, match="is not a report of a registration"):
        intake.register(source=intake.manifest(intake.objects(1)), report=str(report))
    assert _beside(report, suffix).read_text() == content
    assert intake.emulator.journal() == []


def test_the_manifest_itself_is_not_replaced_by_the_report(intake: Intake) -> None:
    source = Path(intake.manifest(intake.objects(1)))
    content = source.read_text()
    with pytest.raises(AirflowFailException, match="report: it is the source"):
        intake.register(source=str(source), report=str(source))
    assert source.read_text() == content


def test_two_manifests_that_take_turns_with_one_report_keep_each_others_lines(intake: Intake, tmp_path: Path) -> None:
    names, report = intake.objects(3), tmp_path / "report.jsonl"
    intake.register(source=intake.manifest(names[:2]), report=str(report), units_per_job=1)
    intake.register(source=intake.manifest(names[2:]), report=str(report), units_per_job=1)
    assert [line["title"] for line in _lines(report)] == names[2:]
    known = {line["title"]: line["id"] for line in _lines(_beside(report, ".known"))}
    assert sorted(known) == names[:2]
    intake.register(source=intake.manifest(names[:2]), report=str(report), units_per_job=1)
    assert {line["title"]: (line["id"], line["outcome"], line["matched_by"]) for line in _lines(report)} == {
        name: (known[name], "unchanged", "report") for name in names[:2]
    }
    assert [line["title"] for line in _lines(_beside(report, ".known"))] == names[2:]


def test_a_retry_keeps_the_ids_that_the_first_attempt_recorded(intake: Intake, tmp_path: Path) -> None:
    names, report = intake.objects(6), tmp_path / "report.jsonl"
    intake.emulator.jobs(fail_units=0.5, seed=3)
    with pytest.raises(AirflowFailException, match="were not registered"):
        intake.register(source=intake.manifest(names), report=str(report))
    first = {line["title"]: line["id"] for line in _lines(report) if line["id"]}
    intake.emulator.jobs(fail_units=0.0)
    intake.register(source=intake.manifest(names), report=str(report), units_per_job=4)
    lines = _lines(report)
    assert [line["title"] for line in lines] == names
    assert all(line["id"] for line in lines)
    assert first
    assert first.items() <= {line["title"]: line["id"] for line in lines}.items()
    assert sorted(path.name for path in tmp_path.glob("report*")) == ["report.jsonl"]


def test_a_job_that_fails_as_a_whole_leaves_a_report_of_the_jobs_before_it(intake: Intake, tmp_path: Path) -> None:
    names, report = intake.objects(3), tmp_path / "report.jsonl"
    fault = {"match": {"method": "POST", "path": "/data-upload-jobs$"}, "when": {"nth": 3}, "do": {"status": 400}}
    intake.emulator.faults([fault])
    with pytest.raises(AirflowFailException, match="does not accept the arguments"):
        intake.register(source=intake.manifest(names), report=str(report), units_per_job=1)
    assert [(line["title"], line["outcome"]) for line in _lines(report)] == [(name, "created") for name in names[:2]]
    intake.emulator.clear_faults()
    intake.register(source=intake.manifest(names), report=str(report), units_per_job=1)
    assert [(line["title"], bool(line["id"])) for line in _lines(report)] == [(name, True) for name in names]
    assert sorted(path.name for path in tmp_path.glob("report*")) == ["report.jsonl"]


def test_an_id_of_another_folder_is_not_taken_from_the_report(intake: Intake, tmp_path: Path) -> None:
    names, report = intake.objects(1), tmp_path / "report.jsonl"
    with intake.account.client() as client:
        other = client.create_folder("Other").id
    intake.register(source=intake.manifest(names), folder_id=other)
    intake.register(source=intake.manifest(names), report=str(report))
    intake.register(source=intake.manifest(names), report=str(report), folder_id=other)
    assert [(line["outcome"], line["id"]) for line in _lines(report)] == [("skipped", None)]


def test_a_report_in_an_object_store_keeps_its_lines(intake: Intake) -> None:
    """An object that is written over may be empty while it is written."""
    attach_memory()
    names, report = intake.objects(3), ObjectStoragePath(f"memory://reports/{uuid.uuid4()}.jsonl")

    def register(*some: str) -> list[tuple[str, str, bool]]:
        intake.register(source=intake.manifest(list(some)), report=str(report), units_per_job=1)
        return [(line["title"], line["outcome"], bool(line["id"])) for line in _lines(report)]

    for outcome in ("created", "unchanged"):
        assert register(*names[:2]) == [(name, outcome, True) for name in names[:2]]
        assert register(names[2]) == [(names[2], outcome, True)]
    assert [line["title"] for line in _lines(_beside(report, ".known"))] == names[:2]
