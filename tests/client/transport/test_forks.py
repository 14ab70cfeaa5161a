"""A client that is used after a fork has connections of its own.

Fault 7.3: parent and child shared sockets, and read each other's answers: 11 of 180 calls failed.
"""

from __future__ import annotations

import dataclasses
import os
import threading
import traceback

import msgspec

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.client.transport.sync import SyncTransport
from tests.client.scripted_server import Received, ScriptedServer, respond
from tests.client.sending import GET, api_key
from tests.wire.vectors import ssh_key

CALLS, CHILDREN, THREADS = 60, 3, 3


def _echo(received: Received) -> tuple[int, dict[str, str]]:
    return 200, {"trace": received.headers["x-cloud-trace-context"].partition("/")[0], "agent": "a" * 2000}


def _call_many(transport: SyncTransport) -> None:
    """Many calls over several connections; each answer must be the one to its own request."""
    read = dataclasses.replace(GET, read=msgspec.json.decode)

    def some() -> None:
        for _ in range(CALLS):
            answer = transport.send(read)
            assert answer["agent"] == "a" * 2000
            traces.add(answer["trace"])

    traces: set[str] = set()
    failed: list[BaseException] = []

    def guarded() -> None:
        try:
            some()
        except BaseException as error:  # noqa: BLE001 - the main thread reports it
            failed.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed, failed
    assert len(traces) == CALLS * THREADS


def _in_child(work: object) -> int:
    """Fork, and do it in the child.

    :return: The child's process id.
    """
    if child := os.fork():
        return child
    status = 1
    try:
        work()  # type: ignore[operator]
        status = 0
    except BaseException:  # noqa: BLE001 - the child must not go on with the tests of its parent
        traceback.print_exc()
    finally:
        os._exit(status)


def _ended_well(child: int) -> bool:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_children_and_parent_use_one_transport_at_the_same_time(server: ScriptedServer):
    server.always(respond(_echo))
    transport = SyncTransport(ssh_key(), Settings(base_url=server.url), attempts=1)
    _call_many(transport)  # connections are open when it forks
    children = [_in_child(lambda: _call_many(transport)) for _ in range(CHILDREN)]
    _call_many(transport)
    assert all(list(map(_ended_well, children)))
    _call_many(transport)  # the ends of the children took nothing from the parent
    transport.close()


def test_a_client_that_was_asking_in_a_thread_while_it_was_forked_does_not_wait_for_ever_in_the_child(server):
    asked, go_on = threading.Event(), threading.Event()

    def slow(received: Received) -> tuple[int, object]:
        if not asked.is_set():
            asked.set()
            go_on.wait(30)
        kind = {"status": 200, "response": {"title": "key", "resource_type": "project"}}
        return 200, kind

    server.always(respond(slow))
    client = EncordClient(api_key(), Settings(base_url=server.url))
    thread = threading.Thread(target=lambda: client.key_resource)
    thread.start()
    assert asked.wait(30)
    child = _in_child(lambda: client.key_resource)
    ended_well = _ended_well(child)
    go_on.set()
    thread.join(30)
    assert ended_well
    client.close()
