"""A receiver with a connection: it names the tasks and the edit times, by requests that only read."""

from __future__ import annotations

import concurrent.futures
import time
import uuid
from typing import Any

import pytest

from airflow_provider_encord.assets import labels_uri, stage_uri
from airflow_provider_encord.waits.questions import TasksQuestion
from airflow_provider_encord.webhook import intake
from tests.airflow_layer.bench import SSH_CONNECTION, Account
from tests.airflow_layer.lines import running_line
from tests.airflow_layer.webhook.receivers import Receiver, add_asset, events, settings
from tests.webhook.signed import labels, work

pytestmark = pytest.mark.airflow
STAGES = [
    {"stageType": "AGENT", "title": "Pre-label", "pathways": [{"title": "on", "to": "Annotate"}]},
    {"stageType": "ANNOTATION", "title": "Annotate"},
    {"stageType": "DONE", "title": "Complete"},
]


class SeededProject:
    """A project on the emulator with tasks in an agent stage, and assets for it."""

    def __init__(self, account: Account, rows: int = 3):
        self.account = account
        template = account.emulator.template("agents", STAGES)["uuid"]
        seeded = account.project(rows=rows, template=template)
        self.id, self.data_hashes = seeded["project_id"], seeded["data_hashes"]
        self.stage = next(stage["uuid"] for stage in seeded["stages"] if stage["title"] == "Pre-label")
        self.stage_uri = stage_uri(account.emulator.url, self.id, self.stage)
        self.labels_uri = labels_uri(account.emulator.url, self.id)
        add_asset(self.stage_uri)
        add_asset(self.labels_uri)

    def receiver(self) -> Receiver:
        return Receiver(settings(self.id, encord_conn_id="encord_default"))

    def announcement(self) -> dict[str, Any]:
        return work(self.id, self.stage)

    def task_ids(self) -> set[str]:
        with self.account.client() as client:
            return set(client.run(TasksQuestion(project_id=self.id, stage_id=self.stage).ask([None])).task_ids)


@pytest.fixture
def seeded(airflow_database: None, account: Account, monkeypatch: pytest.MonkeyPatch) -> SeededProject:
    if running_line() == "2.11":
        pytest.skip("Airflow 2 has no apps of plugins")
    monkeypatch.setattr(intake, "LOOKUP_INTERVAL", 0.0)
    return SeededProject(account)


def test_the_tasks_of_the_stage_are_named_once(seeded: SeededProject) -> None:
    with seeded.receiver() as receiver:
        assert receiver.send(seeded.announcement()) == (200, {"status": "stored"})
        assert receiver.send(seeded.announcement()) == (200, {"status": "nothing new"})
        (extra,) = events(seeded.stage_uri)
        assert set(extra["payload"]["task_ids"]) == seeded.task_ids()
        assert (extra["payload"]["stage"], extra["payload"]["tasks"]) == ("Pre-label", 3)
        seeded.account.emulator.annotate(seeded.id, count=3, advance="submit")
        assert receiver.send(seeded.announcement()) == (200, {"status": "nothing new"})
    assert len(events(seeded.stage_uri)) == 1


def test_another_process_knows_what_was_announced(seeded: SeededProject) -> None:
    with seeded.receiver() as first:
        first.send(seeded.announcement())
    with seeded.receiver() as second:
        assert second.send(seeded.announcement()) == (200, {"status": "nothing new"})


def test_submitted_rows_have_their_edit_time(seeded: SeededProject) -> None:
    seeded.account.emulator.annotate(seeded.id, data_hashes=seeded.data_hashes[:1], advance="submit")
    (row,) = seeded.account.emulator.labels(seeded.id)
    envelope = labels(project=seeded.id, data_hashes=[row["data_hash"]], label_hashes=[row["label_hash"]])
    with seeded.receiver() as receiver:
        assert receiver.send(envelope) == (200, {"status": "stored"})
    (extra,) = events(seeded.labels_uri)
    (named,) = extra["payload"]["label_rows"]
    assert (named["label_hash"], named["data_hash"]) == (row["label_hash"], row["data_hash"])
    assert named["last_edited_at"]


def test_a_lookup_only_reads(seeded: SeededProject) -> None:
    seeded.account.emulator.clear_journal()
    with seeded.receiver() as receiver:
        receiver.send(seeded.announcement())
        receiver.send(labels(project=seeded.id))
    assert seeded.account.emulator.journal()
    assert not [entry for entry in seeded.account.emulator.journal() if entry["changes"]]


def test_many_deliveries_for_a_stage_cost_few_lookups(seeded: SeededProject, monkeypatch: pytest.MonkeyPatch) -> None:
    interval = 0.5
    monkeypatch.setattr(intake, "LOOKUP_INTERVAL", interval)
    seeded.account.emulator.clear_journal()
    began = time.monotonic()
    with seeded.receiver() as receiver, concurrent.futures.ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: receiver.send(seeded.announcement())[1]["status"], range(200)))
    seconds = time.monotonic() - began
    listings = [entry for entry in seeded.account.emulator.journal() if entry["path"].endswith("/tasks")]
    assert sorted(set(answers)) in (["nothing new", "stored"], ["stored"])
    assert len(events(seeded.stage_uri)) == 1
    assert 1 <= len(listings) <= seconds / interval + 1, "as many deliveries as wait share a lookup"
    assert len(listings) < len(answers) / 4


def test_encord_is_asked_to_send_again_after_a_failure_that_may_pass(seeded: SeededProject) -> None:
    envelope = seeded.announcement()
    seeded.account.emulator.faults(
        [{"match": {"path": "/tasks"}, "do": {"status": 503, "headers": {"Retry-After": "900"}}}]
    )
    with seeded.receiver() as receiver:
        assert receiver.send(envelope)[0] == 503
        assert events(seeded.stage_uri) == []
        seeded.account.emulator.clear_faults()
        assert receiver.send(envelope) == (200, {"status": "stored"})


def test_the_event_names_no_tasks_if_encord_refuses_the_lookup(seeded: SeededProject) -> None:
    seeded.account.emulator.faults([{"match": {"path": "/tasks"}, "do": {"status": 403}}])
    with seeded.receiver() as receiver:
        assert receiver.send(seeded.announcement()) == (200, {"status": "stored"})
    (extra,) = events(seeded.stage_uri)
    assert (extra["payload"]["task_ids"], extra["payload"]["tasks"]) == (None, 3)


@pytest.mark.parametrize("connection", [None, '{"conn_type": "encord", "extra": {}}'])
def test_encord_is_asked_to_send_again_while_the_connection_cannot_be_used(
    seeded: SeededProject, monkeypatch: pytest.MonkeyPatch, connection: str | None
) -> None:
    if connection is None:
        monkeypatch.delenv(SSH_CONNECTION)
    else:
        monkeypatch.setenv(SSH_CONNECTION, connection)
    with seeded.receiver() as receiver:
        assert receiver.send(seeded.announcement())[0] == 503


def test_a_stage_of_a_project_that_is_not_listed_is_never_looked_up(seeded: SeededProject) -> None:
    seeded.account.emulator.clear_journal()
    with seeded.receiver() as receiver:
        assert receiver.send(work(str(uuid.uuid4()), seeded.stage)) == (200, {"status": "ignored"})
    assert seeded.account.emulator.journal() == []
