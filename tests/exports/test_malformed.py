"""Files that are not JSON, not UTF-8, or nested too deeply are named, or count as damaged; no raw error is raised."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from airflow_provider_encord.analytics.export import AnalyticsSelection, export_analytics
from airflow_provider_encord.attempts import Claim, FileStore, Owner
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.file_names import MANIFEST, PLAN
from airflow_provider_encord.exports.incremental import Chain, before
from airflow_provider_encord.exports.labels import ExportSpec, export_labels, plan_export
from airflow_provider_encord.exports.listing_file import read_rows
from airflow_provider_encord.exports.manifest import Layout, Manifest, ManifestError, read_manifest
from airflow_provider_encord.exports.plan import Plan, directory_of, read_plan, read_progress
from airflow_provider_encord.snapshots.memory import Memory
from airflow_provider_encord.uploads.notes import JobCheckpoints
from airflow_provider_encord.uploads.report import read_lines
from tests.exports.bench import PROJECT, QUESTION, Encord, export, units

DEEP = b"[" * 5000 + b"]" * 5000
ODD = {
    "not JSON": b"odd",
    "no object": b"[]",
    "nothing": b"",
    "nested": b'{"x": ' + DEEP + b"}",
    "not UTF-8": b'{"%s": "\xff"}',
    "half of a surrogate pair": b'{"%s": "\\ud83d"}',
}
RUN = "2026-11-23T00:00:00+00:00"


@pytest.fixture(params=ODD.values(), ids=ODD)
def odd(request: pytest.FixtureRequest) -> Callable[[str], bytes]:
    """Makes odd content; where it has a field, that of the given name."""
    content: bytes = request.param
    return lambda field: content.replace(b"%s", field.encode())


def test_a_manifest_is_named(tmp_path, odd):
    (tmp_path / MANIFEST).write_bytes(odd("schema_version"))
    with pytest.raises(ManifestError, match=r"manifest\.json is not the manifest"):
        read_manifest(tmp_path)
    with pytest.raises(InvalidArgumentError, match=r"destination: .* contains something else\. .*manifest\.json"):
        export(Encord(units(3)).client(), QUESTION, tmp_path)
    selection = AnalyticsSelection(
        project_id=PROJECT, record_types=("task_actions",), start=RUN, end=RUN, format="jsonl"
    )
    with pytest.raises(InvalidArgumentError, match=r"destination: .* contains something else\. .*manifest\.json"):
        export_analytics(Encord([]).client(), selection, tmp_path)


def test_a_plan_is_named(tmp_path, odd):
    (tmp_path / PLAN).write_bytes(odd("id"))
    with pytest.raises(InvalidArgumentError, match=r"destination: .*plan\.json is not the plan of an export"):
        export(Encord(units(3)).client(), QUESTION, tmp_path)
    with pytest.raises(InvalidArgumentError, match=r"plan\.json is not the plan"):
        read_plan(directory_of(tmp_path))


def test_the_progress_of_a_part_is_as_if_it_were_not_there(tmp_path, odd):
    plan = plan_export(Encord(units(3)).client(), ExportSpec(selection=QUESTION, logical_date=RUN), tmp_path)
    assert isinstance(plan, Plan)
    (tmp_path / f"part-{plan.id[:8]}-00000-0123abcd.json").write_bytes(odd("plan"))
    assert read_progress(directory_of(tmp_path), plan, 0).next_row == 0
    assert (
        export_labels(
            Encord(units(3)).client(), ExportSpec(selection=QUESTION, logical_date=RUN), tmp_path
        ).counts.exported
        == 3
    )


def _with_odd_listing(directory: Path, line: bytes, chain: Chain | None = None) -> Manifest:
    spec = ExportSpec(selection=QUESTION, layout=Layout(), logical_date=RUN, history=chain)
    manifest = export_labels(Encord(units(3)).client(), spec, directory)
    assert manifest.listing is not None
    content = gzip.compress(line + b"\n")
    (directory / manifest.listing.name).write_bytes(content)
    manifest = msgspec.structs.replace(
        manifest, listing=msgspec.structs.replace(manifest.listing, bytes=len(content), rows=1)
    )
    (directory / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    return manifest


ODD_ROWS = {
    "not JSON": b"odd",
    "nothing": b"",
    "nested": b'["d", "b", "l", null, true, ' + DEEP + b"]",
    "not UTF-8": b'["\xff", "b", "l", null, true]',
    "half of a surrogate pair": b'["\\ud83d", "b", "l", null, true]',
}


@pytest.mark.parametrize("line", ODD_ROWS.values(), ids=ODD_ROWS)
def test_a_listing_is_named_and_breaks_the_chain(tmp_path, line):
    chain = Chain(directory=tmp_path, lookback_seconds=1.0)
    manifest = _with_odd_listing(tmp_path / "1", line, chain)
    assert manifest.listing is not None
    with pytest.raises(ManifestError, match=r"listing-\S+ is damaged"):
        [*read_rows(tmp_path / "1", manifest.listing)]
    spec = ExportSpec(selection=QUESTION, layout=Layout(), logical_date="2026-11-24T00:00:00+00:00", history=chain)
    second = export_labels(Encord(units(3)).client(), spec, tmp_path / "2")
    assert second.history is not None
    assert "is damaged" in (second.history.restarted or "")
    assert second.counts.exported == 3


def test_another_export_of_a_chain_is_not_taken_into_account(tmp_path, odd):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / MANIFEST).write_bytes(odd("schema_version"))
    assert before(Chain(directory=tmp_path, lookback_seconds=1.0), QUESTION, Layout(), tmp_path / "2") is None


def test_the_report_of_a_snapshot_is_named(tmp_path, odd):
    (tmp_path / "report.jsonl").write_bytes(odd("about") + b"\n")
    with pytest.raises(InvalidArgumentError, match=r"report: .*report\.jsonl is not the report"):
        Memory("about", report=tmp_path / "report.jsonl").load()


def test_the_state_of_an_earlier_attempt_is_named(tmp_path, odd):
    (tmp_path / "place.json").write_bytes(odd("value"))
    if odd("value") == b"[]":  # it is JSON; `Checkpoint` ignores it
        assert FileStore(tmp_path, "report").get("place") == []
        return
    with pytest.raises(InvalidArgumentError, match=r"report: .*place\.json.* damaged"):
        FileStore(tmp_path, "report").get("place")


def test_a_file_that_is_no_claim_is_left_alone_and_named(tmp_path, odd):
    path, content = tmp_path / "claim.json", odd("task")
    path.write_bytes(content)
    claim = Claim(path, Owner("dag/run/task/-1"), "report")
    if not content:  # what a full disk leaves of a claim
        claim.take()
        claim.check()
        return
    with pytest.raises(InvalidArgumentError, match=r"report: .*claim\.json was not written by this provider"):
        claim.take()
    assert path.read_bytes() == content


def test_a_line_of_a_report_is_named(odd):
    with pytest.raises(InvalidArgumentError, match="report: line 1 is not a line of a report"):
        [*read_lines([odd("source") + b"\n"])]


def test_the_notes_beside_a_report_are_named(odd):
    content = odd("schema_version")
    if not content:
        assert JobCheckpoints(lambda: content).left("dataset") == []
        return
    with pytest.raises(
        InvalidArgumentError, match="report: the checkpoints of an earlier attempt, stored next to it, cannot be read"
    ):
        JobCheckpoints(lambda: content).left("dataset")
