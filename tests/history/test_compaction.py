"""Files of a history: whatever is merged, by whom, and wherever a process dies, a reader sees each record once."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import uuid
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_encord.history.compaction import MOST_PAST_FILES, compact, is_due
from airflow_provider_encord.history.reading import read_project
from airflow_provider_encord.history.records import LabelsSeen, Record, StageCount, StagesSeen, record_of
from airflow_provider_encord.history.store import ProjectStore, every_project, new_name, once

PROJECT = str(uuid.UUID(int=7))
NOW = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


class KilledError(Exception):
    """The process ends here."""


class DyingStore(ProjectStore):
    """A store whose process dies before its nth change of a file."""

    def __init__(self, root: Path, changes: int):
        super().__init__(root, PROJECT)
        self._left = changes

    def _change(self) -> None:
        if self._left == 0:
            raise KilledError
        self._left -= 1

    def write(self, name: str, content: bytes) -> None:
        self._change()
        super().write(name, content)

    def remove(self, name: str) -> None:
        self._change()
        super().remove(name)


def labels(hours_ago: float, labelled: int = 1) -> Record:
    return record_of(PROJECT, LabelsSeen(rows=100, labelled=labelled), NOW - hours_ago * HOUR)


def filled(root: Path, hours: list[float]) -> list[Record]:
    """A history in which each record is what another task wrote."""
    store, written = ProjectStore(root, PROJECT), []
    for ago in hours:
        record = labels(ago)
        store.append([record], new_name(NOW - ago * HOUR))
        written.append(record)
    return once(written)


def everything(root: Path) -> list[Record]:
    store = ProjectStore(root, PROJECT)
    names = store.names()
    contents = [store.records(name) for name in (*names.months, *names.new)]
    return once(record for content in contents if content for record in content.records)


HOURS = [1.0, 2.0, 30.0, 31.0, 50.0, 400.0, 800.0, 1600.0]


def test_past_days_become_a_file_for_each_month_and_today_stays(tmp_path: Path) -> None:
    written = filled(tmp_path, HOURS)
    done = compact(ProjectStore(tmp_path, PROJECT), NOW)
    names = ProjectStore(tmp_path, PROJECT).names()
    assert (done.merged, done.kept) == (6, 0)
    assert [name[:13] for name in names.months] == ["month-2026-09", "month-2026-10", "month-2026-11"]
    assert len(names.new) == 2
    assert (len(names.summaries), len(names.outlines)) == (1, 1)
    assert everything(tmp_path) == written


def test_compacting_again_changes_no_byte(tmp_path: Path) -> None:
    filled(tmp_path, HOURS)
    compact(ProjectStore(tmp_path, PROJECT), NOW)
    files = {path.name: path.read_bytes() for path in (tmp_path / PROJECT).iterdir()}
    assert compact(ProjectStore(tmp_path, PROJECT), NOW).merged == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / PROJECT).iterdir()} == files


@pytest.mark.parametrize("changes", range(13))
def test_a_process_that_dies_anywhere_loses_and_doubles_nothing(tmp_path: Path, changes: int) -> None:
    written = filled(tmp_path, HOURS)
    whole = read_project(tmp_path, PROJECT).days
    with contextlib.suppress(KilledError):
        compact(DyingStore(tmp_path, changes), NOW)
    assert everything(tmp_path) == written
    assert read_project(tmp_path, PROJECT).days == whole
    compact(ProjectStore(tmp_path, PROJECT), NOW)
    assert everything(tmp_path) == written
    assert read_project(tmp_path, PROJECT).days == whole


class PausingStore(ProjectStore):
    """A store that lets another compaction run before its nth change."""

    def __init__(self, root: Path, changes: int):
        super().__init__(root, PROJECT)
        self._root, self._left = root, changes

    def _change(self) -> None:
        if self._left == 0:
            filled(self._root, [26.0, 90.0])
            compact(ProjectStore(self._root, PROJECT), NOW)
        self._left -= 1

    def write(self, name: str, content: bytes) -> None:
        self._change()
        super().write(name, content)

    def remove(self, name: str) -> None:
        self._change()
        super().remove(name)


@pytest.mark.parametrize("changes", range(13))
def test_two_at_once_lose_nothing(tmp_path: Path, changes: int) -> None:
    written = filled(tmp_path, HOURS)
    compact(PausingStore(tmp_path, changes), NOW)
    found = everything(tmp_path)
    assert {record.id for record in written} <= {record.id for record in found}
    assert len(found) in (len(written), len(written) + 2)
    compact(ProjectStore(tmp_path, PROJECT), NOW)
    assert everything(tmp_path) == found
    assert len(ProjectStore(tmp_path, PROJECT).names().months) == 3


@settings(max_examples=25, deadline=None)
@given(
    batches=st.lists(st.lists(st.integers(0, 2000), max_size=6), min_size=1, max_size=4),
    days=st.lists(st.integers(0, 3), min_size=4, max_size=4),
)
def test_the_days_are_the_same_whenever_files_were_merged(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]], days: list[int]
) -> None:
    merged, plain = tmp_path_factory.mktemp("merged"), tmp_path_factory.mktemp("plain")
    counter = itertools.count()
    for batch, day in zip(batches, days, strict=False):
        for hours in batch:
            stage = StageCount(stage_id=f"stage {hours % 3}", title="A stage", tasks=hours)
            moment = NOW - hours * HOUR + datetime.timedelta(microseconds=next(counter))
            record = record_of(PROJECT, StagesSeen(stages=[stage], whole=hours % 2 == 0), moment)
            for root in (merged, plain):
                ProjectStore(root, PROJECT).append([record], new_name(moment))
        compact(ProjectStore(merged, PROJECT), NOW - day * 24 * HOUR)
    one, other = read_project(merged, PROJECT).days, read_project(plain, PROJECT).days
    assert _by_id(one.days, one.stage_ids) == _by_id(other.days, other.stage_ids)


def _by_id(days: object, ids: list[str]) -> object:
    assert isinstance(days, dict)
    return {
        name: (
            {ids[number]: (at.at, at.tasks) for number, at in day.stages.items()},
            day.all_stages and {ids[number]: tasks for number, tasks in day.all_stages.tasks.items()},
        )
        for name, day in days.items()
    }


def test_a_file_with_a_line_that_cannot_be_read_stays_and_is_reported(tmp_path: Path) -> None:
    filled(tmp_path, HOURS)
    directory = tmp_path / PROJECT
    newer = b'{"schema_version":"2.0","id":"x","what":"comes"}\n'
    (directory / new_name(NOW - 48 * HOUR, "aa")).write_bytes(b"no json\n" + newer)
    (directory / "notes.txt").write_text("of a person")
    assert compact(ProjectStore(tmp_path, PROJECT), NOW).kept == 1
    problems = read_project(tmp_path, PROJECT).problems
    assert (problems.wrong, problems.newer, problems.files) == (1, 1, 0)
    assert "line 1: it is not a record" in problems.examples[0]
    assert "schema version '2.0'" in problems.examples[1]
    assert (directory / "notes.txt").read_text() == "of a person"


def test_a_damaged_summary_is_not_used(tmp_path: Path) -> None:
    filled(tmp_path, HOURS)
    whole = read_project(tmp_path, PROJECT).days
    compact(ProjectStore(tmp_path, PROJECT), NOW)
    for path in (tmp_path / PROJECT).glob("summary-*"):
        path.write_bytes(b"{")
    assert read_project(tmp_path, PROJECT).days == whole


def test_a_task_compacts_only_if_many_files_of_past_days_are_there(tmp_path: Path) -> None:
    filled(tmp_path, [1.0] * 20 + [30.0] * MOST_PAST_FILES)
    names = ProjectStore(tmp_path, PROJECT).names()
    assert not is_due(names, "2026-11-30")
    assert is_due(names, "2026-12-01")


def test_the_first_task_after_an_upgrade_writes_the_outline_that_an_earlier_version_did_not(tmp_path: Path) -> None:
    filled(tmp_path, HOURS)
    store = ProjectStore(tmp_path, PROJECT)
    compact(store, NOW)
    (outline,) = store.names().outlines
    store.remove(outline)
    assert is_due(store.names(), NOW.date().isoformat())
    compact(store, NOW)
    assert store.names().outlines == (outline,)
    assert not is_due(store.names(), NOW.date().isoformat())


def test_a_month_that_cannot_be_summarised_is_not_tried_again_by_each_task(tmp_path: Path) -> None:
    filled(tmp_path, HOURS)
    store = ProjectStore(tmp_path, PROJECT)
    compact(store, NOW)
    month = tmp_path / PROJECT / store.names().months[0]
    damaged = month.read_bytes() + b"nonsense\n"
    month.unlink()
    store.write(month.name, damaged)
    for name in (*store.names().summaries, *store.names().outlines):
        store.remove(name)
    compact(store, NOW)
    assert (store.names().summaries, store.names().outlines) == ((), ())
    assert not is_due(store.names(), NOW.date().isoformat())


def test_only_directories_of_projects_are_projects(tmp_path: Path) -> None:
    filled(tmp_path, [1.0])
    (tmp_path / "lost+found").mkdir()
    (tmp_path / str(uuid.UUID(int=8))).write_text("a file")
    names = ProjectStore(tmp_path, PROJECT).names()
    assert list(every_project(tmp_path)) == [(PROJECT, names)]
    assert list(every_project(tmp_path / "missing")) == []
