"""The connections of `requests`: pools that share certificates, and a time limit for a whole attempt.

The time-out of a socket applies to each read, so a very slow response never times out. Neither `requests` nor `urllib3`
has a limit for the whole response, and they read the status line and headers before the caller gets control. So each
read from the socket gets the remaining time as its time-out. The transport sets the limit with `within`.
"""

from __future__ import annotations

import contextlib
import contextvars
import http.client
import io
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import requests
import requests.adapters
import urllib3
import urllib3.connection
import urllib3.connectionpool

from airflow_provider_encord.client.transport import network_environment
from airflow_provider_encord.client.transport.deadline import Deadline

CONNECTIONS = 16  # kept open; enough for the parallel reads and uploads of one task
_AT_ONCE = 64 * 1024  # bytes to send before the time is checked again
_SWITCHING = 101

_deadline: contextvars.ContextVar[Deadline | None] = contextvars.ContextVar("deadline", default=None)


@contextlib.contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """Apply a deadline to everything that this thread sends and receives."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


class Pools(requests.adapters.HTTPAdapter):
    """Connection pools that share one TLS context, because loading all certificates for each connection is slow.

    :param trusted: Path of the certificates from the connection, if it has one.
    """

    def __init__(self, trusted: str | None):
        super().__init__(pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS)
        self._trusted = trusted

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Create the pools for connections without a proxy."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        """The key of a pool: the host and the trusted certificates."""
        host, options = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._context()} if host["scheme"] == "https" else options

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Create the pools for connections through a proxy, which may also use TLS."""
        if proxy.lower().startswith("https"):
            options["proxy_ssl_context"] = self._context()
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Do nothing: the TLS context verifies certificates."""

    def _context(self) -> ssl.SSLContext:
        return network_environment.tls_context(network_environment.bundle(self._trusted))


class _TimedSocketFile(io.RawIOBase):
    """Reads from a socket until a deadline."""

    def __init__(self, sock: socket.socket, deadline: Deadline):
        self._sock = sock
        self._deadline = deadline
        self._silence = sock.gettimeout()
        self._inner: Any = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline.left
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left if self._silence is None else min(self._silence, left))
        size: int | None = self._inner.readinto(buffer)
        self._deadline.moved(size or 0)
        return size

    def close(self) -> None:
        self._inner.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """A response that is read until the deadline. Interim responses (103 Early Hints) are skipped."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any):
        super().__init__(sock, *arguments, **options)
        if deadline := _deadline.get():
            self.fp.close()
            self.fp = io.BufferedReader(_TimedSocketFile(sock, deadline))

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        interim = 100 <= status < 200 and status != _SWITCHING
        return version, 100 if interim else status, reason  # the base class skips only status 100


class _Timed:
    """A connection that sends until the deadline."""

    def send(self, data: Any) -> None:
        deadline = _deadline.get()
        if deadline is None or not isinstance(data, bytes | bytearray):
            super().send(data)  # type: ignore[misc]
            return
        view = memoryview(data)
        for start in range(0, len(view), _AT_ONCE):
            piece = view[start : start + _AT_ONCE]
            if deadline.over:
                raise TimeoutError
            super().send(piece)  # type: ignore[misc]
            deadline.moved(len(piece))


class _PlainConnection(_Timed, urllib3.connection.HTTPConnection):
    response_class = _Response


class _TlsConnection(_Timed, urllib3.connection.HTTPSConnection):
    response_class = _Response


class _PlainPool(urllib3.connectionpool.HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(urllib3.connectionpool.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _PlainPool, "https": _TlsPool}
