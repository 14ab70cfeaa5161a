"""Labels are joined frame by frame: ranges against sets of frames, and what is true of an object on some frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.prelabels.frame_ranges import covers, overlap, subtract, union
from airflow_provider_encord.prelabels.labels import Labels, substance
from airflow_provider_encord.prelabels.merging import merge

RANGES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 6)).map(lambda it: [it[0], sum(it)]), min_size=1)


def frames_of(ranges: Iterable[list[int]]) -> set[int]:
    return {frame for first, last in ranges for frame in range(first, last + 1)}


@given(RANGES, RANGES)
def test_ranges_are_sets_of_frames(first: list[list[int]], second: list[list[int]]) -> None:
    one, other = frames_of(first), frames_of(second)
    assert frames_of(union(first, second)) == one | other
    assert frames_of(subtract(first, second)) == one - other
    assert overlap(first, second) == bool(one & other)
    assert covers(first, second) == (other <= one)


@given(RANGES, RANGES)
def test_a_union_has_one_form(first: list[list[int]], second: list[list[int]]) -> None:
    assert union(first, second) == union(second, first) == union(union(first, second), second)


def track(frames: range, *actions: dict[str, Any]) -> Labels:
    return Labels(
        objects={frame: [{"objectHash": "h", "featureHash": "car"}] for frame in frames},
        object_answers={"h": {"objectHash": "h", "classifications": []}},
        object_actions={"h": {"objectHash": "h", "actions": list(actions)}},
    )


def action(answer: str, *ranges: list[int]) -> dict[str, Any]:
    return {"featureHash": "speed", "answers": answer, "range": list(ranges)}


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (track(range(5, 8), action("slow", [5, 7])), [action("fast", [0, 4]), action("slow", [5, 7])]),
        (track(range(5), action("slow", [2, 3])), [action("fast", [0, 1], [4, 4]), action("slow", [2, 3])]),
        (track(range(5), action("slow", [0, 4])), [action("slow", [0, 4])]),
        (track(range(5, 8)), [action("fast", [0, 4])]),
    ],
)
def test_what_is_true_of_an_object_on_some_frames_is_joined(added: Labels, expected: Any) -> None:
    there = track(range(5), action("fast", [0, 4]))
    merged = merge(there, added, {"h"})
    assert merged.labels.object_actions["h"]["actions"] == expected
    assert set(merged.labels.objects) == {*there.objects, *added.objects}
    again = merge(merged.labels, added, {"h"})
    assert substance(again.labels) == substance(merged.labels)


def test_an_object_that_is_not_ours_gets_no_other_actions() -> None:
    there, added = track(range(5), action("fast", [0, 4])), track(range(5, 8), action("slow", [5, 7]))
    merged = merge(there, added, ())
    assert merged.kept == {"h"}
    assert substance(merged.labels) == substance(there)
