"""Serving the application over HTTP with uvicorn, and cutting connections for real when a fault says so."""

from __future__ import annotations

import gc
import logging
import pathlib
import signal
import socket
import sys
from collections.abc import Collection, Sequence
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from ..people.people import authorize
from ..state.emulation import Emulation
from ..uploads.work import WORK
from .app import Application

KEEP_ALIVE_SECONDS = 75
"""Longer than a pooled client is likely to pause, so that it does not meet a connection that is just being closed."""


# uvicorn picks the class when it is imported, which a type checker cannot follow.
_Protocol: Any = AutoHTTPProtocol


class CuttableProtocol(_Protocol):  # type: ignore[misc]
    """uvicorn's own protocol, which also passes the application the raw target and a way to drop the connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        inner: ASGIApp = vars(self)["app"]

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope["encord.abort"] = self.transport.abort
            raw = getattr(self, "url", None)  # httptools keeps the target as it came; h11's parts give it back
            if isinstance(raw, bytes):
                scope["encord.target"] = raw.decode("latin-1")
            await inner(scope, receive, send)

        self.app = with_transport


class _Server(uvicorn.Server):
    """Says where it listens, on one line of standard output, once it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        assert sockets is not None  # noqa: S101 - always given
        host, port = sockets[0].getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        sys.stdout.write(f"encord-emulator listening on http://{shown}:{port}\n")
        sys.stdout.flush()


def serve(
    host: str,
    port: int,
    database: pathlib.Path | None,
    keys: Sequence[tuple[str, str]],
    allowed_hosts: Collection[str] = (),
) -> None:
    """Serve until a signal ends it.

    :param keys: Email and public key of each person to register, as administrators of the organisation.
    :param allowed_hosts: Names and addresses that may stand in ``Host`` beside the loopback's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    emulation = Emulation(WORK, database)
    for email, public_key in keys:
        authorize(emulation.store, emulation.clock, email, public_key, "ADMIN")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    config = uvicorn.Config(
        Application(emulation, allowed_hosts),
        http=CuttableProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
    # uvicorn raises the signal again when it is done; ending on request is a success here.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: None)
    gc.freeze()  # what is there by now stays; Python would look through all of it again and again
    _Server(config).run(sockets=[listener])
