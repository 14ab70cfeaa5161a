"""The hook's async client: whose it is, for how long, and that no user takes it from the others."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync

from airflow_provider_encord.client.api.core.listing import NO_FILTER
from airflow_provider_encord.client.api.projects import all_projects, get_project_v1, list_projects
from airflow_provider_encord.client.call import Gather
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.errors import AuthenticationError, CredentialError, UnsupportedByCredentialError
from airflow_provider_encord.hooks.encord import EncordHook
from tests.airflow_layer.bench import API_KEY_CONNECTION, SSH_CONNECTION, Account, connection, run_dag
from tests.airflow_layer.lines import LINES, running_line
from tests.client import keys
from tests.client.scripted_server import ScriptedServer, answer, late, when

PAGE = answer(json={"results": []})
OTHER_CONNECTION = "AIRFLOW_CONN_ENCORD_OTHER"


def ssh(server: ScriptedServer, private_key: str | None = None) -> str:
    return connection(server.url, private_key=private_key or keys.openssh(keys.new_key()))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that is bound to happen."""
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """A scripted server, to which ``encord_default`` leads."""
    with ScriptedServer() as scripted:
        monkeypatch.setenv(SSH_CONNECTION, ssh(scripted))
        yield scripted


def test_an_async_client_sends_calls_and_runs_flows(account: Account) -> None:
    account.project(title="Street")

    async def work() -> list[str]:
        client = await EncordHook().get_async_client()
        page = await client.send(list_projects())
        everything = await client.run(all_projects(NO_FILTER))
        assert [result.project_hash for result in page.results] == [one.project_hash for one in everything]
        return [one.title for one in everything]

    assert asyncio.run(work()) == ["Street"]


def test_an_api_key_is_not_asked_what_it_belongs_to_if_the_project_is_named(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeded = account.project(title="Street")
    monkeypatch.setenv(API_KEY_CONNECTION, account.api_key_connection(seeded["project_id"]))
    account.emulator.clear_journal()

    async def work() -> None:
        for _ in range(3):
            client = await EncordHook("encord_api_key").get_async_client()
            assert (await client.send(get_project_v1(seeded["project_id"]))).title == "Street"
        with pytest.raises(UnsupportedByCredentialError):
            await client.send(list_projects())

    asyncio.run(work())
    assert [entry["query_type"] for entry in account.emulator.journal()].count("apikeymeta") == 0


def test_all_on_a_loop_share_one_client_and_its_connections(server: ScriptedServer) -> None:
    server.always(PAGE)

    async def work() -> None:
        first = await EncordHook().get_async_client()
        for _ in range(20):
            client = await EncordHook().get_async_client()
            assert client is first
            await client.send(list_projects())

    asyncio.run(work())
    assert len(server.requests) == 20
    assert server.accepted == 1


def test_connections_of_the_same_content_share_it_too(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    key = keys.openssh(keys.new_key())
    monkeypatch.setenv(SSH_CONNECTION, ssh(server, key))
    monkeypatch.setenv(OTHER_CONNECTION, ssh(server, key))

    async def work() -> None:
        first, second = [await EncordHook(one).get_async_client() for one in ("encord_default", "encord_other")]
        assert first is second
        monkeypatch.setenv(OTHER_CONNECTION, ssh(server))
        assert await EncordHook("encord_other").get_async_client() is not first
        assert await EncordHook().get_async_client() is first

    asyncio.run(work())


def test_another_time_out_is_another_client(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    key = keys.openssh(keys.new_key())
    monkeypatch.setenv(SSH_CONNECTION, ssh(server, key))
    monkeypatch.setenv(OTHER_CONNECTION, connection(server.url, private_key=key, read_timeout=5))

    async def work() -> None:
        assert await EncordHook().get_async_client() is not await EncordHook("encord_other").get_async_client()

    asyncio.run(work())


def test_one_users_closing_takes_nothing_from_the_others(server: ScriptedServer) -> None:
    server.always(late(0.3, PAGE))

    async def work() -> None:
        mine = await EncordHook().get_async_client()
        pending = asyncio.create_task(mine.send(list_projects()))
        await until(lambda: server.accepted == 1)
        async with await EncordHook().get_async_client():
            pass
        assert (await pending).results == []
        assert (await mine.send(list_projects())).results == []

    asyncio.run(work())
    assert server.accepted == 1


def test_a_cancelled_user_takes_nothing_from_the_others(server: ScriptedServer) -> None:
    server.always(late(0.3, PAGE))

    async def poll() -> None:
        await (await EncordHook().get_async_client()).send(list_projects())

    async def work() -> None:
        tasks = [asyncio.create_task(poll()) for _ in range(4)]
        await until(lambda: server.accepted == 4)
        tasks[0].cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(done[0], asyncio.CancelledError)
        assert done[1:] == [None] * 3

    asyncio.run(work())


def test_a_rotated_key_is_followed_and_the_old_client_ends_when_its_work_has(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = threading.Event()
    server.always(when(opened, PAGE))

    async def work() -> None:
        old = await EncordHook().get_async_client()
        pending = asyncio.create_task(old.send(list_projects()))
        await until(lambda: server.accepted == 1)
        monkeypatch.setenv(SSH_CONNECTION, ssh(server))
        new = await EncordHook().get_async_client()
        assert new is not old
        assert new.credential != old.credential
        assert server.ended == 0
        opened.set()
        assert (await pending).results == []
        await until(lambda: server.ended == 1)  # the old one has given its connection back
        await new.send(list_projects())
        assert server.ended == 1
        assert (await old.send(list_projects())).results == []  # code that still holds it is served
        await until(lambda: server.ended == 2)

    asyncio.run(work())
    signed_by = [request.headers["signature-input"].partition('keyid="')[2][:64] for request in server.requests]
    assert signed_by[0] == signed_by[2] != signed_by[1]


def test_a_key_file_that_is_replaced_is_followed(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.touch(0o600)
    monkeypatch.setenv(SSH_CONNECTION, connection(server.url, ssh_key_path=str(file)))
    new_keys = [keys.new_key(), keys.new_key()]

    async def work() -> list[str]:
        found = []
        for key in new_keys:
            file.write_text(keys.openssh(key))
            client = await EncordHook().get_async_client()
            assert isinstance(client.credential, SshKey)
            found.append(client.credential.public_key_hex)
        return found

    assert asyncio.run(work()) == [keys.public_hex(one) for one in new_keys]


def test_an_old_client_without_work_ends_at_once(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.always(PAGE)

    async def work() -> None:
        await (await EncordHook().get_async_client()).send(list_projects())
        monkeypatch.setenv(SSH_CONNECTION, ssh(server))
        await EncordHook().get_async_client()
        await until(lambda: server.ended == 1)

    asyncio.run(work())


def test_loops_have_clients_of_their_own_which_end_with_them(server: ScriptedServer) -> None:
    server.always(PAGE)
    seen = []

    async def work() -> None:
        client = await EncordHook().get_async_client()
        seen.append(client)
        await client.run(iter(Gather([list_projects() for _ in range(4)], 4)))

    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        for _ in range(3):
            asyncio.run(work())
        gc.collect()
    assert len({id(one) for one in seen}) == 3
    asyncio.run(until(lambda: server.ended == server.accepted))


def test_an_unusable_connection_is_an_error_that_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = keys.openssh(keys.rsa_key())
    monkeypatch.setenv(SSH_CONNECTION, connection("https://api.encord.com", private_key=secret))

    async def work() -> None:
        await EncordHook().get_async_client()

    with pytest.raises(CredentialError, match="private_key") as caught:
        asyncio.run(work())
    error = caught.value
    frames = traceback.TracebackException.from_exception(error, capture_locals=True).stack
    ours = [frame for frame in frames if "airflow_provider_encord" in frame.filename]
    result = repr([frame.locals for frame in ours]) + repr(vars(error)) + str(error)
    assert ours
    assert error.__cause__ is None
    for line in secret.splitlines()[1:-1]:
        assert line not in result


def test_a_refused_key_is_reported_as_by_the_other_client(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = keys.openssh(keys.new_key())
    monkeypatch.setenv(SSH_CONNECTION, connection(account.emulator.url, private_key=stranger))

    async def work() -> str:
        with pytest.raises(AuthenticationError) as caught:
            await (await EncordHook().get_async_client()).send(list_projects())
        return caught.value.message

    with EncordHook() as hook, pytest.raises(AuthenticationError) as caught:
        hook.get_conn().send(list_projects())
    assert asyncio.run(work()) == caught.value.message


def test_reading_a_connection_leaves_the_loop_free(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An encrypted key takes a while to open, on purpose."""
    locked = keys.openssh(keys.new_key(), "open sesame")
    monkeypatch.setenv(SSH_CONNECTION, connection(server.url, private_key=locked, private_key_passphrase="open sesame"))
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    async def work() -> int:
        ticking = asyncio.create_task(tick())
        await asyncio.sleep(0)
        before = ticks
        await EncordHook().get_async_client()
        ticking.cancel()
        return ticks - before

    assert asyncio.run(work()) > 3


@pytest.mark.airflow
@pytest.mark.usefixtures("airflow_database")
def test_triggers_of_a_dag_poll_with_it(account: Account) -> None:
    from tests.airflow_layer.dags import waiting_in_a_trigger

    account.project(title="Street")
    run = run_dag(waiting_in_a_trigger.dag)

    assert run.state == "success", run.tasks
    assert run.results == {"first": ["Street"], "second": ["Street"]}


@pytest.mark.airflow
@pytest.mark.usefixtures("airflow_database")
@pytest.mark.skipif(LINES.index(running_line()) < LINES.index("3.2"), reason="tasks are no coroutines before 3.2")
def test_a_task_that_is_a_coroutine_has_it_too(account: Account) -> None:
    from tests.airflow_layer.dags import async_task

    account.project(title="Street")
    run = run_dag(async_task.dag)

    assert run.state == "success", run.tasks
    assert run.results == {"titles": ["Street", "Street"]}


def test_secrets_of_an_async_connection_are_masked(account: Account) -> None:
    from airflow.providers.common.compat.sdk import redact

    async def ask() -> None:
        await EncordHook().get_async_client()

    asyncio.run(ask())
    line = account.private_key.splitlines()[2]
    assert line not in json.dumps(redact({"said": f"key {line}"}))


def test_secrets_are_masked_from_a_thread_that_calls_the_supervisor_on_the_triggerers_own_loop(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the triggerer of Airflow 3.1, `mask_secret` calls the supervisor with `async_to_sync`. On another loop, the
    responses are mixed up, and the triggerer ends."""
    loops = list[asyncio.AbstractEventLoop]()

    async def call_the_supervisor() -> None:
        loops.append(asyncio.get_running_loop())

    def mask(_: str) -> None:
        assert threading.current_thread() is not threading.main_thread(), "the loop would be blocked"
        async_to_sync(call_the_supervisor)()

    monkeypatch.setattr("airflow_provider_encord.hooks.encord.mask_secret", mask)

    async def work() -> None:
        await EncordHook().get_async_client()
        assert loops
        assert set(loops) == {asyncio.get_running_loop()}

    asyncio.run(work())
