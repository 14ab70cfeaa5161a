"""The ASGI application: which family a request belongs to, what befalls it, what the journal says about it.

A request runs through the same gate whatever it asks for: body, fault, rate limit, work, journal. A cut connection is
real: the transport is dropped, by :mod:`.server`, without an answer.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from ..pages import serving
from ..requests import access
from ..state import objects
from ..state.database_file import is_unavailable
from ..state.emulation import Emulation
from ..state.faults import Do
from ..webhooks.deliveries import Deliveries
from ..wire import answers, times
from ..wire.answers import Answer
from ..wire.errors import Reason, RefusalError
from . import controls, envelope, pages, request_origin, rest

log = logging.getLogger("encord-emulator")

_Work = Callable[[], Awaitable[Answer]]


@dataclasses.dataclass
class _Asked:
    """What the gate must know about a request before its work is done."""

    work: _Work
    changes: bool
    query: str = ""
    query_type: str | None = None
    query_method: str | None = None
    credential: str = "none"
    request_bytes: int = 0
    counts: bool = True


class Application:
    """Serves one emulation.

    :param allowed_hosts: Names and addresses that may stand in ``Host`` beside the loopback's.
    """

    def __init__(self, emulation: Emulation, allowed_hosts: Collection[str] = ()) -> None:
        self._emulation = emulation
        self._webhooks = Deliveries(emulation)
        self._allowed_hosts = frozenset(map(request_origin.host_name, allowed_hosts))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        path = scope["path"]
        refusal = request_origin.refusal(scope, self._allowed_hosts, is_page=serving.is_page(path))
        response: Response | None
        if refusal is not None:
            response = answers.plain({"message": refusal[1]}, refusal[0], {"Connection": "close"}).response
        elif path in envelope.PATHS or path.startswith((rest.PREFIX, objects.PREFIX)):
            response = await self._through_the_gate(request)
        else:
            response = (await self._guarded(lambda: self._outside(request))).response
        if response is None:
            await _cut(scope, receive)
            return
        for name, value in (request_origin.HEADERS | {"Date": times.http(self._emulation.clock.now())}).items():
            response.headers.setdefault(name, value)
        await response(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self._emulation.jobs.resume()
        self._webhooks.resume()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._webhooks.stop()
        self._emulation.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _outside(self, request: Request) -> Answer:
        """What is not an API of Encord: the controls, and the pages for people."""
        path = request.scope["path"]
        if path.startswith(controls.PREFIX):
            return await controls.answer(self._emulation, self._webhooks, request)
        return Answer(pages.answer(self._emulation, request))

    async def _guarded(self, work: _Work) -> Answer:
        """What the work gives; an answer also where the emulator itself, or its database file, fails."""
        try:
            return await work()
        except sqlite3.Error as error:
            if is_unavailable(error):
                return answers.plain({"message": f"--db: {error}; try again"}, 503, {"Retry-After": "1"})
            log.exception("The emulator failed on a request; this is a bug in the emulator.")
        except Exception:
            log.exception("The emulator failed on a request; this is a bug in the emulator.")
        return answers.plain({"message": "the emulator failed; its log says why"}, 500)

    async def _through_the_gate(self, request: Request) -> Response | None:
        started = time.perf_counter()
        asked = await self._read(request)
        fault = self._emulation.faults.pick(request.method, request.scope["path"], asked.query_type, asked.query_method)
        answer = await self._answer(asked, fault[1] if fault else None)
        self._note(request, asked, fault[0] if fault else None, answer, time.perf_counter() - started)
        return answer.response if answer is not None else None

    async def _read(self, request: Request) -> _Asked:
        path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]}
        base_url = f"{request.scope['scheme']}://{headers.get('host', '127.0.0.1')}"
        if path.startswith(objects.PREFIX):
            # The query of a signed URL is a secret, and a body may be large: neither is read here.
            work = objects.work(self._emulation.objects, request, headers, query)
            length = headers.get("content-length", "0")
            size = int(length) if length.isdigit() else 0
            return _Asked(work, request.method != "GET", request_bytes=size, counts=False)
        body = await request.body()
        credential = access.claimed_credential(headers)
        if path in envelope.PATHS:
            return self._read_v1(request.method, path, headers, body, base_url, credential)
        target = request.scope.get(
            "encord.target", request.scope["raw_path"].decode("latin-1") + ("?" + query) * bool(query)
        )
        visit = rest.read(request.method, path, query, target, headers, body)
        return _Asked(
            lambda: rest.answer(self._emulation, visit, base_url),
            visit.changes,
            query=query,
            credential=credential,
            request_bytes=len(body),
        )

    def _read_v1(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, base_url: str, credential: str
    ) -> _Asked:
        letter = envelope.read(path, headers, body)
        if method != "POST":
            letter.problem = RefusalError(Reason.NO_SUCH_VERB, "v1 takes POST only")
        opened = letter.envelope
        return _Asked(
            lambda: envelope.answer(self._emulation, letter, base_url),
            letter.changes,
            query_type=opened.query_type if opened else None,
            query_method=opened.query_method if opened else None,
            credential=credential,
            request_bytes=len(body),
        )

    async def _answer(self, asked: _Asked, fault: Do | None) -> Answer | None:
        """The answer, or ``None`` for a connection that is cut."""
        if fault is not None:
            if fault.delay_s is not None:
                await asyncio.sleep(fault.delay_s)
            if fault.cut == "before":
                return None
            if fault.status is not None:
                return _scripted(fault)
            if fault.v1_error is not None:
                return answers.v1_error(fault.v1_error, 400, fault.payload)
        wait = self._emulation.limits.seconds_to_wait(self._emulation.clock) if asked.counts else None
        if wait is not None:
            return answers.plain({"message": "too many requests"}, 429, {"Retry-After": str(wait)})
        answer = await self._guarded(asked.work)
        return None if fault is not None and fault.cut == "after" else answer

    def _note(self, request: Request, asked: _Asked, fault: str | None, answer: Answer | None, seconds: float) -> None:
        self._emulation.journal.add(
            {
                "time": times.v2(self._emulation.clock.stamp()),
                "method": request.method,
                "path": request.scope["path"],
                "query": asked.query,
                "query_type": asked.query_type,
                "query_method": asked.query_method,
                "changes": asked.changes,
                "credential": asked.credential,
                "status": answer.response.status_code if answer else None,
                "v1_status": answer.v1_status if answer else None,
                "fault": fault,
                "request_bytes": asked.request_bytes,
                "response_bytes": _size(answer.response) if answer else 0,
                "duration_ms": round(seconds * 1000, 3),
            }
        )


def _scripted(fault: Do) -> Answer:
    body = b"" if fault.text is None else fault.text.encode()
    media_type = "text/plain"
    if fault.json is not msgspec.UNSET:
        body, media_type = msgspec.json.encode(fault.json), answers.JSON
    return Answer(Response(body, fault.status or 500, fault.headers, media_type))


def _size(response: Response) -> int:
    if isinstance(response, FileResponse):
        return os.stat(response.path).st_size  # noqa: PTH116 - one call
    return len(response.body)


async def _cut(scope: Scope, receive: Receive) -> None:
    """Drop the connection, and return only when the server has noticed, so that it does not answer by itself."""
    abort: Callable[[], Any] | None = scope.get("encord.abort")
    if abort is None:
        raise RuntimeError("this server cannot cut connections; start it with `encord-emulator serve`")
    abort()
    while (await receive())["type"] != "http.disconnect":
        pass
