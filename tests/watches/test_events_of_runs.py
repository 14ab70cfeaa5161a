"""What the functions of `events` return to a task, whatever events its run got."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from typing import Any

import pytest

from airflow_provider_encord import events
from airflow_provider_encord.assets import stage_uri
from tests.airflow_layer.lines import running_line
from tests.watches.test_repeats import START, edits, tasks

pytestmark = pytest.mark.skipif(running_line() == "2.11", reason="Airflow 2.11 has no asset events")
URI = stage_uri("api.encord.com", "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")


@dataclasses.dataclass(frozen=True)
class Event:
    """What Airflow says of a stored event."""

    timestamp: datetime.datetime
    extra: dict[str, Any]
    uri: str = URI

    @property
    def asset(self) -> Any:
        from airflow.sdk import Asset

        return Asset(name=self.uri, uri=self.uri)


def event(payload: Any, seconds: float = 0) -> Event:
    return Event(START + datetime.timedelta(seconds=seconds), {"from_trigger": True, "payload": payload})


def context_of(started: Sequence[Event], stored: Sequence[Event]) -> Any:
    """The context of a task in a run that `started` began, with the asset among its inlets."""
    from airflow.sdk import Asset

    return {
        "triggering_asset_events": {Asset(name=URI, uri=URI): started},
        "inlet_events": {Asset.ref(uri=URI): stored},
    }


GOOD = dict(tasks(0, "a").payload)
GOOD_EDITS = dict(edits(0, a="1").payload)
FOREIGN = [
    None,
    "tasks",
    ["tasks"],
    {"kind": "tasks"},
    {"kind": "tasks", "batch_id": "x"},
    {"kind": "labels", "batch_id": "x"},
    {"kind": ["tasks"], "batch_id": "x"},
    GOOD | {"batch_id": ["x"]},
    GOOD | {"task_ids": "abc"},
    GOOD | {"task_ids": [["a"]]},
    GOOD | {"task_ids": [None]},
    GOOD | {"repeat": "often"},
    GOOD | {"repeat": None},
    GOOD | {"repeat_seconds": "long"},
    GOOD | {"announced_at": "yesterday"},
    GOOD | {"announced_at": "2026-01-01T00:00:00"},
    GOOD | {"announced_at": 5},
    GOOD | {"project_id": None},
    GOOD | {"stage_id": ["s"]},
    GOOD_EDITS | {"label_rows": None},
    GOOD_EDITS | {"label_rows": ["a"]},
    GOOD_EDITS | {"label_rows": [{"label_hash": ["a"], "last_edited_at": "1"}]},
    GOOD_EDITS | {"label_rows": [{"label_hash": "a", "last_edited_at": {}}]},
    GOOD_EDITS | {"branch": None},
]


@pytest.mark.parametrize("payload", FOREIGN, ids=range(len(FOREIGN)))
def test_events_that_are_not_ours_are_left_out_wherever_they_are(payload: Any) -> None:
    foreign = event(payload, 5), event(payload, 10)
    ours = event(dict(tasks(20, "a", "b").payload), 20)
    context = context_of([foreign[1], ours], [*foreign, ours])
    assert events.received(context) == [ours.extra["payload"]]
    assert [batch["task_ids"] for batch in events.task_batches(context)] == [["a", "b"]]
    assert events.label_batches(context) == []


def test_an_edit_without_a_time_is_ours() -> None:
    given = event(GOOD_EDITS | {"label_rows": [{"label_hash": "a"}]})
    assert events.label_batches(context_of([given], [given]))[0]["label_hashes"] == ["a"]


@pytest.mark.parametrize("seconds", [1e11, 1e300, float("inf")])
def test_tasks_that_are_never_announced_again_can_be_read(seconds: float) -> None:
    given = [
        event(dict(tasks(number, "a", series=str(number)).payload) | {"repeat_seconds": seconds}, number)
        for number in range(2)
    ]
    assert [payload["task_ids"] for payload in events.received(context_of(given, given))] == [["a"]]


def test_events_of_one_moment_are_all_received() -> None:
    given = [event(dict(tasks(0, name).payload)) for name in "ab"]
    assert [payload["task_ids"] for payload in events.received(context_of(given, given))] == [["a"], ["b"]]


def test_an_announcement_without_label_rows_is_received() -> None:
    given = event(dict(edits(0).payload))
    assert [payload["rows"] for payload in events.received(context_of([given], [given]))] == [0]
