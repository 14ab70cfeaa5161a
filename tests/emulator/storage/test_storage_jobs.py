"""Jobs and syncs of storage folders where something is odd: ids used twice, files that vanish, jobs that are held."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from encord_emulator.process import Emulator
from tests.emulator.callers import Person
from tests.emulator.storage.test_uploads import _put, picture

WITHIN_SECONDS = 60


@pytest.fixture
def folder(owner: Person) -> str:
    made: str = owner.rest("POST", "storage/folders", {"name": "Odd"}).json["uuid"]
    return made


def _upload(owner: Person, folder: str, *, ignore: bool = False, **items: Any) -> str:
    body = {"dataItems": items, "ignoreErrors": ignore}
    job: str = owner.rest("POST", f"storage/folders/{folder}/data-upload-jobs", body).json
    return job


def _poll(owner: Person, folder: str, job: str, seconds: int = 10) -> Any:
    return owner.rest("GET", f"storage/folders/{folder}/data-upload-jobs/{job}?timeoutSeconds={seconds}").json


@pytest.mark.parametrize("ignore", [True, False])
def test_an_id_that_two_entries_want_is_given_once(owner: Person, folder: str, ignore: bool) -> None:
    wanted = str(uuid.uuid4())
    entries = [{"objectUrl": _put(owner, picture()), "title": name, "placeholderItemUuid": wanted} for name in "ab"]
    job = _poll(owner, folder, _upload(owner, folder, ignore=ignore, images=entries))
    assert (job["status"], job["unitsErrorCount"]) == ("DONE" if ignore else "ERROR", 1)
    assert wanted in job["errors"][0]
    assert [one["itemUuid"] for one in job["itemsWithNames"]] == ([wanted] if ignore else [])


def test_what_an_entry_shows_its_file_must_be_of_the_right_kind(owner: Person, folder: str) -> None:
    stated = {"mimeType": "image/png", "fileSize": 1, "width": "wide", "height": 1}
    entry = {"objectUrl": _put(owner, picture()), "title": "a", "imageMetadata": stated}
    job = _poll(owner, folder, _upload(owner, folder, images=[entry]))
    assert job["status"] == "ERROR"
    assert "width" in job["errors"][0]


def test_a_cancelled_job_makes_nothing_more(encord_emulator: Emulator, owner: Person, folder: str) -> None:
    encord_emulator.jobs(hold=True)
    job = _upload(owner, folder, ignore=True, images=[{"objectUrl": _put(owner, picture()), "title": "a"}])
    answer = owner.rest("POST", f"storage/folders/{folder}/data-upload-jobs/{job}/cancel")
    encord_emulator.jobs(hold=False)
    assert answer.json == {"unitsCancelledCount": 1}
    assert _poll(owner, folder, job)["status"] == "CANCELLED"
    assert owner.rest("GET", f"storage/folders/{folder}/items?isRecursive=False").json["results"] == []


def _synced(emulator: Emulator, owner: Person, bucket: Path) -> str:
    integration = emulator.bucket("odd", "s3://odd", bucket)
    link = {"integrationUuid": integration, "remoteUrl": "s3://odd/"}
    made: str = owner.rest("POST", "storage/folders", {"name": "Odd", "cloudSyncedFolderParams": link}).json["uuid"]
    return made


def _sync(owner: Person, folder: str) -> Any:
    job = owner.rest("POST", f"storage/folders/{folder}/cloud-synced-folder-syncs").json
    path, deadline = f"storage/folders/{folder}/cloud-linked-folder-syncs/{job}/long-polling", time.monotonic() + 60
    while (state := owner.rest("GET", f"{path}?timeoutSeconds=5").json)["status"] == "pending":
        assert time.monotonic() < deadline
    return state


def test_a_file_that_vanished_is_a_tombstone_until_it_is_back(
    encord_emulator: Emulator, owner: Person, tmp_path: Path
) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(picture())
    folder = _synced(encord_emulator, owner, tmp_path)
    _sync(owner, folder)

    def tombstones() -> list[bool]:
        items = owner.rest("GET", f"storage/folders/{folder}/items?isRecursive=False").json["results"]
        return [item["isTombstone"] for item in items]

    assert tombstones() == [False]
    file.unlink()
    _sync(owner, folder)
    assert tombstones() == [True]
    assert owner.rest("GET", f"storage/folders/{folder}/summary").json["tombstones"] == 1
    file.write_bytes(picture())
    _sync(owner, folder)
    assert tombstones() == [False]


def test_a_sync_is_held_though_there_is_nothing_new(encord_emulator: Emulator, owner: Person, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture())
    folder = _synced(encord_emulator, owner, tmp_path)
    _sync(owner, folder)
    encord_emulator.jobs(hold=True)
    try:
        job = owner.rest("POST", f"storage/folders/{folder}/cloud-synced-folder-syncs").json
        path = f"storage/folders/{folder}/cloud-linked-folder-syncs/{job}/long-polling?timeoutSeconds=1"
        assert owner.rest("GET", path).json["status"] == "pending"
    finally:
        encord_emulator.jobs(hold=False)
