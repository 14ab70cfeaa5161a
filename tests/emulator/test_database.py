"""Faults 10.2 and 8.7: a database file that cannot be used is named in one line; one that is locked is waited for."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from encord_emulator.process import Emulator, EmulatorError
from tests.emulator.callers import Person, send
from tests.emulator.storage.test_uploads import _poll, _put, _start, picture
from tests.emulator.test_process import _run


def _refused(*options: str) -> str:
    """The one line with which the command ends."""
    ended = _run("serve", "--port", "0", *options)
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("encord-emulator")
    return line


@pytest.mark.parametrize("port", ["80000", "65536", "-1", "x", "", "1.5"])
def test_a_port_that_cannot_be_is_refused_in_one_line(port: str) -> None:
    assert "--port" in _refused("--port", port)


def _directory(path: Path) -> None:
    path.mkdir()


def _text(path: Path) -> None:
    path.write_text("not a database, but a text that is long enough to be taken for one. " * 50)


def _other_database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()


def _other_version(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        connection.execute("CREATE TABLE users (email TEXT PRIMARY KEY)")
    connection.close()


def _cut_database(path: Path) -> None:
    with Emulator.start(database=path) as emulator:
        emulator.project(owner="a@example.com", title="x", rows=100)
    path.write_bytes(path.read_bytes()[:5000])


def _objects_are_a_file(path: Path) -> None:
    Path(f"{path}.objects").write_text("x")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    "make", [_directory, _text, _other_database, _other_version, _cut_database, _objects_are_a_file, _pipe]
)
def test_a_database_that_is_something_else_is_named_and_left_alone(tmp_path: Path, make) -> None:
    path = tmp_path / "state.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    line = _refused("--db", str(path))
    assert "--db" in line
    assert str(path) in line
    assert before is None or path.read_bytes() == before


def test_a_database_whose_folder_is_missing_or_that_has_no_name_is_refused(tmp_path: Path) -> None:
    assert "--db" in _refused("--db", str(tmp_path / "missing" / "state.db"))
    assert "--db" in _refused("--db", "")
    assert "--db" in _refused("--db", "/dev/null")


def test_a_database_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    if os.geteuid() == 0:
        folder = Path("/sys")  # root may write everywhere, but not make a file here
    assert "--db" in _refused("--db", str(folder / "state.db"))


def test_a_second_emulator_on_one_database_is_refused(tmp_path: Path) -> None:
    path, link = tmp_path / "state.db", tmp_path / "link.db"
    with Emulator.start(database=path) as emulator:
        link.symlink_to(path)
        for name in (path, link):
            line = _refused("--db", str(name))
            assert "another emulator" in line
            with pytest.raises(EmulatorError, match="another emulator"):
                Emulator.start(database=name)
        assert emulator.state()["users"] == 0
        emulator.kill()
    with Emulator.start(database=link) as emulator:
        assert emulator.state()["users"] == 0


@pytest.fixture
def used(tmp_path: Path) -> Iterator[tuple[Emulator, Person, Path]]:
    """An emulator that keeps its state in a file, and a person who may create things."""
    path = tmp_path / "state.db"
    with Emulator.start(database=path) as emulator:
        owner = Person(emulator.url, "owner@example.com")
        emulator.authorize(owner.public_key, email=owner.email)
        yield emulator, owner, path


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program's transaction, which locks the whole file."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield connection


def test_a_database_that_another_program_locks_is_refused_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with Emulator.start(database=path):
        pass
    with _locked(path):
        assert "locked" in _refused("--db", str(path))


def test_a_database_that_is_locked_meanwhile_answers_503_and_then_goes_on(used: tuple[Emulator, Person, Path]) -> None:
    emulator, owner, path = used
    with _locked(path) as lock:
        answer = owner.rest("POST", "datasets", {"title": "x"})
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert "locked" in answer.json["message"]
        assert owner.ask("project", "POST", None, {"title": "x"}).status == 503
        headers = {"Content-Type": "application/json"}
        assert send(emulator.url, "POST", "/_emulator/clock", headers, b"{}").status == 503
        threading.Timer(0.3, lock.rollback).start()
        answer = owner.rest("POST", "datasets", {"title": "x"})
        assert answer.status == 200, "a short lock is waited for"
        assert owner.rest("GET", "datasets/list").json["result"][0]["title"] == "x"


def test_a_job_that_meets_a_locked_database_goes_on_afterwards(used: tuple[Emulator, Person, Path]) -> None:
    emulator, owner, path = used
    dataset = owner.rest("POST", "datasets", {"title": "t"}).json["datasetUuid"]
    emulator.jobs(hold=True)
    images = [{"objectUrl": _put(owner, picture()), "title": name} for name in "abc"]
    job = _start(owner, dataset, images=images)
    emulator.jobs(hold=False, units_per_second=10)
    with _locked(path) as lock:
        threading.Timer(2.5, lock.rollback).start()  # longer than the emulator waits at once
        while (answer := owner.ask("dataset", "GET", None, None, dataset=dataset)).status == 503:
            pass
        assert answer.status == 200
        assert _poll(owner, dataset, job)["status"] == "DONE"


def test_a_key_that_is_cut_short_is_refused_in_one_line(tmp_path: Path) -> None:
    key = tmp_path / "cut.pub"
    key.write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@example.com")
    assert "--authorize" in _refused("--authorize", str(key))
