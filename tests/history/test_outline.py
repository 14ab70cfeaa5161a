"""What the page of all projects shows of an outline is what it would show of all days, whatever comes after it."""

from __future__ import annotations

import datetime
import itertools
import uuid
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_encord.history.compaction import compact
from airflow_provider_encord.history.reading import ProjectHistory, read_outlines, read_project
from airflow_provider_encord.history.records import (
    ActivityOfDay,
    ActivitySeen,
    Event,
    Fact,
    LabelsSeen,
    ProjectSeen,
    StageCount,
    StagesSeen,
    StageType,
    record_of,
)
from airflow_provider_encord.history.store import ProjectStore, new_name
from airflow_provider_encord.project_progress.progress import Glance, glance_of

PROJECT = str(uuid.UUID(int=7))
NOW = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
STAGES = ("annotate", "review", "complete")
MICROSECONDS = itertools.count()


def workflow(final: str = "complete") -> ProjectSeen:
    stages = [
        StageType(stage_id=stage, title=stage, stage_type="DONE" if stage == final else "REVIEW") for stage in STAGES
    ]
    return ProjectSeen(title="Streets", stages=stages)


def counts(*tasks: int, whole: bool = True) -> StagesSeen:
    found = zip(STAGES, tasks, strict=False)
    return StagesSeen(
        stages=[StageCount(stage_id=stage, title=stage, tasks=count) for stage, count in found], whole=whole
    )


def activity(ago: int, length: int, stage: str, submitted: int) -> ActivitySeen:
    start = (NOW - ago * DAY).date()
    one = ActivityOfDay(day=start.isoformat(), stage_id=stage, submitted=submitted, approved=0, rejected=0)
    end = (start + length * DAY).isoformat()
    return ActivitySeen(start=start.isoformat(), end=end, actions=True, time_spent=False, final=True, days=[one])


def add(root: Path, ago: float, fact: Fact) -> None:
    moment = NOW - ago * DAY + datetime.timedelta(microseconds=next(MICROSECONDS))
    ProjectStore(root, PROJECT).append([record_of(PROJECT, fact, moment)], new_name(moment))


def outlined(root: Path, now: datetime.datetime = NOW) -> ProjectHistory:
    ((project_id, _, history),) = read_outlines(root, now.date(), lambda *_: True)
    assert project_id == PROJECT
    assert history is not None
    return history


def glances(root: Path, now: datetime.datetime = NOW) -> tuple[Glance, Glance]:
    """Of the outline, and of all days."""
    return glance_of(outlined(root, now), now), glance_of(read_project(root, PROJECT), now)


SMALL = st.integers(0, 3)
FACTS = st.one_of(
    st.builds(counts, SMALL, SMALL, SMALL),
    st.builds(counts, SMALL, SMALL, SMALL),
    st.builds(lambda tasks: counts(tasks, whole=False), SMALL),
    st.builds(lambda done, rest: LabelsSeen(rows=done + rest, labelled=done), SMALL, SMALL),
    st.sampled_from([workflow(), workflow(), workflow(), workflow("review")]),
    st.builds(Event, event=st.just("gate"), outcome=st.sampled_from(["failed", "passed"])),
    st.builds(activity, st.integers(0, 400), st.integers(1, 40), st.sampled_from(STAGES), st.integers(0, 2)),
)
PAST = st.lists(st.tuples(st.integers(1, 400), FACTS), max_size=25)
NEWS = st.lists(st.tuples(st.one_of(st.integers(-40, 20), st.integers(-40, 400)), FACTS), max_size=6)


@settings(max_examples=150, deadline=None)
@given(past=PAST, latest=PAST.map(lambda facts: [(ago % 60 + 1, fact) for ago, fact in facts]), news=NEWS)
def test_an_outline_shows_what_all_days_show(
    tmp_path_factory: pytest.TempPathFactory,
    past: list[tuple[int, Fact]],
    latest: list[tuple[int, Fact]],
    news: list[tuple[int, Fact]],
) -> None:
    root = tmp_path_factory.mktemp("history")
    add(root, 401, workflow())
    for ago, fact in (*past, *latest):
        add(root, ago, fact)
    compact(ProjectStore(root, PROJECT), NOW)
    for now in (NOW, NOW + 45 * DAY):
        of_outline, of_all = glances(root, now)
        assert of_outline == of_all
        for ago, fact in news:
            add(root, ago, fact)


def test_most_of_a_long_past_is_not_in_an_outline(tmp_path: Path) -> None:
    add(tmp_path, 365, workflow())
    for ago in range(365, 0, -1):
        add(tmp_path, ago, counts(365 - ago, 5, ago))
    compact(ProjectStore(tmp_path, PROJECT), NOW)
    assert len(outlined(tmp_path).days.days) < 100
    add(tmp_path, 0, counts(1, 2, 3))
    assert len(outlined(tmp_path).days.days) < 101
    assert glances(tmp_path)[0] == glances(tmp_path)[1]


@pytest.mark.parametrize(
    ("ago", "fact"),
    [(300, counts(1, 1, 1)), (0, activity(200, 3, "review", 1)), (0, workflow("review"))],
    ids=["a count of a former day", "what people did on former days", "another final stage"],
)
def test_what_changes_former_days_is_shown_at_once(tmp_path: Path, ago: int, fact: Fact) -> None:
    add(tmp_path, 365, workflow())
    for one in range(365, 0, -1):
        add(tmp_path, one, counts(3, 5, 2))
    compact(ProjectStore(tmp_path, PROJECT), NOW)
    add(tmp_path, ago, fact)
    assert len(outlined(tmp_path).days.days) > 300
    assert glances(tmp_path)[0] == glances(tmp_path)[1]


@pytest.mark.parametrize(
    ("before", "after"),
    [((4, 4, 2), (0, 0, 10)), ((4, 4, 2), (4, 4, 3)), ((4, 6, 0), (3, 7, 0)), ((0, 5, 0), (2, 5, 0))],
    ids=["everything was done", "something was done", "a task left a stage", "a stage was empty"],
)
def test_an_outline_knows_since_when_nothing_has_changed(
    tmp_path: Path, before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    add(tmp_path, 365, workflow())
    for ago in range(365, 0, -1):
        add(tmp_path, ago, counts(*(before if ago > 200 else after)))
    compact(ProjectStore(tmp_path, PROJECT), NOW)
    of_outline, of_all = glances(tmp_path)
    assert of_outline == of_all
    assert len(outlined(tmp_path).days.days) < 100


def test_a_damaged_outline_is_not_used(tmp_path: Path) -> None:
    add(tmp_path, 365, workflow())
    for one in range(365, 0, -1):
        add(tmp_path, one, counts(3, 5, 2))
    compact(ProjectStore(tmp_path, PROJECT), NOW)
    (path,) = (tmp_path / PROJECT).glob("outline-*")
    path.write_bytes(path.read_bytes()[:-50])
    assert glances(tmp_path)[0] == glances(tmp_path)[1]


def test_what_is_known_is_not_read(tmp_path: Path) -> None:
    add(tmp_path, 1, counts(1, 2, 3))
    assert [history for *_, history in read_outlines(tmp_path, NOW.date(), lambda *_: False)] == [None]
