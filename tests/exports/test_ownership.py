"""Several processes with one destination at the same time: none ends green with files that another one rewrote.

The other process acts in the middle of a request of the first, so the order of the steps is the same every time.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import hashlib
import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.directory import ReplacedError
from airflow_provider_encord.exports.file_names import PLAN
from airflow_provider_encord.exports.labels import ExportSpec, export_labels, plan_export
from airflow_provider_encord.exports.manifest import MANIFEST, Layout, Manifest, Shard, read_manifest
from airflow_provider_encord.exports.partitions import export_partition, plan_partitions
from airflow_provider_encord.exports.plan import (
    Plan,
    directory_of,
    read_plan,
    read_progress,
    rows_to_read,
    write_progress,
)
from airflow_provider_encord.exports.reading import ReadOptions
from airflow_provider_encord.exports.verify import verify_files
from tests.exports.bench import QUESTION, Encord, export, lines, names, units

MONDAY, TUESDAY = "2026-11-23T00:00:00+00:00", "2026-11-24T00:00:00+00:00"
READING = ReadOptions(batch_size=2, max_concurrency=1)
ROWS = 20


class Interrupted(Encord):
    """Encord, where something else happens during one read.

    :param at: Number of the read, counted from 1; 0 for the listing.
    """

    def __init__(self, at: int, happens: Callable[[], Any], rows: int = ROWS):
        super().__init__(units(rows))
        self._at, self._happens = at, happens

    def send(self, call: Any) -> Any:
        answer = super().send(call)
        listing = call.request.query_type == "labelrowmetadata"
        if (0 if listing else len(self.reads)) == self._at:
            self._at = -1
            self._happens()
        return answer


class Killed(BaseException):
    """As SIGKILL: nothing handles it."""


def _order(run: str, **more: Any) -> ExportSpec:
    return ExportSpec(selection=QUESTION, layout=Layout(max_shard_bytes=300), logical_date=run, **more)


def _export(directory: Path, run: str, server: Encord | None = None, **more: Any) -> Manifest:
    client = (server or Encord(units(ROWS))).client()
    return export_labels(client, _order(run, **more), directory, reading=READING)


def _require_whole(directory: Path, manifest: Manifest, rows: int = ROWS) -> None:
    """The manifest that is there names files that are there, with all rows, and there is nothing else."""
    assert read_manifest(directory) == manifest
    assert [*verify_files(directory, manifest)] == []
    assert len(lines(directory, manifest)) == rows
    assert {path.name for path in directory.iterdir()} == {MANIFEST, *manifest.file_names}


@pytest.mark.parametrize("at", range(ROWS // 2 + 1))
def test_of_two_logical_dates_with_one_destination_the_later_one_is_whole_and_the_other_fails(tmp_path, at):
    """Fault 1.4."""
    other: list[Manifest] = []
    server = Interrupted(at, lambda: other.append(_export(tmp_path, TUESDAY)))
    if at == 0:  # the other is finished before this one claims the directory, so this one replaces it
        _require_whole(tmp_path, _export(tmp_path, MONDAY, server))
        assert [one.logical_date for one in other] == [TUESDAY]
        return
    with pytest.raises(ReplacedError, match=r"destination: another export has replaced this one") as raised:
        _export(tmp_path, MONDAY, server)
    assert not raised.value.retryable
    _require_whole(tmp_path, other[0])


@pytest.mark.parametrize("at", range(1, ROWS // 2 + 1))
def test_an_export_that_was_replaced_half_way_leaves_the_directory_to_the_other(tmp_path, at):
    """Fault 1.4: the other one has begun, and goes on after the first noticed."""
    plans: list[Any] = []

    def begin() -> None:
        plans.append(plan_export(Encord(units(ROWS)).client(), _order(TUESDAY), tmp_path))

    with pytest.raises(ReplacedError):
        _export(tmp_path, MONDAY, Interrupted(at, begin))
    assert directory_of(tmp_path).owned_by(plans[0].id)
    _require_whole(tmp_path, _export(tmp_path, TUESDAY))


@pytest.mark.parametrize(
    ("killed_at", "zombie_at"),  # the later the first was killed, the fewer requests the zombie sends
    [(killed, zombie) for killed, last in ((1, 10), (4, 8), (9, 3)) for zombie in range(1, last + 1)],
)
def test_a_zombie_and_its_retry_end_with_one_whole_export(tmp_path, killed_at, zombie_at):
    """Fault 1.4: the retry runs in the middle of the zombie, which then goes on."""
    with pytest.raises(Killed):
        _export(tmp_path, MONDAY, Encord(units(ROWS), fails_at=killed_at, failure=Killed()))
    other: list[Manifest] = []
    zombie = Interrupted(zombie_at, lambda: other.append(_export(tmp_path, MONDAY)))
    manifest = _export(tmp_path, MONDAY, zombie)
    assert other == [manifest]
    _require_whole(tmp_path, manifest)


def test_a_retry_that_lists_while_the_zombie_does_shares_its_plan(tmp_path):
    """Fault 1.4: the one that planned first failed permanently, though the other one did the same."""
    other: list[Manifest] = []
    both = Interrupted(0, lambda: other.append(_export(tmp_path, MONDAY)))
    assert _export(tmp_path, MONDAY, both) == other[0]
    _require_whole(tmp_path, other[0])
    planned: list[Any] = []
    again = Interrupted(0, lambda: planned.append(plan_export(Encord(units(ROWS)).client(), _order(TUESDAY), tmp_path)))
    assert _export(tmp_path, TUESDAY, again).plan_id == planned[0].id


@pytest.mark.parametrize("at", [1, 4, 9])
def test_an_attempt_whose_plan_another_attempt_replaced_continues_that_one(tmp_path, at):
    """Fault 1.4."""
    plans: list[str] = []

    def replace() -> None:
        spec, client = _order(MONDAY), Encord(units(ROWS)).client()
        directory_of(tmp_path).take("0123abcd-0000-4000-8000-000000000000", spec.fingerprint(client.settings.host))
        planned = plan_export(client, spec, tmp_path)
        assert isinstance(planned, Plan)
        plans.append(planned.id)

    manifest = _export(tmp_path, MONDAY, Interrupted(at, replace))
    assert manifest.plan_id == plans[0]
    _require_whole(tmp_path, manifest)


@pytest.mark.parametrize(("slow_at", "fast_at"), [*itertools.product([1, 3, 6], [1, 2, 5])])
def test_three_tries_inside_each_other_end_with_one_whole_export(tmp_path, slow_at, fast_at):
    """Fault 1.4."""
    manifests: list[Manifest] = []
    inner = Interrupted(fast_at, lambda: manifests.append(_export(tmp_path, MONDAY)))
    outer = Interrupted(slow_at, lambda: manifests.append(_export(tmp_path, MONDAY, inner)))
    manifests.append(_export(tmp_path, MONDAY, outer))
    assert len(manifests) == 3
    assert all(manifest == manifests[0] for manifest in manifests)
    _require_whole(tmp_path, manifests[0])


def test_how_many_files_the_parts_read_grows_as_their_number_does(tmp_path, monkeypatch):
    """After every part the progress of all parts was read."""

    def counting(path: Path) -> bytes:
        read.append(path.name)
        return read_bytes(path)

    read_bytes, found = Path.read_bytes, []
    for count in (10, 40):
        read: list[str] = []
        directory = tmp_path / str(count)
        client = Encord(units(count)).client()
        parts = plan_partitions(client, _order(MONDAY), directory, rows_per_partition=1, most=1000)
        assert len(parts) == count
        with monkeypatch.context() as patch:
            patch.setattr(Path, "read_bytes", counting)
            ended = [_part(directory, part, Encord(units(count)))[1] for part in parts]
        assert [manifest is not None for manifest in ended] == [False] * (count - 1) + [True]
        _require_whole(directory, ended[-1], count)
        found.append(sum(name.startswith("part-") for name in read) / count)
    assert found[1] == pytest.approx(found[0], rel=0.2)
    assert 0 < found[1] < 10


def test_a_part_takes_no_row_of_the_listing_that_comes_after_it(tmp_path):
    parts = _parts(tmp_path)
    plan = read_plan(directory_of(tmp_path))
    assert plan is not None
    read = [
        row for number in range(len(parts)) for row in rows_to_read(directory_of(tmp_path), plan, plan.parts[number], 0)
    ]
    assert [row.data_hash for row in read] == [unit.data_hash for unit in units(ROWS)]
    for skip in range(parts[1].rows + 1):
        assert rows_to_read(directory_of(tmp_path), plan, plan.parts[1], skip) == read[5 + skip : 10]


def test_the_shards_of_two_tries_that_both_finished_a_part_are_no_mismatch(tmp_path):
    """The joining task keeps both, as another one may have named the other try in its manifest."""
    parts = _parts(tmp_path)
    _part(tmp_path, parts[0])
    plan = read_plan(directory_of(tmp_path))
    assert plan is not None
    first = read_progress(directory_of(tmp_path), plan, 0)
    second = msgspec.structs.replace(first, shards=[_copied(tmp_path, shard) for shard in first.shards])
    write_progress(directory_of(tmp_path), 0, "fedcba98", second)
    manifest = [_part(tmp_path, part)[1] for part in parts[1:]][-1]
    extra = {path.name for path in tmp_path.iterdir()} - {MANIFEST, *manifest.file_names}
    assert extra in ({shard.name for shard in first.shards}, {shard.name for shard in second.shards})
    assert [*verify_files(tmp_path, manifest)] == []
    foreign = f"labels-fedcba98-00000-00000-fedcba98.{manifest.layout.format}"
    (tmp_path / foreign).write_bytes(b"{}\n")
    assert [mismatch.source for mismatch in verify_files(tmp_path, manifest)] == [foreign]


def _copied(directory: Path, shard: Shard) -> Shard:
    """The same shard as another try wrote it."""
    name = shard.name.rpartition("-")[0] + "-fedcba98.jsonl"
    (directory / name).write_bytes((directory / shard.name).read_bytes())
    return msgspec.structs.replace(shard, name=name)


def _leave(directory: Path, planned: Plan) -> list[str]:
    """What killed tries at this plan, and at one that it replaced, may leave late."""
    owners = [planned.id, *planned.replaces]
    assert len(owners) == 2
    left = [f"labels-{owner[:8]}-00000-00000-0123abcd.jsonl" for owner in owners]
    left += [f"part-{owners[1][:8]}-00000-0123abcd.json", f"listing-{owners[1][:8]}.jsonl.gz"]
    for name in left:
        (directory / name).write_bytes(b"{}\n")
    return left


@pytest.mark.parametrize("kind", ["whole", "in parts"])
def test_an_export_that_is_killed_while_it_removes_what_is_not_needed_is_tidied_by_the_next(
    tmp_path, kind, monkeypatch
):
    """It ended green, and verifying it failed for ever."""

    def run(directory: Path) -> Any:
        if kind == "whole":
            return _export(directory, MONDAY)
        return [_part(directory, part)[1] for part in _parts(directory)][-1]

    def die(path: Path, *_: Any, **__: Any) -> None:
        removed.append(path.name)
        if len(removed) > most:
            raise Killed
        unlink(path)

    unlink = Path.unlink
    for most in range(100):
        directory, removed = tmp_path / str(most), list[str]()
        plan_export(Encord(units(ROWS)).client(), _order(TUESDAY), directory)
        parts = _parts(directory)
        planned = read_plan(directory_of(directory))
        assert planned is not None
        left = _leave(directory, planned)
        for part in parts[:-1]:
            _part(directory, part)
        with monkeypatch.context() as patch, contextlib.suppress(Killed):
            patch.setattr(Path, "unlink", die)
            _part(directory, parts[-1])
        manifest = run(directory)
        assert manifest.plan_id == planned.id
        _require_whole(directory, manifest)
        if len(removed) <= most:
            assert {PLAN, *left} <= {*removed}
            return
    pytest.fail("it removes without end")


def _parts(directory: Path, run: str = MONDAY, rows: int = ROWS) -> list[Any]:
    client = Encord(units(rows)).client()
    return plan_partitions(client, _order(run), directory, rows_per_partition=5, most=1000)


def _part(directory: Path, partition: Any, server: Encord | None = None) -> Any:
    return export_partition((server or Encord(units(ROWS))).client(), partition, directory, READING)


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("number", range(4))
def test_a_part_that_is_retried_while_another_task_joins_reports_the_whole_export(tmp_path, number, at):
    """Fault 1.4."""
    parts = _parts(tmp_path)
    for part in parts:
        if part.number != number:
            _part(tmp_path, part)
    other: list[Any] = []
    slow = Interrupted(at, lambda: other.append(_part(tmp_path, parts[number])))
    progress, manifest = _part(tmp_path, parts[number], slow)
    assert manifest == other[0][1]
    assert sum(shard.rows for shard in progress.shards) == parts[number].rows
    _require_whole(tmp_path, manifest)


@pytest.mark.parametrize("new", ["planned", "whole"])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_part_of_an_old_plan_that_ends_after_a_new_plan_changes_nothing(tmp_path, at, new):
    """Fault 1.4."""
    parts = _parts(tmp_path)

    def begin() -> None:
        if new == "planned":
            plan_export(Encord(units(ROWS)).client(), _order(TUESDAY), tmp_path)
        else:
            _export(tmp_path, TUESDAY)

    with pytest.raises(InvalidArgumentError):
        _part(tmp_path, parts[0], Interrupted(at, begin))
    _require_whole(tmp_path, _export(tmp_path, TUESDAY))
    with pytest.raises(InvalidArgumentError, match="contains a different export"):
        _part(tmp_path, parts[1])


class Meeting(Encord):
    """Encord, which gives the last rows of each part at the same moment."""

    def __init__(self, together: threading.Barrier):
        super().__init__(units(ROWS))
        self._together = together

    def _rows(self, label_hashes: list[str]) -> bytes:
        answer = super()._rows(label_hashes)
        if len(self.reads) == 3:
            self._together.wait(timeout=30)
        return answer


@pytest.mark.parametrize("attempt", range(15))
def test_parts_that_end_together_all_succeed(tmp_path, attempt):
    """Fault 1.5: the later one failed permanently."""
    parts = _parts(tmp_path)
    together = threading.Barrier(len(parts))
    with concurrent.futures.ThreadPoolExecutor(len(parts)) as pool:
        ended = list(pool.map(lambda part: _part(tmp_path, part, Meeting(together)), parts))
    whole = [manifest for _, manifest in ended if manifest]
    assert whole
    _require_whole(tmp_path, whole[-1] if len(whole) == 1 else read_manifest(tmp_path))


def test_the_plan_of_a_try_that_was_killed_before_the_listing_was_written_is_replaced(tmp_path):
    directory_of(tmp_path).take("0123abcd-0000-4000-8000-000000000000", "of another export")
    (tmp_path / "listing-0123abcd.jsonl.gz.89abcdef.unfinished").write_bytes(b"half")
    _require_whole(tmp_path, _export(tmp_path, MONDAY))


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_a_plan_whose_listing_is_gone_is_made_again(tmp_path, harm):
    plan = plan_export(Encord(units(ROWS)).client(), _order(MONDAY), tmp_path)
    assert isinstance(plan, Plan)
    if harm == "missing":
        (tmp_path / plan.listing.name).unlink()
    else:
        (tmp_path / plan.listing.name).write_bytes(b"")
    _require_whole(tmp_path, _export(tmp_path, MONDAY))


def test_a_shard_that_a_progress_names_is_never_opened_again(tmp_path):
    """Fault 1.4."""
    with pytest.raises(Killed):
        _export(tmp_path, MONDAY, Encord(units(ROWS), fails_at=8, failure=Killed()))
    before = {name: hashlib.sha256((tmp_path / name).read_bytes()).digest() for name in names(tmp_path)}
    assert before
    manifest = _export(tmp_path, MONDAY)
    for name, digest in before.items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).digest() == digest
    assert {*before} <= {shard.name for shard in manifest.shards}


@pytest.mark.parametrize("changed", [{"layout": Layout(max_shard_bytes=301)}, {"logical_date": TUESDAY}])
def test_an_unfinished_plan_of_other_arguments_is_not_continued(tmp_path, changed):
    first = plan_export(Encord(units(ROWS)).client(), _order(MONDAY), tmp_path)
    spec = ExportSpec(
        **{"selection": QUESTION, "layout": Layout(max_shard_bytes=300), "logical_date": MONDAY, **changed}
    )
    second = plan_export(Encord(units(ROWS)).client(), spec, tmp_path)
    assert isinstance(first, Plan)
    assert isinstance(second, Plan)
    assert first.id != second.id
    assert [*second.replaces] == [first.id]


def test_an_export_of_version_0_1_0_is_replaced_with_all_its_files(tmp_path):
    manifest = export(Encord(units(3)).client(), QUESTION, tmp_path)
    text = (tmp_path / MANIFEST).read_text()
    for number, name in enumerate([*manifest.file_names]):
        old = f"labels-{number:05d}.jsonl" if name.startswith("labels") else "listing.jsonl.gz"
        (tmp_path / name).rename(tmp_path / old)
        text = text.replace(name, old)
    (tmp_path / MANIFEST).write_text(text)
    _require_whole(tmp_path, _export(tmp_path, MONDAY))
    assert not (tmp_path / PLAN).exists()
