"""Calls to send, transports of either kind that do not wait, and all that an error may tell a log."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from airflow_provider_encord.client.api.core.reading import ignored, v2_reader
from airflow_provider_encord.client.call import SSH_OR_API_KEY, Call, Envelope, Request, Resource
from airflow_provider_encord.client.credentials import ApiKey, SshKey
from airflow_provider_encord.client.transport.asynchronous import AsyncTransport
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.client.transport.sync import SyncTransport
from tests.client.on_loop import TransportOnLoop

PROJECT = "aaaaaaaa-0000-4000-8000-000000000001"
SECRET = "encord-secret-api-key/0123+456789=="
GET = Call(request=Request("GET", "projects/x"), read=v2_reader(dict), operation="project.get")
POST = Call(
    request=Request("POST", "datasets", json={"title": "t"}),
    read=ignored,
    changes=True,
    repeatable=False,
    operation="dataset.create",
)
READ_V1 = Call(
    request=Envelope("project", "GET", Resource("project", PROJECT)),
    read=ignored,
    credentials=SSH_OR_API_KEY,
    operation="project.get",
)


def api_key() -> ApiKey:
    return ApiKey(SECRET, PROJECT)


SYNC, ASYNC = KINDS = ("sync", "async")


@contextlib.contextmanager
def sender(
    kind: str,
    credential: SshKey | ApiKey,
    settings: Settings,
    *,
    sleep: Callable[[float], Any] = lambda seconds: None,
    clock: Callable[[], float] = time.time,
    **options: Any,
) -> Iterator[SyncTransport | TransportOnLoop]:
    """A transport of either kind that does not wait, called the same way."""

    async def sleep_on_loop(seconds: float) -> None:
        sleep(seconds)

    made: SyncTransport | TransportOnLoop
    if kind == SYNC:
        made = SyncTransport(credential, settings, sleep=sleep, clock=clock, **options)
    else:
        made = TransportOnLoop(
            lambda: AsyncTransport(credential, settings, sleep=sleep_on_loop, clock=clock, **options)
        )
    with contextlib.closing(made):
        yield made


def everything_said(error: BaseException) -> str:
    """All text that a log of this error could hold: message, causes, and the local variables of the frames."""
    said = traceback.TracebackException.from_exception(error, capture_locals=False)
    chain, seen = [error], [repr(error), str(error), repr(vars(error)), "".join(said.format())]
    while chain:
        one = chain.pop()
        for linked in (one.__cause__, one.__context__):
            if linked is not None:
                chain.append(linked)
                seen += [repr(linked), str(linked), repr(getattr(linked, "request", None) and linked.request.headers)]
    return "\n".join(seen)
