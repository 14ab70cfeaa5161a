"""Which edits of label rows a watch announces: once, in any order of polls, and after a crash."""

from __future__ import annotations

import datetime
import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.api.label_row_stamps import LabelRowStamp
from airflow_provider_encord.watches.batches import BATCH_SIZE_REACHED, MAX_WAIT_ELAPSED, MOST_IN_BATCH, LabelBatch
from airflow_provider_encord.watches.edits_watch import LOOKBACK_SECONDS, EditsMemory, EditsRules, EditsWatch

PROJECT = "11111111-1111-4111-8111-111111111111"
URI = f"encord://api.encord.com/projects/{PROJECT}/branches/main/labels"
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
RULES = EditsRules(branch="main", batch_size=2, max_wait_seconds=100)


def at(seconds: float) -> str:
    return (START + datetime.timedelta(seconds=seconds)).isoformat()


def row(name: str, seconds: float, **fields: str) -> LabelRowStamp:
    return LabelRowStamp(**{"data_hash": f"data-{name}", "label_hash": name, "last_edited_at": at(seconds), **fields})


def watch(**rules: float) -> EditsWatch:
    return EditsWatch(PROJECT, msgspec.structs.replace(RULES, **rules), EditsMemory(edited_after=at(0)))


def now(seconds: float) -> float:
    return START.timestamp() + seconds


def named(batches: list[LabelBatch]) -> list[tuple[str, list[str]]]:
    return [(batch.reason, [edited.label_hash for edited in batch.label_rows]) for batch in batches]


def test_edits_are_announced_once_there_are_enough_and_only_once():
    watched = watch()
    assert watched.due([row("a", 10)], now(11)) == []
    assert named(watched.due([row("b", 20), row("a", 10)], now(21))) == [(BATCH_SIZE_REACHED, ["a", "b"])]
    assert watched.due([row("b", 20), row("a", 10)], now(500)) == []


def test_a_row_that_is_edited_again_is_announced_again():
    watched = watch(batch_size=1)
    (first,) = watched.due([row("a", 10)], now(11))
    (again,) = watched.due([row("a", 30)], now(31))
    assert first.batch_id(URI) != again.batch_id(URI)


def test_one_edit_is_announced_after_the_longest_wait():
    watched = watch()
    assert watched.due([row("a", 10)], now(11)) == []
    assert watched.due([row("a", 60)], now(61)) == [], "edited again, but the wait goes on"
    assert named(watched.due([row("a", 60)], now(111))) == [(MAX_WAIT_ELAPSED, ["a"])]


def test_a_clock_that_was_ahead_delays_nothing():
    watched = watch()
    watched.due([row("a", 10)], now(10**8))
    assert watched.due([row("a", 10)], now(11)) == []
    assert named(watched.due([row("a", 10)], now(111))) == [(MAX_WAIT_ELAPSED, ["a"])]


def test_edits_at_the_start_on_other_branches_and_without_labels_do_not_count():
    watched = watch(batch_size=1)
    rows = [row("a", 0), row("b", 1, branch_name="draft"), LabelRowStamp(data_hash="c", label_hash=None)]
    assert watched.due(rows, now(2)) == []


def test_an_edit_that_appears_late_is_announced():
    watched = watch(batch_size=1)
    watched.due([row("a", 1000)], now(1001))
    late = row("b", 1000 - LOOKBACK_SECONDS + 1)
    assert named(watched.due([row("a", 1000), late], now(1010))) == [(BATCH_SIZE_REACHED, ["b"])]


def test_an_edit_whose_time_cannot_be_read_is_announced_once_and_hides_no_other():
    watched = watch(batch_size=1)
    odd = LabelRowStamp(data_hash="data-b", label_hash="b", last_edited_at="soon")
    assert named(watched.due([odd, row("a", 10)], now(11))) == [(BATCH_SIZE_REACHED, ["a", "b"])]
    assert watched.due([odd, row("a", 10)], now(12)) == []
    assert named(watched.due([odd, row("c", 2000)], now(2001))) == [(BATCH_SIZE_REACHED, ["c"])]


def test_an_edit_in_the_future_does_not_hide_others():
    watched = watch(batch_size=1)
    watched.due([row("a", 10_000)], now(10))
    assert named(watched.due([row("a", 10_000), row("b", 20)], now(21))) == [(BATCH_SIZE_REACHED, ["b"])]


def test_what_is_remembered_does_not_grow():
    watched = watch(batch_size=1)
    for number in range(100):
        watched.due([row(f"row-{number}", 60 * number + 1)], now(60 * number + 2))
    assert len(watched.memory.announced) <= LOOKBACK_SECONDS / 60 + 1


def test_many_rows_make_several_batches():
    rows = [row(f"{number:05}", 1) for number in range(MOST_IN_BATCH + 1)]
    assert [len(batch.label_rows) for batch in watch().due(rows, now(2))] == [MOST_IN_BATCH, 1]


EDITS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from([1, 50, 400]), st.booleans(), st.booleans()), max_size=40)


@given(EDITS)
def test_every_last_edit_is_announced_whenever_it_crashes(edits: list[tuple[int, int, bool, bool]]) -> None:
    watched, seconds, latest = watch(), 0, dict[str, int]()
    received: set[tuple[str, str | None]] = set()

    def poll(*, stored: bool) -> None:
        nonlocal watched
        after = datetime.datetime.fromisoformat(watched.memory.edited_after)
        listed = [
            row(name, edited) for name, edited in latest.items() if datetime.datetime.fromisoformat(at(edited)) > after
        ]
        batches = watched.planned([]) + watched.due(listed, now(seconds))
        memory = msgspec.json.decode(msgspec.json.encode(watched.memory), type=EditsMemory)
        if not stored:  # killed after the memory was written, before the events were stored
            watched = EditsWatch(PROJECT, RULES, memory)
            return
        received.update((edited.label_hash, edited.last_edited_at) for batch in batches for edited in batch.label_rows)
        watched.confirm(batches)

    for name, pause, polled, killed in edits:
        seconds += pause
        latest[f"row-{name}"] = seconds
        if polled:
            poll(stored=not killed)
    for _ in range(2):
        seconds += 200
        poll(stored=True)
    assert {(name, at(edited)) for name, edited in latest.items()} <= received


def test_the_largest_payload_fits_into_the_text_that_mysql_stores():
    name = "11111111-1111-4111-8111-1111111{:05}"
    rows = [row(name.format(number), 1, data_hash=name.format(number)) for number in range(MOST_IN_BATCH)]
    (batch,) = watch().due(rows, now(2))
    assert len(json.dumps(batch.payload(URI, project_url="https://app.encord.com/" + "x" * 100))) < 50_000
