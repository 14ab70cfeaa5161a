"""The parts of a cluster that a mistake would make useless: links, servers that come back, and the comparison."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.cluster import kills, programs
from tests.cluster.limit import Limited
from tests.cluster.links import LOOPBACK, Link, Links
from tests.cluster.report import Report
from tests.cluster.rounds import Outcome
from tests.cluster.scaling import Measured
from tests.cluster.servers import Postgres, Redis
from tests.cluster.usage import Used
from tests.cluster.workloads.base import require_each_once


@pytest.fixture
def link() -> Iterator[Link]:
    """To a server that sends back what it gets."""
    with socket.create_server((LOOPBACK, 0)) as server, Links() as links:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=_echo, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield links.to(server.getsockname()[1])


def _echo(connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        while data := connection.recv(1000):
            connection.sendall(data)


def _asked(connection: socket.socket) -> bytes:
    """What comes back; nothing if the connection has ended."""
    try:
        connection.sendall(b"hello")
        return connection.recv(1000)
    except OSError:
        return b""


def test_a_cut_ends_connections_and_takes_no_new_ones_until_it_is_mended(link: Link) -> None:
    def connect() -> socket.socket:
        return socket.create_connection((LOOPBACK, link.port), timeout=10)

    with connect() as early:
        assert _asked(early) == b"hello"
        link.cut()
        assert _asked(early) == b""
        with connect() as late:
            assert _asked(late) == b""
        link.mend()
        with connect() as later:
            assert _asked(later) == b"hello"


@pytest.mark.skipif(not programs.find("redis-server"), reason="redis-server is not installed")
def test_what_redis_was_sent_is_there_after_a_crash(tmp_path: Path) -> None:
    server = Redis(tmp_path / "redis")
    server.start()
    try:
        with redis.Redis.from_url(server.url()) as client:
            client.rpush("queue", "one", "two")
        server.kill()
        server.start()
        with redis.Redis.from_url(server.url()) as client:
            assert client.lrange("queue", 0, -1) == [b"one", b"two"]
    finally:
        server.stop()


@pytest.mark.skipif(not programs.find("postgres"), reason="postgresql is not installed")
def test_postgres_starts_again_after_a_crash_and_stops(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres")
    try:
        server.start()
        server.kill()
        server.start()
        assert server.process is not None
    finally:
        server.stop()
        server.remove()
    assert server.process is None


def test_a_system_without_the_programs_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "_POSTGRES_VERSIONS", tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(programs.MissingProgramError, match=r"sudo apt-get install postgresql redis-server$"):
        programs.install()


def test_the_newest_postgres_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(programs, "_POSTGRES_VERSIONS", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    for version in ("9", "15", "101", "common"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "postgres").touch()
    assert programs.find("postgres") == tmp_path / "101" / "bin" / "postgres"


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (["a"], "1 lost ['b'], 0 doubled"),
        (["a", "b", "b"], "0 lost [], 1 doubled ['b']"),
        (["a", "b", "c"], "1 not expected ['c']"),
    ],
)
def test_what_is_lost_doubled_or_strange_is_named(found: list[str], message: str) -> None:
    with pytest.raises(AssertionError) as caught:
        require_each_once("items", found, ["a", "b"])
    assert message in str(caught.value)


def test_all_that_is_expected_once_is_counted() -> None:
    assert require_each_once("items", iter(["b", "a"]), ["a", "b"]) == 2


def test_a_report_is_good_only_without_problems(tmp_path: Path) -> None:
    good = Outcome("nothing", items={"exports": 3})
    bad = Outcome("scheduler killed", problems=["exports: 1 lost"])
    measured = [Measured(1, 10.0, 8.0), Measured(2, 5.0, 16.0)]
    assert Report("short", 1.0, [good], [], None, {}).good
    limited = Limited(seconds=63.0, without=25.8, requests=1_300, refused=10, tries=0)
    report = Report("short", 1.0, [good, bad], measured, limited, {"redis": Used(1.0, 2.0)})
    assert not report.good
    assert "PROBLEM: exports: 1 lost" in report.text()
    assert "2 workers: 16 (2.0x)" in report.text()
    assert "1.02 times the optimum" in report.text()
    report.write(tmp_path / "report.json")
    assert '"good": false' in (tmp_path / "report.json").read_text()


def test_the_short_form_breaks_what_the_long_form_breaks() -> None:
    assert {one for broken in kills.IN_SHORT for one in broken} <= set(kills.ALL)
