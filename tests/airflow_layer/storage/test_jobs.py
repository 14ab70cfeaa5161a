"""Long jobs: waited for on the worker, in the triggerer, and by the try after one that died."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.attempts import fingerprint
from airflow_provider_encord.client.api import folder_uploads
from airflow_provider_encord.client.api.core.data_items import IMAGE, UploadedFile, data_items
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.flows.jobs import FOLDER_SYNC, FOLDER_UPLOAD, Job, job_from, state_of
from airflow_provider_encord.operators.storage import EncordSyncFolderOperator
from airflow_provider_encord.triggers.jobs import EncordJobTrigger
from tests.airflow_layer.bench import SSH_CONNECTION, Account, connection
from tests.airflow_layer.deferrals import run_deferred
from tests.airflow_layer.lines import needs_task_state
from tests.client import keys
from tests.client.misbehaving import drip
from tests.client.scripted_server import Act, ScriptedServer, hang
from tests.sdk.media import png

CONNECTION = "encord_default"


class Store:
    """Airflow's store of task state, as far as a task sees it."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, key: str, default: Any = None) -> Any:
        return json.loads(self.kept[key]) if key in self.kept else default

    def set(self, key: str, value: Any, **_: Any) -> None:
        self.kept[key] = json.dumps(value)

    def delete(self, key: str) -> None:
        self.kept.pop(key, None)


class Bucket:
    """A folder of this disk that stands for a bucket, and a storage folder that is synced with it."""

    def __init__(self, account: Account, directory: Path):
        self.account, self.directory = account, directory
        self.put("a.png", "b.png")
        url = f"s3://bucket-{account.email.partition('@')[0]}"
        self.integration = account.emulator.bucket(integration=url, url=url, directory=str(directory))
        with account.client() as client:
            self.folder = client.create_folder("Synced", integration=self.integration, remote_url=f"{url}/").id
        self.url = url

    def put(self, *names: str) -> None:
        for number, name in enumerate(names):
            (self.directory / name).write_bytes(png(4 + number, 4))

    def names(self) -> list[str]:
        with self.account.client() as client:
            return sorted(item.name for item in client.folder(self.folder).items())

    def sync(self, context: dict[str, Any] | None = None, **arguments: Any) -> Any:
        return EncordSyncFolderOperator(task_id="sync", folder_id=self.folder, **arguments).execute(context or {})

    def starts(self) -> int:
        entries = self.account.emulator.journal()
        return sum(entry["method"] == "POST" and "cloud-synced-folder-syncs" in entry["path"] for entry in entries)


@pytest.fixture
def bucket(account: Account, tmp_path: Path) -> Any:
    yield Bucket(account, tmp_path)
    account.emulator.jobs(hold=False)


def test_a_sync_is_waited_for_and_its_files_are_there(bucket: Bucket) -> None:
    result = bucket.sync()
    assert (result["folder_id"], result["synced"], result["failed"]) == (bucket.folder, 2, 0)
    assert bucket.names() == ["a.png", "b.png"]
    assert bucket.starts() == 1
    bucket.put("c.png")
    bucket.sync()
    assert bucket.names() == ["a.png", "b.png", "c.png"]


def test_a_sync_fails_if_files_could_not_be_synced_and_a_retry_syncs_them(bucket: Bucket) -> None:
    store = {"task_state_store": Store()}
    bucket.account.emulator.jobs(fail_units=1.0)
    try:
        with pytest.raises(AirflowException, match="2 files of the bucket were not synced, 0 were") as raised:
            bucket.sync(store)
        assert bucket.sync(on_error="skip")["failed"] == 2
    finally:
        bucket.account.emulator.jobs(fail_units=0.0)
    assert not isinstance(raised.value, AirflowFailException)
    assert bucket.sync(store)["synced"] == 2
    assert bucket.names() == ["a.png", "b.png"]


def test_a_job_that_does_not_end_in_time_is_an_error_that_a_retry_may_mend(bucket: Bucket) -> None:
    bucket.account.emulator.jobs(hold=True)
    with pytest.raises(AirflowException, match="has not ended within job_timeout") as raised:
        bucket.sync(job_timeout=1)
    assert not isinstance(raised.value, AirflowFailException)


@needs_task_state
@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize("ended", [False, True])
def test_a_retry_waits_for_the_sync_of_an_earlier_attempt_and_then_syncs_what_came_since(
    bucket: Bucket, ended: bool, deferrable: bool
) -> None:
    """Review of 0.1, ingest 2: the finished job of the earlier attempt was taken for the result of the retry."""
    store, emulator = Store(), bucket.account.emulator
    emulator.jobs(hold=True)
    with pytest.raises(AirflowException, match="job_timeout"):
        bucket.sync({"task_state_store": store}, job_timeout=1)
    if ended:
        emulator.jobs(hold=False)
        (stored,) = [store.get(key) for key in store.get("encord_jobs")]
        with bucket.account.client() as client:
            assert state_of(client.run(job_from(stored).follow(timeout=20))).ended
        bucket.put("c.png")
    else:
        bucket.put("c.png")
        with pytest.raises(AirflowException, match="job_timeout"):
            bucket.sync({"task_state_store": store}, job_timeout=1)
        assert bucket.starts() == 1  # one at a time
        emulator.jobs(hold=False)

    def make() -> EncordSyncFolderOperator:
        return EncordSyncFolderOperator(task_id="sync", folder_id=bucket.folder, deferrable=deferrable, poll_interval=5)

    run_deferred(make, {"task_state_store": store})
    assert bucket.names() == ["a.png", "b.png", "c.png"]
    assert bucket.starts() == 2
    assert store.kept == {}


@needs_task_state
def test_the_progress_of_a_sync_can_be_read_while_the_task_waits_in_the_triggerer(bucket: Bucket) -> None:
    store, emulator, seen = Store(), bucket.account.emulator, list[str]()
    emulator.jobs(hold=True)

    def make() -> EncordSyncFolderOperator:
        return EncordSyncFolderOperator(task_id="sync", folder_id=bucket.folder, deferrable=True, poll_interval=5)

    def look(number: int) -> None:
        seen.append(store.get("encord_progress")["progress"])
        emulator.jobs(hold=False)

    run_deferred(make, {"task_state_store": store}, while_deferred=look)
    assert [line.partition(", in")[0] for line in seen] == ["0 units of Encord's job (pending)"]
    assert store.kept == {}


def test_a_task_that_is_cleared_after_its_success_syncs_again(bucket: Bucket) -> None:
    """Fault 1.2: the job of the attempt that succeeded is forgotten."""
    store = Store()
    bucket.sync({"task_state_store": store})
    bucket.put("c.png")
    assert bucket.sync({"task_state_store": store})["synced"] >= 1
    assert bucket.names() == ["a.png", "b.png", "c.png"]
    assert bucket.starts() == 2


@needs_task_state
def test_a_job_that_encord_knows_no_more_is_started_again(bucket: Bucket) -> None:
    store = Store()
    key = f"encord_job_{fingerprint(sync=bucket.folder)}"
    store.set("encord_jobs", [key])
    store.set(key, Job(kind=FOLDER_SYNC, resource=bucket.folder, id=bucket.folder).to_dictionary())
    assert bucket.sync({"task_state_store": store})["synced"] == 2
    assert bucket.starts() == 1


class TestTrigger:
    def _trigger(self, job: Job, **arguments: Any) -> EncordJobTrigger:
        arguments = {"deadline": time.time() + 60, "poll_interval": 0.05, **arguments}
        return EncordJobTrigger(job=job.to_dictionary(), encord_conn_id=CONNECTION, **arguments)

    async def _event(self, trigger: EncordJobTrigger) -> dict[str, Any]:
        event = await asyncio.wait_for(anext(trigger.run()), 60)
        payload: dict[str, Any] = event.payload
        return payload

    def _started(self, bucket: Bucket) -> Job:
        bucket.account.emulator.jobs(hold=True)
        with bucket.account.client() as client:
            return Job(kind=FOLDER_SYNC, resource=bucket.folder, id=client.folder(bucket.folder).start_sync())

    def test_what_airflow_stores_makes_the_same_trigger_and_holds_no_secret(self, bucket: Bucket) -> None:
        trigger = self._trigger(Job(kind=FOLDER_SYNC, resource=bucket.folder, id=bucket.folder))
        path, arguments = trigger.serialize()
        assert path == "airflow_provider_encord.triggers.jobs.EncordJobTrigger"
        again = EncordJobTrigger(**json.loads(json.dumps(arguments)))
        assert again.serialize() == trigger.serialize()
        assert set(arguments) == {"job", "deadline", "encord_conn_id", "poll_interval", "carried"}

    def test_it_fires_when_the_job_ends(self, bucket: Bucket) -> None:
        job = self._started(bucket)

        async def both() -> dict[str, Any]:
            waiting = asyncio.create_task(self._event(self._trigger(job)))
            await asyncio.sleep(0.5)
            assert not waiting.done()
            await asyncio.to_thread(bucket.account.emulator.jobs, hold=False)
            return await waiting

        assert asyncio.run(both()) == {"status": "ended", "job": job.to_dictionary(), "carried": None}

    def test_a_connection_that_was_deleted_meanwhile_ends_the_wait_with_its_name(
        self, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        trigger = self._trigger(self._started(bucket))
        monkeypatch.delenv(SSH_CONNECTION)
        event = asyncio.run(self._event(trigger))
        assert (event["status"], event["retryable"]) == ("error", False)
        assert f"encord_conn_id: The conn_id `{CONNECTION}`" in event["message"]

    def test_it_stops_at_its_deadline(self, bucket: Bucket) -> None:
        job = self._started(bucket)
        event = asyncio.run(self._event(self._trigger(job, deadline=time.time() + 1)))
        assert event["status"] == "overdue"

    @pytest.mark.parametrize(
        "act", [hang(), drip(b"HTTP/1.1 200 OK\r\nX: ", b"a" * 999, pause=0.1)], ids=["hang", "drip"]
    )
    def test_it_stops_at_its_deadline_in_the_middle_of_a_poll(self, act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
        """Fault 7.1: a trigger ignored its own deadline while a server kept it waiting."""
        with ScriptedServer() as server:
            key = keys.openssh(keys.new_key())
            monkeypatch.setenv(SSH_CONNECTION, connection(server.always(act).url, private_key=key, read_timeout=100))
            job = Job(kind=FOLDER_SYNC, resource=str(uuid.uuid4()), id=str(uuid.uuid4()))
            began = time.monotonic()
            event = asyncio.run(self._event(self._trigger(job, deadline=time.time() + 2)))
            assert event["status"] == "overdue"
            assert time.monotonic() - began < 5
            assert len(server.requests) == 1

    def test_failed_polls_are_forgiven(self, bucket: Bucket) -> None:
        job = self._started(bucket)
        bucket.account.emulator.jobs(hold=False)
        down = {"status": 503, "headers": {"Retry-After": "0"}}
        match = {"path": "long-polling"}
        bucket.account.emulator.faults([{"match": match, "when": {"times": 12}, "do": down}])
        assert asyncio.run(self._event(self._trigger(job)))["status"] == "ended"

    def test_what_cannot_be_mended_is_reported_at_once(self, bucket: Bucket) -> None:
        job = Job(kind=FOLDER_SYNC, resource=bucket.folder, id=bucket.folder)
        event = asyncio.run(self._event(self._trigger(job)))
        assert (event["status"], event["retryable"]) == ("error", False)

    def test_a_task_that_is_ended_cancels_what_can_be_cancelled(self, bucket: Bucket) -> None:
        bucket.account.emulator.jobs(hold=True)
        with bucket.account.client() as client:
            items = data_items([UploadedFile(kind=IMAGE, object_url=f"{bucket.url}/a.png", title="a.png")])
            folder = client.create_folder("Registered").id
            start = folder_uploads.start_folder_upload(folder, items=items, integration=bucket.integration)
            job = Job(kind=FOLDER_UPLOAD, resource=folder, id=client.send(start))
            asyncio.run(self._trigger(job).on_kill())
            bucket.account.emulator.jobs(hold=False)
            assert state_of(client.send(job.poll())).status == "CANCELLED"

    def test_nothing_is_sent_for_what_cannot_be_cancelled(self, bucket: Bucket) -> None:
        job = Job(kind=FOLDER_SYNC, resource=bucket.folder, id=bucket.folder)
        bucket.account.emulator.clear_journal()
        asyncio.run(self._trigger(job).on_kill())
        assert bucket.account.emulator.journal() == []


class TestEvents:
    @pytest.mark.parametrize(
        ("event", "error", "message"),
        [
            ({"status": "error", "message": "gone", "retryable": False}, AirflowFailException, "gone"),
            ({"status": "error", "message": "down", "retryable": True}, AirflowException, "down"),
            ("success", AirflowFailException, "not an event of EncordJobTrigger"),
            ({"status": "ended", "job": {"kind": "x"}}, AirflowFailException, "not a job of Encord"),
        ],
    )
    def test_an_event_that_is_no_good_end_fails_the_task(
        self, bucket: Bucket, event: Any, error: type[Exception], message: str
    ) -> None:
        operator = EncordSyncFolderOperator(task_id="sync", folder_id=bucket.folder)
        with pytest.raises(error, match=message):
            operator.execute_complete({}, event)

    def test_what_was_stored_of_a_job_is_checked(self) -> None:
        with pytest.raises(InvalidArgumentError, match="job: "):
            job_from({"kind": "folder_sync"})
