"""Which events deliveries lead to, given what the asset announced before."""

from __future__ import annotations

import datetime
import itertools
import json
from collections.abc import Sequence
from typing import Any

from airflow_provider_encord.client.api.projects import Stage
from airflow_provider_encord.waits.questions import TasksInStage
from airflow_provider_encord.watches.batches import MOST_IN_BATCH
from airflow_provider_encord.watches.repeats import AssetEvent, without_repeats
from airflow_provider_encord.watches.stage_watch import StageMemory, StageRules, StageWatch
from airflow_provider_encord.webhook.announcing import NOTHING_LOOKED_UP, REPEAT_SECONDS, Found, Target, payloads
from airflow_provider_encord.webhook.deliveries import Delivery, read_delivery
from airflow_provider_encord.webhook.history import DELIVERIES, AssetHistory
from airflow_provider_encord.webhook.intake import MOST_IN_EVENT
from tests.webhook.signed import PROJECT, STAGE, body_of, labels, work

STAGE_URI = f"encord://api.encord.com/projects/{PROJECT}/stages/{STAGE}"
OF_STAGE = Target(asset_uri=STAGE_URI, project_id=PROJECT, stage_id=STAGE, project_url=None)
OF_LABELS = Target(asset_uri="encord://api.encord.com/x", project_id=PROJECT, stage_id=None, project_url=None)


class Asset:
    """An asset whose events are stored."""

    def __init__(self) -> None:
        self.history = AssetHistory(600)
        self._numbers = itertools.count(1)

    def announce(
        self, found: Found, now: float, *envelopes: dict[str, Any], target: Target = OF_STAGE
    ) -> list[dict[str, Any]]:
        deliveries = [delivery(envelope) for envelope in envelopes or [work()]]
        stored = list(payloads(target, deliveries, found, self.history, now))
        for payload in stored:
            keys = {one.digest: one.uid for one in deliveries}
            self.history.add(next(self._numbers), now, {"payload": payload, DELIVERIES: keys})
        return stored


def delivery(envelope: dict[str, Any]) -> Delivery:
    read = read_delivery(body_of(envelope), f"digest of {envelope['uid']}", 0.0)
    assert isinstance(read, Delivery)
    return read


def tasks(*names: str) -> Found:
    return Found(stage="Pre-label", task_ids=names)


def named(announced: Sequence[dict[str, Any]]) -> list[tuple[list[str], int]]:
    return [(payload["task_ids"], payload["repeat"]) for payload in announced]


def test_without_a_lookup_each_announcement_is_an_event_of_its_own() -> None:
    asset = Asset()
    first, second = (asset.announce(NOTHING_LOOKED_UP, now) for now in (0.0, 300.0))
    assert (first[0]["task_ids"], first[0]["tasks"], first[0]["kind"]) == (None, 3, "tasks")
    assert first[0]["batch_id"] != second[0]["batch_id"]


def test_tasks_that_were_announced_are_not_announced_again_in_the_next_cycle() -> None:
    asset = Asset()
    assert named(asset.announce(tasks("a", "b"), 0.0)) == [(["a", "b"], 0)]
    assert asset.announce(tasks("a", "b"), 300.0) == []
    assert named(asset.announce(tasks("a", "b", "c"), 600.0)) == [(["c"], 0)]


def test_tasks_that_remain_are_announced_again_later() -> None:
    asset = Asset()
    (first,) = asset.announce(tasks("a", "b"), 0.0)
    (again,) = asset.announce(tasks("b"), REPEAT_SECONDS)
    assert (again["task_ids"], again["repeat"], again["reason"]) == (["b"], 1, "remaining")
    assert again["batch_id"] != first["batch_id"]


def test_a_task_that_left_and_came_back_is_announced_with_another_batch_id() -> None:
    asset = Asset()
    (first,) = asset.announce(tasks("a"), 0.0)
    assert asset.announce(tasks(), 300.0) == []
    (back,) = asset.announce(tasks("a"), 600.0)
    assert (back["task_ids"], back["repeat"]) == (["a"], 1)
    assert back["batch_id"] != first["batch_id"]


def test_the_batch_is_the_one_that_a_watcher_announces() -> None:
    rules = StageRules(batch_size=1, max_wait_seconds=None, repeat_seconds=60)
    stage = Stage(stage_type="AGENT", uuid=STAGE, title="Pre-label")
    (batch,) = StageWatch(PROJECT, stage, rules, StageMemory()).due(
        TasksInStage(task_ids=["a", "b"], all_listed=True), 5.0
    )
    (payload,) = Asset().announce(tasks("a", "b"), 9.0)
    watched = batch.payload(STAGE_URI, project_url=None)
    differing = ("announced_at", "repeat_seconds")
    assert {**payload, **dict.fromkeys(differing)} == {**watched, **dict.fromkeys(differing)}


def test_what_a_watcher_announced_is_not_announced_again() -> None:
    asset = Asset()
    (payload,) = Asset().announce(tasks("a", "b"), 0.0)
    asset.history.add(1, 0.0, {"from_trigger": True, "payload": payload})
    assert asset.announce(tasks("a", "b"), 10.0) == []


def test_events_of_others_are_no_trouble() -> None:
    asset, (ours,) = Asset(), Asset().announce(tasks("a"), 0.0)
    wrong = [None, [], {"kind": "tasks"}, ours | {"task_ids": [["a"]]}, ours | {"repeat": "often"}]
    wrong += [ours | {"repeat": float("inf")}, ours | {"repeat_seconds": None}]
    for number, extra in enumerate([{}, {DELIVERIES: []}, *({"payload": one} for one in wrong)], start=1):
        asset.history.add(number, 0.0, extra)
    assert named(asset.announce(tasks("a"), 0.0)) == [(["a"], 0)]


def test_a_delivery_is_known_by_its_signature_and_by_its_uid() -> None:
    asset, envelope = Asset(), work()
    assert not asset.history.knows(delivery(envelope))
    asset.announce(tasks("a"), 0.0, envelope)
    assert asset.history.knows(delivery(envelope))
    assert asset.history.knows(read_delivery(body_of(envelope), "another digest", 0.0))  # type: ignore[arg-type]
    assert not asset.history.knows(delivery(work()))


def test_rows_that_were_submitted_at_once_become_one_event_for_each_kind() -> None:
    envelopes = [
        labels(data_hashes=["d1"], label_hashes=["l1"]),
        labels("task_completed_event", data_hashes=["d2"], label_hashes=["l2"]),
        labels(data_hashes=["d3"], label_hashes=["l3"]),
        labels(data_hashes=["d1"], label_hashes=["l1"]),
    ]
    found = Found(edited_at={"l1": "2026-11-29T10:00:00"})
    submitted, completed = Asset().announce(found, 0.0, *envelopes, target=OF_LABELS)
    assert (submitted["reason"], completed["reason"]) == ("task_submitted", "task_completed")
    assert submitted["label_rows"] == [
        {"label_hash": "l1", "data_hash": "d1", "last_edited_at": "2026-11-29T10:00:00"},
        {"label_hash": "l3", "data_hash": "d3", "last_edited_at": None},
    ]


def test_the_same_edit_has_one_batch_id_and_a_completion_has_its_own() -> None:
    found = Found(edited_at={"label-1": "2026-11-29T10:00:00"})
    ids = [
        Asset().announce(found, 0.0, labels(event), target=OF_LABELS)[0]["batch_id"]
        for event in ("task_submitted_event", "task_submitted_event", "task_completed_event", "task_completed_event")
    ]
    assert len(set(ids)) == 3
    assert ids[0] == ids[1]


def test_submissions_without_edit_times_have_different_batch_ids() -> None:
    ids = [Asset().announce(NOTHING_LOOKED_UP, 0.0, labels(), target=OF_LABELS)[0]["batch_id"] for _ in range(2)]
    assert ids[0] != ids[1]


def test_many_tasks_are_divided() -> None:
    announced = Asset().announce(tasks(*map(str, range(2 * MOST_IN_BATCH + 7))), 0.0)
    assert [payload["tasks"] for payload in announced] == [MOST_IN_BATCH, MOST_IN_BATCH, 7]


def test_the_largest_event_fits_into_the_text_that_mysql_stores() -> None:
    hashes = [f"{number:040}" for number in range(MOST_IN_BATCH)]
    envelopes = [
        {**labels(data_hashes=hashes, label_hashes=hashes), "uid": f"{number:040}"} for number in range(MOST_IN_EVENT)
    ]
    found = Found(edited_at=dict.fromkeys(hashes, "2026-11-29T10:00:00.000001+00:00"))
    (payload,) = Asset().announce(found, 0.0, *envelopes, target=OF_LABELS)
    keys = {f"{number:032}": envelope["uid"] for number, envelope in enumerate(envelopes)}
    assert len(json.dumps({"from_trigger": False, "payload": payload, DELIVERIES: keys})) < 64_000


def consumed(*announced: dict[str, Any]) -> list[dict[str, Any]]:
    """What a DAG gets of the payloads of one asset."""
    now = datetime.datetime(2026, 11, 29, tzinfo=datetime.UTC)
    return [dict(event.payload) for event in without_repeats(AssetEvent(now, "uri", one) for one in announced)]


def test_a_dag_gets_a_submission_once_and_the_completion_of_the_same_edit() -> None:
    found = Found(edited_at={"label-1": "2026-11-29T10:00:00"})
    submitted, again, completed = (
        Asset().announce(found, 0.0, labels(event), target=OF_LABELS)[0]
        for event in ("task_submitted_event", "task_submitted_event", "task_completed_event")
    )
    assert consumed(submitted, again, completed) == [submitted, completed]


def test_a_dag_gets_submissions_whose_edit_times_are_not_known() -> None:
    both = [Asset().announce(NOTHING_LOOKED_UP, 0.0, labels(), target=OF_LABELS)[0] for _ in range(2)]
    assert consumed(*both) == both


def test_a_dag_gets_tasks_that_remain_and_tasks_that_came_back() -> None:
    asset = Asset()
    announced = [
        *asset.announce(tasks("a", "b"), 0.0),
        *asset.announce(tasks("a"), 300.0),
        *asset.announce(tasks("a", "b"), 600.0),
        *asset.announce(tasks("a"), REPEAT_SECONDS),
    ]
    assert [payload["task_ids"] for payload in consumed(*announced)] == [["a", "b"], ["b"], ["a"]]
