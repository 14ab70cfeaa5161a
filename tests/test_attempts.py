"""State that outlives an attempt is used only for the same work, and a shared place has one writer at a time."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path, PosixPath
from typing import Any, ClassVar

import msgspec
import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.attempts import (
    CLAIM_SECONDS,
    Checkpoint,
    Claim,
    FileStore,
    Owner,
    fingerprint,
    remove_empty,
)
from airflow_provider_encord.client.errors import InvalidArgumentError, UnavailableError
from airflow_provider_encord.storage_paths import write_whole

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class Place(msgspec.Struct, frozen=True):
    """Something to store."""

    offset: int


@given(values, values)
def test_fingerprints_are_equal_exactly_for_equal_json(first: Any, second: Any) -> None:
    same = json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)
    assert (fingerprint(target="a", value=first) == fingerprint(value=second, target="a")) is same


def test_a_checkpoint_is_loaded_by_the_next_attempt_at_the_same_work_only(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "state", "report")
    Checkpoint(store, "place", fingerprint(folder="a"), Place).save(Place(7))
    assert Checkpoint(store, "place", fingerprint(folder="a"), Place).load() == Place(7)
    assert Checkpoint(store, "place", fingerprint(folder="b"), Place).load() is None
    Checkpoint(store, "place", fingerprint(folder="a"), Place).forget()
    assert Checkpoint(store, "place", fingerprint(folder="a"), Place).load() is None
    assert not (tmp_path / "state").exists()


def test_a_checkpoint_of_another_version_is_ignored_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    store = FileStore(tmp_path, "report")
    store.set("place", {"about": "x", "value": {"position": 3}})
    assert Checkpoint(store, "place", "x", Place).load() is None
    (tmp_path / "place.json").write_bytes(b'{"about": "x", "val')
    with pytest.raises(InvalidArgumentError, match=r"report: .*place\.json.* damaged"):
        Checkpoint(store, "place", "x", Place).load()


def test_a_retry_takes_a_claim_over_and_the_zombie_beside_it_stops(tmp_path: Path) -> None:
    path = tmp_path / "report.parts" / "claim.json"
    zombie, retry = (Claim(path, Owner("dag/run/task"), "report") for _ in range(2))
    zombie.take()
    zombie.check()
    retry.take()
    with pytest.raises(InvalidArgumentError, match="another attempt took"):
        zombie.check()
    zombie.release()
    retry.check()
    retry.release()
    assert not path.exists()


def test_another_task_waits_until_a_claim_is_released_or_has_ended(tmp_path: Path) -> None:
    now = [1000.0]
    path = tmp_path / "claim.json"
    one, other = (Claim(path, Owner(task), "report", clock=lambda: now[0]) for task in ("dag/1", "dag/2"))
    one.take()
    with pytest.raises(UnavailableError, match="max_active_tis_per_dag") as raised:
        other.take()
    assert raised.value.retry_after == CLAIM_SECONDS
    now[0] += CLAIM_SECONDS / 2
    one.check()  # renews it
    now[0] += CLAIM_SECONDS * 0.9
    with pytest.raises(UnavailableError):
        other.take()
    now[0] += CLAIM_SECONDS
    other.take()
    with pytest.raises(UnavailableError, match="task dag/2"):  # its retry does what is left
        one.check()


def test_a_claim_that_is_held_for_a_wait_outlasts_it_and_a_retry_still_takes_it_over(tmp_path: Path) -> None:
    """Review of 0.1, ingest 1: the owner waits for a job of Encord longer than a claim lasts."""
    now = [1000.0]
    path = tmp_path / "claim.json"
    owner, other, retry = (
        Claim(path, Owner(task), "report", clock=lambda: now[0]) for task in ("dag/1", "dag/2", "dag/1")
    )
    owner.take()
    owner.hold(7 * CLAIM_SECONDS)
    now[0] += 4 * CLAIM_SECONDS
    with pytest.raises(UnavailableError, match=r"ends in 2700 s, or when you delete .*claim\.json") as raised:
        other.take()
    assert raised.value.retry_after == CLAIM_SECONDS
    owner.check()  # the wait has ended, so the claim lasts as long as any other from here on
    now[0] += CLAIM_SECONDS / 2
    with pytest.raises(UnavailableError) as raised:
        other.take()
    assert raised.value.retry_after == CLAIM_SECONDS / 2
    owner.hold(7 * CLAIM_SECONDS)
    retry.take()
    with pytest.raises(InvalidArgumentError, match="another attempt took"):
        owner.hold(CLAIM_SECONDS)
    now[0] += CLAIM_SECONDS
    other.take()


def test_a_long_loop_renews_its_claim_without_a_look_at_each_turn(tmp_path: Path) -> None:
    """Review of 0.1, ingest 1."""
    now = [1000.0]
    path = tmp_path / "claim.json"
    owner, other = (Claim(path, Owner(task), "report", clock=lambda: now[0]) for task in ("dag/1", "dag/2"))
    owner.take()
    content = path.read_bytes()
    for _ in range(30):
        now[0] += CLAIM_SECONDS / 10
        owner.keep()
    assert path.read_bytes() != content
    with pytest.raises(UnavailableError, match="dag/1"):
        other.take()
    path.unlink()
    owner.keep()  # it was looked at just now
    now[0] += CLAIM_SECONDS / 2
    with pytest.raises(UnavailableError, match="was deleted"):
        owner.keep()


def test_a_claim_whose_file_is_gone_stops_its_owner_with_an_error_that_a_retry_mends(tmp_path: Path) -> None:
    """Review of 0.1, ingest 1."""
    owner = Claim(tmp_path / "report.parts" / "claim.json", Owner("task"), "report")
    owner.take()
    shutil.rmtree(tmp_path / "report.parts")
    with pytest.raises(UnavailableError, match=r"report: .*claim\.json.* was deleted"):
        owner.check()
    owner.release()
    owner.take()
    owner.check()


def test_two_processes_that_write_one_file_at_once_leave_one_of_the_two_whole(tmp_path: Path) -> None:
    """Fault 1.5: temporary names are unique."""
    path = tmp_path / "manifest.json"
    contents = [bytes([65 + number]) * 200_000 for number in range(4)]
    start = threading.Barrier(len(contents))
    errors: list[Exception] = []

    def write(content: bytes) -> None:
        start.wait()
        try:
            for _ in range(20):
                write_whole(path, [content[:100_000], content[100_000:]])
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert path.read_bytes() in contents
    assert [one.name for one in tmp_path.iterdir()] == ["manifest.json"]


def test_a_write_that_fails_leaves_nothing_behind_and_what_was_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "report.jsonl"
    path.write_bytes(b"before")

    def blocks() -> Any:
        yield b"half"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_whole(path, blocks())
    assert path.read_bytes() == b"before"
    assert [one.name for one in tmp_path.iterdir()] == ["report.jsonl"]
    remove_empty(tmp_path)
    assert tmp_path.exists()


def test_a_directory_is_removed_only_if_it_is_empty(tmp_path: Path) -> None:
    """Of `ObjectStoragePath` too, whose ``rmdir`` takes all that is in it along. Found by `make soak`."""
    directory = tmp_path / "parts"
    directory.mkdir()
    (directory / "notes.json").write_text("{}")
    for path in (directory, ObjectStoragePath(f"file://{directory}")):
        remove_empty(path)
        assert (directory / "notes.json").exists()
    (directory / "notes.json").unlink()
    remove_empty(ObjectStoragePath(f"file://{directory}"))
    assert not directory.exists()


@pytest.mark.parametrize(("task", "error"), [("task", InvalidArgumentError), ("another", UnavailableError)])
def test_a_claim_that_another_task_took_may_be_taken_again_by_a_retry(
    tmp_path: Path, task: str, error: type[Exception]
) -> None:
    """A zombie must end permanently; a task that claimed at the same moment as another one runs after it."""
    mine = Claim(tmp_path / "claim.json", Owner("task"), "report")
    mine.take()
    (tmp_path / "claim.json").unlink()
    Claim(tmp_path / "claim.json", Owner(task), "report").take()
    with pytest.raises(error, match=r"took over"):
        mine.check()


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_file_is_written_into_a_directory_that_is_missing(tmp_path: Path, prefix: str) -> None:
    """Review of 0.1, ingest 14: each writer made the directory by itself, and some did not."""
    path = tmp_path / "new" / "deep" / "report.jsonl"
    given = ObjectStoragePath(f"{prefix}{path}") if prefix else path
    write_whole(given, [b"a"])
    assert path.read_bytes() == b"a"


class VanishingDirectory(PosixPath):
    """A path whose directory another attempt removes, because it is empty, before the first file is in it."""

    vanishes: ClassVar[list[str]] = []

    def open(self, *arguments: Any, **more: Any) -> Any:
        if self.vanishes:
            self.vanishes.pop()
            self.parent.rmdir()
        return super().open(*arguments, **more)


def test_a_directory_that_another_attempt_removes_is_made_again(tmp_path: Path) -> None:
    """Review of 0.1, ingest 14: only the file of a claim took care of that."""
    VanishingDirectory.vanishes += ["once", "twice"]
    write_whole(VanishingDirectory(tmp_path / "parts" / "part-000000.jsonl"), [b"a"])
    assert (tmp_path / "parts" / "part-000000.jsonl").read_bytes() == b"a"
    assert VanishingDirectory.vanishes == []
