"""Webhooks of the emulator: what is announced when, who accepts the signature, and what happens if it is not taken."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from encord_emulator.process import Emulator, EmulatorError
from tests.emulator.receivers import Receiver, receiving

SECRET = "a secret of the test"
OWNER = "owner@example.com"
STAGES = [
    {"stageType": "AGENT", "title": "Pre-label", "pathways": [{"title": "on", "to": "Annotate"}]},
    {"stageType": "ANNOTATION", "title": "Annotate"},
    {"stageType": "REVIEW", "title": "Review"},
    {"stageType": "DONE", "title": "Complete"},
]


class Board:
    """A project whose first stage is for agents, and a receiver of its webhooks."""

    def __init__(self, emulator: Emulator, receiver: Receiver, rows: int = 3) -> None:
        template = emulator.template("with an agent", STAGES)
        seeded = emulator.project(owner=OWNER, title="Street", rows=rows, template=template["uuid"])
        self.emulator, self.receiver, self.rows = emulator, receiver, seeded["data_hashes"]
        self.project = seeded["project_id"]
        self.stages = {stage["title"]: stage["uuid"] for stage in seeded["stages"]}

    def subscribe(self, stage: str, **wanted: Any) -> str:
        return self.emulator.webhook(self.receiver.url, SECRET, self.project, self.stages[stage], **wanted)

    def deliveries(self) -> list[dict[str, Any]]:
        return [delivery for webhook in self.emulator.webhooks() for delivery in webhook["deliveries"]]

    def until(self, condition: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """The deliveries, once they are as they should be."""
        deadline = time.monotonic() + 20
        while not condition(found := self.deliveries()):
            assert time.monotonic() < deadline, found
            time.sleep(0.01)
        return found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def board(encord_emulator: Emulator, receiver: Receiver) -> Board:
    return Board(encord_emulator, receiver)


@pytest.mark.parametrize(
    ("wanted", "seconds_later", "reason"),
    [
        ({"batch_size": 3}, 0, "batch_size_reached"),
        ({"batch_size": 4, "max_wait_seconds": 60}, 61, "max_wait_elapsed"),
    ],
)
def test_an_agent_stage_announces_its_work(
    board: Board, wanted: dict[str, Any], seconds_later: int, reason: str
) -> None:
    board.subscribe("Pre-label", **wanted)
    board.emulator.clock(advance_s=seconds_later)
    envelope = board.receiver.next().json
    assert envelope.keys() == {"uid", "version", "source", "event_type", "event_created_timestamp", "payload"}
    assert (envelope["version"], envelope["event_type"]) == (1, "agent_stage_work_available_event")
    assert envelope["payload"] == {
        "project_hash": board.project,
        "stage_uuid": board.stages["Pre-label"],
        "pending_count": 3,
        "reason": reason,
    }


def test_too_little_work_is_not_announced(board: Board) -> None:
    board.subscribe("Pre-label", batch_size=4, max_wait_seconds=60)
    board.emulator.clock(advance_s=59)
    board.subscribe("Pre-label", batch_size=3)
    board.receiver.next()
    assert board.receiver.came.empty()
    assert len(board.deliveries()) == 1


def test_work_that_remains_is_announced_in_each_cycle_with_a_fresh_uid(board: Board) -> None:
    board.subscribe("Pre-label", cycle_seconds=300)
    uids = []
    for _ in range(3):
        uids.append(board.receiver.next().json["uid"])
        board.until(lambda found: found[-1]["delivered"])
        board.emulator.clock(advance_s=299)
        assert board.receiver.came.empty()
        board.emulator.clock(advance_s=1)
    board.receiver.next()
    assert len(set(uids)) == 3


def test_the_vendors_verifier_accepts_a_delivery(board: Board) -> None:
    webhooks = pytest.importorskip("encord_agents.core.webhooks", reason="needs encord-agents")
    board.subscribe("Pre-label")
    delivery = board.receiver.next()
    notification = webhooks.verify_and_parse_notification(delivery.body, delivery.headers, secret=SECRET)
    assert str(notification.stage_uuid) == board.stages["Pre-label"]
    assert notification.reason is webhooks.AgentStageWorkReason.BATCH_SIZE_REACHED
    with pytest.raises(webhooks.WebhookVerificationError):
        webhooks.verify_and_parse_notification(delivery.body + b" ", delivery.headers, secret=SECRET)


@pytest.mark.parametrize("wanted", [{"secret": "another"}, {"age_seconds": 301}, {"age_seconds": -302}])
def test_the_vendors_verifier_refuses_what_a_control_makes_wrong(board: Board, wanted: dict[str, Any]) -> None:
    webhooks = pytest.importorskip("encord_agents.core.webhooks", reason="needs encord-agents")
    board.emulator.deliver(board.subscribe("Pre-label", batch_size=4), **wanted)
    delivery = board.receiver.next()
    with pytest.raises(webhooks.WebhookVerificationError):
        webhooks.verify_and_parse_notification(delivery.body, delivery.headers, secret=SECRET)


def test_each_submitted_task_is_announced_and_each_completed_one(board: Board) -> None:
    for stage in ("Annotate", "Complete"):
        board.subscribe(stage)
    board.emulator.annotate(board.project, data_hashes=board.rows[:1], advance="submit")  # through the agent stage
    assert board.receiver.came.empty()
    board.emulator.annotate(board.project, data_hashes=board.rows[:1], advance="submit")
    submitted = board.receiver.next().json
    board.emulator.annotate(board.project, data_hashes=board.rows[:2], advance="complete")
    completed = [board.receiver.next().json for _ in range(2)]
    labels = {row["data_hash"]: row["label_hash"] for row in board.emulator.labels(board.project)}
    payloads = [
        {"project_hash": board.project, "data_hashes": [row], "label_hashes": [labels[row]]} for row in board.rows[:2]
    ]
    assert submitted["event_type"] == "task_submitted_event"
    assert submitted["payload"] == payloads[0]
    assert {envelope["event_type"] for envelope in completed} == {"task_completed_event"}
    assert (
        sorted((envelope["payload"] for envelope in completed), key=lambda one: board.rows.index(*one["data_hashes"]))
        == payloads
    )
    assert len(board.deliveries()) == 3


def test_an_announcement_that_failed_is_given_up_for_that_of_the_next_cycle(board: Board) -> None:
    board.receiver.statuses = [503]
    board.subscribe("Pre-label", cycle_seconds=300, retry_seconds=400)
    uids = []
    for number in range(1, 4):
        uids.append(board.receiver.next().json["uid"])
        board.until(lambda found, number=number: len(found) == number and found[-1]["status"])
        board.emulator.clock(advance_s=301)
    assert len(set(uids)) == 3
    assert [delivery["attempts"] for delivery in board.deliveries()][:3] == [1, 1, 1]


@pytest.mark.parametrize("status", [301, 400, 503])
def test_what_is_not_taken_is_sent_again_with_a_new_signature(board: Board, status: int) -> None:
    board.receiver.statuses = [status, status]
    board.subscribe("Complete", retry_seconds=60)
    board.emulator.annotate(board.project, count=1, advance="complete")
    came = []
    for attempt in itertools.count(1):
        came.append(board.receiver.next())
        (delivery,) = board.until(lambda found, attempt=attempt: found[0]["attempts"] == attempt and found[0]["status"])
        if delivery["delivered"]:
            break
        board.emulator.clock(advance_s=60)
    assert len(came) == 3
    assert len({delivery.body for delivery in came}) == 1
    board.emulator.clock(advance_s=3600)
    assert board.receiver.came.empty()


def test_a_receiver_that_is_not_there_is_tried_again(encord_emulator: Emulator) -> None:
    with receiving() as receiver:
        board = Board(encord_emulator, receiver)
    board.subscribe("Complete")
    board.emulator.annotate(board.project, count=1, advance="complete")
    (delivery,) = board.until(lambda found: bool(found and found[0]["problem"]))
    assert (delivery["delivered"], delivery["status"]) == (False, None)


def test_the_last_delivery_is_replayed_byte_by_byte(board: Board) -> None:
    webhook = board.subscribe("Pre-label")
    first = board.receiver.next()
    board.until(lambda found: found[0]["delivered"])
    board.emulator.deliver(webhook, replay=True)
    again = board.receiver.next()
    assert (again.headers, again.body) == (first.headers, first.body)


def test_deliveries_that_wait_survive_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    receiver.statuses = [503]
    with Emulator.start(database=tmp_path / "state.sqlite") as emulator:
        board = Board(emulator, receiver)
        board.subscribe("Complete", retry_seconds=60)
        emulator.annotate(board.project, count=1, advance="complete")
        first = receiver.next()
        board.until(lambda found: found[0]["status"] == 503)
        emulator.kill()
    with Emulator.start(database=tmp_path / "state.sqlite") as emulator:
        emulator.clock(advance_s=60)
        assert receiver.next().body == first.body


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com:80/x",
        "http://10.0.0.1:80/x",
        "https://127.0.0.1:80/x",
        "http://127.0.0.1/x",
        "http://127.0.0.1:99999/x",
        "http://localhost.example.com:80/x",
        "http://me@127.0.0.1:80/x",
        "http://127.0.0.1:80/x y",
        "http://127.0.0.1:80/x\r\nHost: y",
        "http://[::1",
        "ftp://127.0.0.1:80/x",
        "",
    ],
)
def test_nothing_is_sent_to_another_machine(board: Board, url: str) -> None:
    with pytest.raises(EmulatorError, match="422"):
        board.emulator.webhook(url, SECRET, board.project, board.stages["Pre-label"])


def test_what_cannot_be_subscribed_is_refused(board: Board) -> None:
    with pytest.raises(EmulatorError, match="REVIEW stages have no webhooks"):
        board.subscribe("Review")
    with pytest.raises(EmulatorError, match="no stage"):
        board.emulator.webhook(board.receiver.url, SECRET, board.project, board.project)
    with pytest.raises(EmulatorError, match="422"):
        board.emulator.webhook(board.receiver.url, "", board.project, board.stages["Pre-label"])
    with pytest.raises(EmulatorError, match="no webhook"):
        board.emulator.deliver(board.project)
    with pytest.raises(EmulatorError, match="nothing was delivered yet"):
        board.emulator.deliver(board.subscribe("Complete"), replay=True)


def test_webhooks_show_no_secret_and_can_be_taken_back(board: Board) -> None:
    board.subscribe("Pre-label")
    board.receiver.next()
    assert SECRET not in str(board.emulator.webhooks())
    assert board.emulator.clear_webhooks() == 1
    assert board.emulator.webhooks() == []
    board.emulator.clock(advance_s=3600)
    assert board.receiver.came.empty()
