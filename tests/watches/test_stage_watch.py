"""Which tasks a watch announces: by number, by time, again while they remain, and after any crash."""

from __future__ import annotations

import dataclasses
import datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.api.projects import Stage
from airflow_provider_encord.waits.questions import TasksInStage
from airflow_provider_encord.watches.batches import (
    BATCH_SIZE_REACHED,
    MAX_WAIT_ELAPSED,
    MOST_IN_BATCH,
    REMAINING,
    TaskBatch,
)
from airflow_provider_encord.watches.repeats import AssetEvent, without_repeats
from airflow_provider_encord.watches.stage_watch import REMEMBERED_SECONDS, StageMemory, StageRules, StageWatch

PROJECT = "11111111-1111-4111-8111-111111111111"
STAGE = Stage(uuid="22222222-2222-4222-8222-222222222222", title="Review", stage_type="ANNOTATION")
URI = f"encord://api.encord.com/projects/{PROJECT}/stages/{STAGE.uuid}"
RULES = StageRules(batch_size=3, max_wait_seconds=100, repeat_seconds=1000)


def watch(memory: StageMemory | None = None, **rules: float) -> StageWatch:
    return StageWatch(PROJECT, STAGE, msgspec.structs.replace(RULES, **rules), memory or StageMemory())


def stage_of(task_ids: list[str]) -> TasksInStage:
    return TasksInStage(task_ids=task_ids, all_listed=True)


def named(batches: list[TaskBatch]) -> list[tuple[str, list[str], int]]:
    return [(batch.reason, list(batch.task_ids or ()), batch.repeat) for batch in batches]


def test_tasks_are_announced_once_there_are_enough():
    watched = watch()
    assert named(watched.due(stage_of(["a", "b"]), 0)) == []
    assert named(watched.due(stage_of(["b", "c", "a"]), 10)) == [(BATCH_SIZE_REACHED, ["a", "b", "c"], 0)]
    assert named(watched.due(stage_of(["a", "b", "c"]), 20)) == []
    assert named(watched.due(stage_of(["a", "b", "c", "d", "e"]), 30)) == []
    assert named(watched.due(stage_of(["a", "b", "c", "d", "e", "f"]), 40)) == [
        (BATCH_SIZE_REACHED, ["d", "e", "f"], 0)
    ]


def test_few_tasks_are_announced_when_one_has_waited_long_enough():
    watched = watch()
    assert named(watched.due(stage_of(["a"]), 0)) == []
    assert named(watched.due(stage_of(["a", "b"]), 99.9)) == []
    assert named(watched.due(stage_of(["a", "b"]), 100)) == [(MAX_WAIT_ELAPSED, ["a", "b"], 0)]


def test_the_wait_of_a_task_ends_when_it_leaves():
    watched = watch()
    watched.due(stage_of(["a"]), 0)
    watched.due(stage_of([]), 50)
    assert watched.due(stage_of(["a"]), 60) == []
    assert watched.due(stage_of(["a"]), 120) == []
    assert named(watched.due(stage_of(["a"]), 160)) == [(MAX_WAIT_ELAPSED, ["a"], 0)]


def test_without_a_limit_few_tasks_wait_for_more():
    watched = watch(max_wait_seconds=None)
    assert watched.due(stage_of(["a"]), 0) == []
    assert watched.due(stage_of(["a"]), 10**9) == []


def test_tasks_that_remain_are_announced_again():
    watched = watch()
    (first,) = watched.due(stage_of(["a", "b", "c"]), 0)
    assert watched.due(stage_of(["a", "c"]), 999) == []
    (again,) = watched.due(stage_of(["a", "c"]), 1000)
    assert named([again]) == [(REMAINING, ["a", "c"], 1)]
    assert watched.due(stage_of(["a", "c"]), 1999) == []
    assert named(watched.due(stage_of(["a"]), 2000)) == [(REMAINING, ["a"], 2)]
    assert first.batch_id(URI) != again.batch_id(URI)


def test_what_remains_of_many_announcements_is_announced_together():
    watched = watch(batch_size=1)
    for number in range(4):
        watched.due(stage_of([f"{k}" for k in range(number + 1)]), number)
    assert named(watched.due(stage_of(["0", "1", "3"]), 1002)) == [(REMAINING, ["0", "1"], 1)]
    assert named(watched.due(stage_of(["0", "1", "3"]), 2003)) == [(REMAINING, ["3"], 1), (REMAINING, ["0", "1"], 2)]


def test_a_task_that_comes_back_is_new_but_its_batch_has_another_id():
    watched = watch(batch_size=1)
    (first,) = watched.due(stage_of(["a"]), 0)
    assert watched.due(stage_of([]), 10) == []
    (again,) = watched.due(stage_of(["a"]), 20)
    assert named([again]) == [(BATCH_SIZE_REACHED, ["a"], 1)]
    assert again.batch_id(URI) != first.batch_id(URI)
    watched.due(stage_of([]), 30)
    assert named(watched.due(stage_of(["a"]), 40)) == [(BATCH_SIZE_REACHED, ["a"], 2)]


def test_a_task_that_comes_back_is_announced_beside_the_new_ones():
    watched = watch(batch_size=1)
    watched.due(stage_of(["a"]), 0)
    watched.due(stage_of([]), 10)
    assert named(watched.due(stage_of(["a", "b"]), 20)) == [
        (BATCH_SIZE_REACHED, ["b"], 0),
        (BATCH_SIZE_REACHED, ["a"], 1),
    ]


def test_departed_tasks_are_forgotten_after_some_time():
    watched = watch(batch_size=1)
    watched.due(stage_of(["a"]), 0)
    watched.due(stage_of([]), REMEMBERED_SECONDS + 1)
    assert watched.memory.departed == []


def test_a_task_that_comes_back_is_no_repeat_however_long_tasks_are_not_announced_again():
    week = 7 * 24 * 3600.0
    watched = watch(batch_size=1, repeat_seconds=week)
    announced = watched.due(stage_of(["a"]), 0)
    watched.due(stage_of([]), REMEMBERED_SECONDS + 1)
    announced += watched.due(stage_of(["a"]), REMEMBERED_SECONDS + 2)
    events = [
        AssetEvent(datetime.datetime.fromisoformat(batch.announced_at), URI, batch.payload(URI, project_url=None))
        for batch in announced
    ]
    assert [event.payload["task_ids"] for event in without_repeats(events)] == [["a"], ["a"]]


def test_a_clock_that_was_ahead_delays_nothing():
    watched = watch()
    watched.due(stage_of(["a"]), 10**9)
    assert watched.due(stage_of(["a"]), 0) == []
    assert named(watched.due(stage_of(["a"]), 100)) == [(MAX_WAIT_ELAPSED, ["a"], 0)]
    watched = watch(batch_size=1)
    watched.due(stage_of(["a"]), 10**9)
    assert watched.due(stage_of(["a"]), 0) == []
    assert named(watched.due(stage_of(["a"]), 1000)) == [(REMAINING, ["a"], 1)]
    watched.due(stage_of([]), 1001)
    watched.due(stage_of([]), 1001 + REMEMBERED_SECONDS)
    assert watched.memory.departed == []


def test_many_tasks_make_several_batches():
    tasks = [f"{number:05}" for number in range(MOST_IN_BATCH + 7)]
    assert [batch.tasks for batch in watch().due(stage_of(tasks), 0)] == [MOST_IN_BATCH, 7]


def test_a_batch_id_depends_on_what_is_announced_and_for_which_asset():
    def id_of(uri: str = URI, **fields: object) -> str:
        batch = watch().due(stage_of(["a", "b", "c"]), 0)[0]
        return msgspec.structs.replace(batch, **fields).batch_id(uri)

    assert id_of() == id_of(announced_at="2027-01-01T00:00:00Z", reason="x", task_ids=["c", "a", "b"])
    assert len({id_of(), id_of(repeat=1), id_of(task_ids=["a"]), id_of(series="x"), id_of(URI + "0")}) == 5


@dataclasses.dataclass
class Step:
    """One poll, and what happens after it."""

    arrive: int
    leave: int
    seconds: float
    crash: str


STEPS = st.lists(
    st.builds(
        Step,
        arrive=st.integers(0, 4),
        leave=st.integers(0, 3),
        seconds=st.sampled_from([1, 30, 100, 1000]),
        crash=st.sampled_from(["", "", "before the events", "before the confirmation"]),
    ),
    max_size=30,
)


@given(STEPS)
def test_no_task_is_lost_and_repeats_have_the_same_id_whenever_it_crashes(steps: list[Step]) -> None:
    now, number, present, stored, received = 0.0, 0, [], StageMemory(), list[TaskBatch]()
    watched, crashes = watch(), 0
    for step in [*steps, Step(0, 0, 0, ""), Step(0, 0, 100, ""), Step(0, 0, 0, "")]:
        now += step.seconds
        present = present[step.leave :] + [f"{number + k:04}" for k in range(step.arrive)]
        number += step.arrive
        replanned = watched.planned(stage_of(present))
        due = replanned + watched.due(stage_of(present), now)
        stored = msgspec.json.decode(msgspec.json.encode(watched.memory), type=StageMemory)  # written ahead
        if step.crash != "before the events":
            received += due
        if step.crash:
            crashes += 1
            watched = watch(msgspec.json.decode(msgspec.json.encode(stored), type=StageMemory))
            continue
        watched.confirm(due)
        stored = msgspec.json.decode(msgspec.json.encode(watched.memory), type=StageMemory)
    assert set(present) <= {task for batch in received for task in batch.task_ids or ()}, "a task was never announced"
    by_id: dict[str, list[TaskBatch]] = {}
    for batch in received:
        by_id.setdefault(batch.batch_id(URI), []).append(batch)
    repeats = sum(len(batches) - 1 for batches in by_id.values())
    assert all(batches == [batches[0]] * len(batches) for batches in by_id.values()), "one id means one batch"
    assert crashes or not repeats
    seen: dict[str, int] = {}
    for batch in {batch_id: batches[0] for batch_id, batches in by_id.items()}.values():
        for task in batch.task_ids or ():
            assert seen.get(task, -1) < batch.repeat, "announced again only with a higher number"
            seen[task] = batch.repeat
