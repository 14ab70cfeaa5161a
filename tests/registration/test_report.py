"""The files of a registration's report: what is kept of earlier runs, and whose files are left alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.client.api.core.data_items import UploadedFile
from airflow_provider_encord.client.api.uploads import DONE, RegisteredFile, UploadJob
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.registration.report import RegistrationReport
from airflow_provider_encord.sources.kinds import IMAGE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report.jsonl"


def run(flow: Flow[None]) -> None:
    with pytest.raises(StopIteration):
        next(flow)  # it asks nothing of Encord


def register(path: Path, ids: dict[str, str | None], *, finish: bool = True) -> RegistrationReport:
    """A run that registers these objects in one job, and gets these ids."""
    report = RegistrationReport(path, dataset="a dataset")
    report.require_ours()
    report.keep_earlier()
    units = [UploadedFile(kind=IMAGE, object_url=f"s3://b/{name}", title=name, client_metadata={}) for name in ids]
    report.open_part(0, units, {})
    made = [RegisteredFile(data_hash=id_, title=name) for name, id_ in ids.items() if id_]
    run(report.write_outcomes(0, UploadJob(status=DONE, data_hashes_with_titles=made)))
    if finish:
        report.finish()
    return report


def lines(path: Path) -> dict[str, Any]:
    return {line["title"]: line for line in map(json.loads, path.read_text().splitlines())}


def test_the_newest_line_of_a_unit_is_kept_though_its_run_was_killed(path: Path) -> None:
    register(path, {"a": "OLD"})
    register(path, {"a": "NEW"}, finish=False)
    register(path, {"b": "B"})
    assert lines(path)["b"]["id"] == "B"
    assert lines(path.with_name("report.jsonl.known"))["a"]["id"] == "NEW"


def test_files_of_others_beside_the_parts_stay(path: Path) -> None:
    report = register(path, {"a": "A"}, finish=False)
    directory = path.with_name("report.jsonl.parts")
    others = {"notes.txt": "mine", "claim.json.0a1b2c3d.unfinished": "{}"}
    for name, text in others.items():
        (directory / name).write_text(text)
    report.finish()
    assert {file.name: file.read_text() for file in directory.iterdir()} == others


def test_what_encord_skips_is_known_by_an_earlier_line_or_says_why(path: Path) -> None:
    register(path, {"a": "A", "b": None})
    assert [(line["outcome"], line["id"]) for line in lines(path).values()] == [("created", "A"), ("skipped", None)]
    assert "skipped it" in lines(path)["b"]["error"]
    register(path, {"a": None})
    (line,) = lines(path).values()
    assert (line["outcome"], line["id"], line["matched_by"], line["error"]) == ("unchanged", "A", "report", None)
