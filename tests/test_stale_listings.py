"""Two processes at one directory of an object store, whose file systems answer from what they listed last: what the
other process did since is seen nevertheless.
"""

from __future__ import annotations

import datetime
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_provider_encord.attempts import Claim, FileStore, Owner
from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError, UnavailableError
from airflow_provider_encord.fresh_listings import content_now, entries_now
from airflow_provider_encord.history.store import ProjectStore, every_project, new_name
from airflow_provider_encord.prelabels.forms.files import files_of
from airflow_provider_encord.prelabels.sources import prelabels_of
from airflow_provider_encord.registration.report import RegistrationReport
from airflow_provider_encord.report_files import ReportFiles
from airflow_provider_encord.sources.files import find_files
from tests.object_stores import Objects, attach_store

PROJECT = "0a7c3b0e-7e1c-4f5e-9a57-0c2f4c1b2a11"


@pytest.fixture
def paths() -> list[Any]:
    """The same directory, in the file systems of two processes."""
    objects = Objects()
    for protocol in ("one", "other"):
        attach_store(objects, protocol)
    return [ObjectStoragePath(f"{protocol}://bucket/there") for protocol in ("one", "other")]


def claims(paths: list[Any]) -> tuple[Claim, Claim]:
    one, other = (Claim(path / "claim.json", Owner(f"task {number}"), "report") for number, path in enumerate(paths))
    return one, other


def test_a_claim_that_another_task_took_is_respected(paths: list[Any]) -> None:
    one, other = claims(paths)
    (paths[0] / "part").write_bytes(b"1")
    list(paths[0].iterdir())
    other.take()
    with pytest.raises(UnavailableError, match="in use by the task"):
        one.take()
    assert other.stands


def test_a_claim_that_another_attempt_took_over_ends_the_first(paths: list[Any]) -> None:
    task = "the same"
    one, other = (Claim(path / "claim.json", Owner(task), "report") for path in paths)
    one.take()
    list(paths[0].iterdir())
    other.take()
    with pytest.raises(InvalidArgumentError, match="another attempt took over"):
        one.check()


def test_parts_that_another_attempt_wrote_are_listed(paths: list[Any]) -> None:
    one, other = (ReportFiles(path / "report.jsonl") for path in paths)
    one.write("part-000001.jsonl", [b"1\n"])
    assert [path.name for path in one.parts()] == ["part-000001.jsonl"]
    other.write("part-000002.jsonl", [b"2\n"])
    other.write("notes", [b"first"])
    assert [path.name for path in one.parts()] == ["part-000001.jsonl", "part-000002.jsonl"]
    assert one.read("notes") == b"first"
    other.write("notes", [b"second"])
    assert one.read("notes") == b"second"
    assert [path.read_bytes() for path in one.parts()] == [b"1\n", b"2\n"]


class _Vanishing(Objects):
    """Another task removes the parts of its report as soon as they were listed."""

    def below(self, prefix: str) -> list[tuple[str, int, str]]:
        listed = super().below(prefix)
        for key, _, _ in listed:
            if "/part-" in key:
                self.delete(key)
        return listed


def test_a_part_that_another_task_removes_is_nothing_foreign(paths: list[Any]) -> None:
    """Two runs wrote one report, one after the other: the second one listed the parts of the first at its end."""
    objects = _Vanishing()
    attach_store(objects, "one")
    path = paths[0] / "report.jsonl"
    objects.put("bucket/there/report.jsonl.parts/part-000000.jsonl", b"{}\n")
    RegistrationReport(path).require_ours()
    assert objects.below("bucket/there/report.jsonl.parts/") == []


def test_a_state_that_another_attempt_stored_is_read(paths: list[Any]) -> None:
    one, other = (FileStore(path, "report") for path in paths)
    one.set("first", 1)
    list(paths[0].iterdir())
    other.set("second", 2)
    other.set("first", 3)
    assert (one.get("first"), one.get("second")) == (3, 2)


def test_the_history_of_a_project_has_what_other_tasks_learned(paths: list[Any]) -> None:
    """The API server reads it for as long as it runs."""
    one, other = (ProjectStore(path, PROJECT) for path in paths)
    name, later = (new_name(datetime.datetime(2026, 11, 22, hour, tzinfo=datetime.UTC)) for hour in (1, 2))
    one.write(name, b"first\n")
    assert one.names().new == (name,)
    assert [name for name, _ in every_project(paths[0])] == [PROJECT]
    other.write(later, b"")
    other.write(name, b"first\nsecond\n")
    assert one.read(name) == b"first\nsecond\n"
    assert one.names().new == (name, later)
    ProjectStore(paths[1], PROJECT.replace("0", "1")).write(name, b"")
    assert len(list(every_project(paths[0]))) == 2


def test_each_thread_sees_what_another_process_did(paths: list[Any]) -> None:
    """Each lists with a file system of its own."""
    (paths[0] / "first").write_bytes(b"1")

    def look() -> tuple[list[str], bytes | None]:
        return sorted(path.name for path in entries_now(paths[0])), content_now(paths[0] / "first", "report")

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(look).result() == (["first"], b"1")
        (paths[1] / "second").write_bytes(b"2")
        (paths[1] / "first").write_bytes(b"one")
        assert thread.submit(look).result() == look() == (["first", "second"], b"one")


def test_an_error_of_the_store_still_names_the_argument(paths: list[Any]) -> None:
    (paths[0] / "state.json").write_bytes(b"{")
    with pytest.raises(EncordError, match="report"):
        FileStore(paths[1], "report").get("state")


@pytest.mark.parametrize("pattern", ["", "/in/*.png", "/**/*.png"], ids=["directory", "pattern", "at any depth"])
def test_files_that_another_process_wrote_are_uploaded_too(paths: list[Any], pattern: str) -> None:
    other = f"{paths[1]}{pattern}"
    (paths[0] / "in" / "a.png").write_bytes(b"1")
    assert [file.title for file in find_files(other, ObjectStoragePath)] == ["a.png"]
    (paths[0] / "in" / "b.png").write_bytes(b"22")
    (paths[0] / "in" / "a.png").write_bytes(b"333")
    found = find_files(other, ObjectStoragePath)
    assert [(file.title, file.size) for file in found] == [("a.png", 3), ("b.png", 2)]


def test_a_file_that_another_process_wrote_again_has_its_size(paths: list[Any]) -> None:
    one, other = (path / "a.png" for path in paths)
    one.write_bytes(b"1")
    list(paths[1].iterdir())
    assert [file.size for file in find_files(other, ObjectStoragePath)] == [1]
    one.write_bytes(b"22")
    assert [file.size for file in find_files(other, ObjectStoragePath)] == [2]


def test_pre_labels_that_another_process_wrote_are_imported_too(paths: list[Any]) -> None:
    (paths[0] / "a.jsonl").write_bytes(b'{"data_hash": "a"}\n')
    assert [line.place for line in prelabels_of(paths[1])] == ["a.jsonl, line 1"]
    (paths[0] / "b.jsonl").write_bytes(b'{"data_hash": "b"}\n')
    assert [line.place for line in prelabels_of(paths[1])] == ["a.jsonl, line 1", "b.jsonl, line 1"]


def test_files_of_another_form_that_another_process_wrote_are_read_too(paths: list[Any]) -> None:
    (paths[0] / "labels" / "a.txt").write_bytes(b"0")
    assert [name for name, _ in files_of(paths[1], (".txt",), below=True)] == ["labels/a.txt"]
    (paths[0] / "labels" / "b.txt").write_bytes(b"0")
    found = files_of(paths[1], (".txt",), below=True)
    assert [name for name, _ in found] == ["labels/a.txt", "labels/b.txt"]
