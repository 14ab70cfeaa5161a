"""Exports of analytics own their directory as exports of labels do (faults 12.4 and 4.3)."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from airflow_provider_encord.analytics.export import AnalyticsManifest, AnalyticsSelection, export_analytics
from airflow_provider_encord.client.api.analytics import TaskAction
from airflow_provider_encord.client.api.projects import ProjectRecord
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError, UnavailableError, UnexpectedResponseError
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.exports.directory import KIND, Claim, ReplacedError
from airflow_provider_encord.exports.file_names import MANIFEST, PLAN
from airflow_provider_encord.exports.manifest import decode_manifest
from tests.exports.bench import PROJECT, QUESTION, Encord, export, units


class Killed(BaseException):
    """As SIGKILL: nothing handles it."""


def _encord(
    records: list[Any], happens: Callable[[], Any] = lambda: None, before: Callable[[], Any] = lambda: None
) -> EncordClient:
    """Encord, which gives these task actions.

    :param happens: Half-way through the records.
    :param before: In the last request before the directory is taken.
    """

    def task_actions(*_: Any, **__: Any) -> Iterator[Any]:
        for number, record in enumerate(records):
            if number == len(records) // 2:
                happens()
            yield record

    def get() -> ProjectRecord:
        before()
        return ProjectRecord(project_hash=PROJECT, title="Street")

    project = SimpleNamespace(activity=SimpleNamespace(task_actions=task_actions), get=get)
    client = SimpleNamespace(
        settings=Settings(),
        project=lambda _: project,
        require_possible=lambda _: None,
        encord_time=lambda: datetime.datetime(2026, 12, 1, tzinfo=datetime.UTC),
    )
    return cast("EncordClient", client)


def _actions(day: int, count: int = 6) -> list[TaskAction]:
    from airflow_provider_encord.client.api import analytics

    known = {
        "timestamp": f"2026-11-{day:02d}T10:00:00+00:00",
        "action_type": "submit",
        "task_uuid": "task",
        "actor_email": "a@example.com",
    }
    fields = analytics.TaskAction.__struct_fields__
    values = {name: known.get(name, "x") for name in fields}
    return [analytics.TaskAction(**values) for _ in range(count)]


def _export(directory: Path, day: int, client: EncordClient | None = None, **more: Any) -> AnalyticsManifest:
    selection = AnalyticsSelection(
        project_id=PROJECT,
        record_types=("task_actions",),
        start=f"2026-11-{day:02d}T00:00:00+00:00",
        end=f"2026-11-{day + 1:02d}T00:00:00+00:00",
        format="jsonl",
    )
    return export_analytics(client or _encord(_actions(day)), selection, directory, **more)


def _require_whole(directory: Path, manifest: AnalyticsManifest) -> None:
    assert manifest.files
    assert {path.name for path in directory.iterdir()} == {MANIFEST, *manifest.file_names}
    for file in manifest.files:
        assert (directory / file.name).read_bytes().count(b"\n") == file.rows


def test_of_two_intervals_with_one_destination_the_later_is_whole_and_the_other_fails(tmp_path):
    """Fault 12.4."""
    other: list[AnalyticsManifest] = []
    client = _encord(_actions(1), lambda: other.append(_export(tmp_path, 2)))
    with pytest.raises(ReplacedError):
        _export(tmp_path, 1, client)
    _require_whole(tmp_path, other[0])


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_zombie_leaves_the_whole_export_that_its_retry_made_meanwhile(tmp_path, overwrite):
    """The retry is whole before the zombie takes the directory."""
    retry: list[AnalyticsManifest] = []
    zombie = _encord(_actions(1), before=lambda: retry.append(_export(tmp_path, 1, overwrite=overwrite)))
    assert _export(tmp_path, 1, zombie, overwrite=overwrite) == retry[0]
    assert len(retry) == 1
    _require_whole(tmp_path, retry[0])


def test_an_attempt_that_another_attempt_replaced_ends_with_the_export_of_the_other(tmp_path):
    other: list[AnalyticsManifest] = []
    replaced = _encord(_actions(1), lambda: other.append(_export(tmp_path, 1)))
    assert _export(tmp_path, 1, replaced) == other[0]
    assert len(other) == 1
    _require_whole(tmp_path, other[0])


def test_an_attempt_whose_directory_a_zombie_took_and_left_exports_again(tmp_path):
    def zombie() -> None:
        if not times:
            times.append(1)
            with pytest.raises(Killed):
                _export(tmp_path, 1, _encord(_actions(1), _die))

    times: list[int] = []
    _require_whole(tmp_path, _export(tmp_path, 1, _encord(_actions(1), zombie)))
    assert times


def test_an_attempt_that_other_attempts_replace_again_and_again_fails_so_that_a_retry_may_help(tmp_path):
    def zombie() -> None:
        with pytest.raises(Killed):
            _export(tmp_path, 1, _encord(_actions(1), _die))

    with pytest.raises(UnavailableError, match=r"destination: another attempt at this task") as raised:
        _export(tmp_path, 1, _encord(_actions(1), zombie))
    assert raised.value.retryable


def test_an_export_that_is_less_final_than_the_one_that_found_it_is_made_again(tmp_path):
    other: list[AnalyticsManifest] = []
    early, late = _encord(_actions(1)), _encord(_actions(1), before=lambda: other.append(_export(tmp_path, 1, early)))
    cast("Any", early).encord_time = lambda: datetime.datetime(2026, 11, 1, 12, tzinfo=datetime.UTC)
    manifest = _export(tmp_path, 1, late)
    assert not other[0].is_final(0)
    assert manifest.is_final(0)
    _require_whole(tmp_path, manifest)


def _die() -> None:
    raise Killed


def test_what_a_killed_export_left_is_replaced(tmp_path):
    with pytest.raises(Killed):
        _export(tmp_path, 1, _encord(_actions(1), _die))
    assert not (tmp_path / MANIFEST).exists()
    _require_whole(tmp_path, _export(tmp_path, 1))


def test_an_export_that_was_killed_after_its_manifest_is_tidied_by_the_next(tmp_path):
    with pytest.raises(Killed):
        _export(tmp_path, 1, _encord(_actions(1), _die))
    manifest = _export(tmp_path, 1)
    plan, (replaced,) = manifest.plan_id or "", manifest.replaces
    (tmp_path / f"task_actions-{replaced[:8]}-00000.jsonl").write_text("{}\n")
    claim = Claim(kind=KIND, id=plan, replaces=[replaced], fingerprint=manifest.fingerprint)
    (tmp_path / PLAN).write_bytes(msgspec.json.encode(claim))
    _require_whole(tmp_path, _export(tmp_path, 1))


@pytest.mark.parametrize(
    "name", ["task_actions-00000.jsonl", "editor_logs-00000.parquet", "labels-00000.jsonl", "notes.txt"]
)
def test_somebody_s_files_are_refused_and_left_alone(tmp_path, name):
    """Fault 4.3 and 12.4."""
    (tmp_path / name).write_text("mine")
    with pytest.raises(InvalidArgumentError, match=r"destination: .* contains other files"):
        _export(tmp_path, 1)
    assert (tmp_path / name).read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("time", ["soon", "", "2026-13-01"])
def test_a_record_whose_time_cannot_be_read_is_an_odd_answer_of_encord(tmp_path, time):
    odd = msgspec.structs.replace(_actions(1, 1)[0], timestamp=time)
    with pytest.raises(UnexpectedResponseError, match=r"in the field timestamp, which is not a time"):
        _export(tmp_path, 1, _encord([odd]))
    assert not (tmp_path / MANIFEST).exists()


def test_exports_of_labels_and_of_analytics_refuse_each_other(tmp_path):
    export(Encord(units(3)).client(), QUESTION, tmp_path / "labels")
    before = (tmp_path / "labels" / MANIFEST).read_bytes()
    with pytest.raises(InvalidArgumentError, match="contains something else"):
        _export(tmp_path / "labels", 1)
    decode_manifest(before, "labels")
    assert (tmp_path / "labels" / MANIFEST).read_bytes() == before
    _export(tmp_path / "analytics", 1)
    with pytest.raises(InvalidArgumentError, match="contains something else"):
        export(Encord(units(3)).client(), QUESTION, tmp_path / "analytics")


def test_an_export_of_a_newer_version_is_refused_and_left_alone(tmp_path):
    manifest = _export(tmp_path, 1)
    newer = (tmp_path / MANIFEST).read_text().replace(f'"{manifest.schema_version}"', '"2.0"', 1)
    (tmp_path / MANIFEST).write_text(newer)
    with pytest.raises(InvalidArgumentError, match=r"has the schema_version 2\.0, .* Upgrade airflow-provider-encord"):
        _export(tmp_path, 1, overwrite=True)
    assert (tmp_path / MANIFEST).read_text() == newer
    (tmp_path / MANIFEST).unlink()
