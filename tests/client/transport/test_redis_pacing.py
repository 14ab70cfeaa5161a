"""The pace in a Redis server: what machines share that know nothing of each other, and what happens without it."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_encord.client.errors import RateLimitedError
from airflow_provider_encord.client.transport import redis_pacing
from airflow_provider_encord.client.transport.pace import Pace
from airflow_provider_encord.client.transport.pacing import MemoryStore, Pacer
from airflow_provider_encord.client.transport.redis_pacing import RedisStore
from airflow_provider_encord.client.transport.settings import Settings
from tests.client.scripted_server import ScriptedServer, answer
from tests.client.sending import sender
from tests.client.transport.test_retry import FINE, READ, Clock, call_v1
from tests.free_port import free_port
from tests.wire.vectors import ssh_key

redis = pytest.importorskip("redis")
PASSWORD = "correct-horse"


class Server:
    """A Redis server with a password that can be stopped and started."""

    def __init__(self, executable: str, directory: Path):
        self.executable, self.directory, self.port = executable, directory, free_port()
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                *(self.executable, "--bind", "127.0.0.1", "--port", str(self.port), "--requirepass", PASSWORD),
                *("--save", "", "--dir", str(self.directory)),
            ],
            stdout=subprocess.DEVNULL,
        )
        client = redis.Redis.from_url(self.url)
        deadline = time.monotonic() + 30
        while True:
            try:
                client.ping()
            except redis.ConnectionError:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            else:
                break

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
        self.process = None


@pytest.fixture
def server_of_redis(tmp_path: Path) -> Iterator[Server]:
    executable = shutil.which("redis-server")
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is not installed")
        pytest.skip("redis-server is not installed")
    made = Server(executable, tmp_path)
    made.start()
    yield made
    made.stop()


def count(url: str, times: int) -> None:
    store = RedisStore(url, "pace", MemoryStore())
    for _ in range(times):
        store.update(Pace.take)


def taken(store: RedisStore) -> float:
    return store.update(lambda pace: pace.taken)


def test_changes_of_many_processes_are_all_there(server_of_redis: Server) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=count, args=(server_of_redis.url, 200)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert taken(RedisStore(server_of_redis.url, "pace", MemoryStore())) == 800


def test_a_fork_has_a_connection_of_its_own(server_of_redis: Server) -> None:
    store = RedisStore(server_of_redis.url, "pace", MemoryStore())
    store.update(Pace.take)
    process = multiprocessing.get_context("fork").Process(target=store.update, args=(Pace.take,))
    process.start()
    process.join()
    store.update(Pace.take)
    assert taken(store) == 3


def test_what_one_machine_is_asked_to_wait_others_wait(
    server: ScriptedServer, server_of_redis: Server, kind: str
) -> None:
    clock = Clock()

    def pacer() -> Pacer:
        return Pacer(RedisStore(server_of_redis.url, "pace", MemoryStore()), clock=clock)

    server.will(answer(429, headers={"Retry-After": "61"}), FINE)
    settings = Settings(base_url=server.url)
    one = sender(kind, ssh_key(), settings, sleep=clock.sleep, clock=clock, pacer=pacer())
    with one as transport, pytest.raises(RateLimitedError):
        transport.send(call_v1(**READ))
    clock.now += 10
    with sender(kind, ssh_key(), settings, sleep=clock.sleep, clock=clock, pacer=pacer()) as other:
        other.send(call_v1(**READ))
    assert clock.waits == [pytest.approx(51, abs=1)]  # the clock of Redis runs on meanwhile


def test_machines_whose_clocks_differ_keep_the_same_wait(
    server_of_redis: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that was two minutes behind took the times for wrong, and forgot the wait for all machines."""

    def pacer(ahead: float) -> Pacer:
        clock = Clock()
        clock.now = time.time() + ahead
        monkeypatch.setattr(redis_pacing.time, "time", clock)
        store = RedisStore(server_of_redis.url, "pace", MemoryStore())
        store.update(Pace.take)
        monkeypatch.undo()
        return Pacer(store, clock=clock)

    for ahead in (120.0, 0.0, -120.0):
        one, other = pacer(ahead), pacer(0.0)
        now = one.clock()
        one.store.update(lambda pace, now=now: pace.refuse(now, sent_at=now, seconds=50.0))
        waits = [each.store.update(lambda pace, each=each: pace.opens_at - each.clock()) for each in (other, one)]
        assert waits == [pytest.approx(50, abs=2), pytest.approx(50, abs=2)]


def test_while_redis_is_away_a_machine_goes_by_itself_and_no_password_is_logged(
    server_of_redis: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(redis_pacing, "_WITHOUT", 0.2)
    stand_in = MemoryStore()
    store = RedisStore(server_of_redis.url, "pace", stand_in)
    store.update(Pace.take)
    server_of_redis.stop()
    for _ in range(5):
        store.update(Pace.take)
    assert stand_in.update(lambda pace: pace.taken) == 5
    assert len(caplog.records) == 1
    assert PASSWORD not in caplog.text
    assert "Redis" in caplog.text
    server_of_redis.start()
    time.sleep(0.2)  # as long as it does without
    store.update(Pace.take)
    assert taken(store) == 1  # Redis has forgotten the first


@pytest.mark.parametrize("content", ["", "x", "\xff" * 72])
def test_content_that_is_no_pace_is_begun_afresh(server_of_redis: Server, content: str) -> None:
    redis.Redis.from_url(server_of_redis.url).set("airflow-provider-encord:pace", content)
    assert RedisStore(server_of_redis.url, "pace", MemoryStore()).update(Pace.take) == 0


def test_a_key_of_another_kind_stops_nothing(server_of_redis: Server) -> None:
    redis.Redis.from_url(server_of_redis.url).lpush("airflow-provider-encord:pace", "x")
    assert RedisStore(server_of_redis.url, "pace", MemoryStore()).update(Pace.take) == 0


def test_a_wrong_password_stops_nothing_and_is_not_logged(
    server_of_redis: Server, caplog: pytest.LogCaptureFixture
) -> None:
    url = server_of_redis.url.replace(PASSWORD, "guessed-wrong")
    assert RedisStore(url, "pace", MemoryStore()).update(Pace.take) == 0
    assert "guessed-wrong" not in caplog.text


def test_answers_in_another_form_stop_nothing(server_of_redis: Server) -> None:
    RedisStore(server_of_redis.url, "pace", MemoryStore()).update(lambda pace: pace.send(time.time(), pace.take()))
    store = RedisStore(f"{server_of_redis.url}?decode_responses=True", "pace", MemoryStore())
    assert store.update(Pace.take) in (0, 1)


@pytest.mark.parametrize(
    "url",
    [
        "redis.example.com",
        "http://redis.example.com",
        "redis://host:port/0",
        "redis://127.0.0.1:1/0?sockettimeout=5",
        "rediss://127.0.0.1:1/0?ssl_cert_reqs=wild",
    ],
)
def test_a_url_that_is_not_one_of_redis_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        RedisStore(url, "pace", MemoryStore())
