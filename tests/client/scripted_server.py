"""An HTTP server on the loopback that answers from a script, and misbehaves on demand.

Each request takes the next act of the script. An act gets the connection before the body of the request is
read, as servers that refuse early do; most acts read it first.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import queue
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_MISSING: Any = object()


@dataclasses.dataclass(frozen=True)
class Received:
    """A request as it arrived.

    :param headers: Names in lower case; a header that came twice is joined with a comma.
    :param port: Of the client's end: distinguishes connections.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    port: int

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """One accepted connection, for acts."""

    def __init__(self, peer: socket.socket, port: int):
        self.socket = peer
        self.port = port
        self._file = peer.makefile("rb")
        self._head: tuple[str, str, dict[str, str]] | None = None

    def read_head(self) -> bool:
        """Read the request line and the headers; False if the client has gone."""
        line = self._file.readline()
        if not line.strip():
            return False
        try:
            method, target, _ = line.decode("ascii").split(" ", 2)
        except ValueError:  # what a TLS client says to a plain server
            self.socket.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return False
        headers: dict[str, str] = {}
        while (line := self._file.readline()).strip():
            name, _, value = line.decode("latin-1").partition(":")
            name, value = name.strip().lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        self._head = method, target, headers
        return True

    def read_body(self) -> Received:
        assert self._head is not None
        method, target, headers = self._head
        body = self._read_chunks() if "transfer-encoding" in headers else b""
        if length := int(headers.get("content-length", 0)):
            body = self._file.read(length)
        return Received(method, target, headers, body, self.port)

    def _read_chunks(self) -> bytes:
        body = b""
        while size := int(self._file.readline().strip() or b"0", 16):
            body += self._file.read(size)
            self._file.readline()
        return body

    def close(self, *, reset: bool = False) -> None:
        with contextlib.suppress(OSError):
            if reset:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._file.close()
            self.socket.close()


Act = Callable[["ScriptedServer", Connection], bool]
"""Deals with one request; says whether the connection stays open."""


def answer(
    status: int = 200,
    *,
    json: Any = _MISSING,
    text: str | bytes = b"",
    headers: Mapping[str, str] | None = None,
    keep_alive: bool = True,
) -> Act:
    """Read the request and answer it."""
    body = text.encode() if isinstance(text, str) else text
    if json is not _MISSING:
        body = _dump(json)

    def act(server: ScriptedServer, connection: Connection) -> bool:
        server.note(connection.read_body())
        _send(connection, status, body, headers or {})
        return keep_alive

    return act


def respond(with_: Callable[[Received], tuple[int, Any]]) -> Act:
    """Answer with a status and JSON that depend on the request."""

    def act(server: ScriptedServer, connection: Connection) -> bool:
        received = connection.read_body()
        server.note(received)
        status, content = with_(received)
        _send(connection, status, _dump(content), {})
        return True

    return act


def v1(response: Any, **envelope: Any) -> Act:
    """Answer with an envelope."""
    return answer(json={"status": 200, "response": response, **envelope})


def v1_error(code: str, **envelope: Any) -> Act:
    """Answer with an error in an envelope."""
    return answer(json={"status": 400, "response": [code], **envelope})


def echo() -> Act:
    """Answer 400, with the request's own headers and body as the server's text: what a debugging proxy might do."""

    def act(server: ScriptedServer, connection: Connection) -> bool:
        received = connection.read_body()
        server.note(received)
        said = {"message": f"You sent {received.headers} and {received.body!r} to {received.target}"}
        _send(connection, 400, _dump(said), {})
        return True

    return act


def cut(*, after: int | None = None, reset: bool = False) -> Act:
    """Read the request, then drop the connection: without an answer, or `after` bytes of the answer's body."""

    def act(server: ScriptedServer, connection: Connection) -> bool:
        server.note(connection.read_body())
        if after is not None:
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
            connection.socket.sendall(head + b" " * after)
        if reset:
            connection.close(reset=True)
        return False

    return act


def refuse_early(status: int = 403) -> Act:
    """Answer before the body is read, and drop the connection."""

    def act(server: ScriptedServer, connection: Connection) -> bool:
        _send(connection, status, b"", {"Connection": "close"})
        with contextlib.suppress(OSError):  # drain, so that the answer is not lost to a reset
            connection.socket.shutdown(socket.SHUT_WR)
            while connection.socket.recv(1 << 16):
                pass
        return False

    return act


def hang() -> Act:
    """Read the request and say nothing until the server is closed."""

    def act(server: ScriptedServer, connection: Connection) -> bool:
        server.note(connection.read_body())
        server.closing.wait(30)
        return False

    return act


def late(seconds: float, then: Act) -> Act:
    """Do something after a while."""

    def act(server: ScriptedServer, connection: Connection) -> bool:
        server.closing.wait(seconds)
        return then(server, connection)

    return act


def when(opened: threading.Event, then: Act) -> Act:
    """Do something once the test allows it."""

    def act(server: ScriptedServer, connection: Connection) -> bool:
        while not opened.wait(0.01) and not server.closing.is_set():
            pass
        return then(server, connection)

    return act


def _dump(value: Any) -> bytes:
    return json.dumps(value).encode()


def _send(connection: Connection, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
    if status != 204:
        lines.append(f"Content-Length: {len(body)}")
    connection.socket.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (b"" if status == 204 else body))


class ScriptedServer:
    """Serves until it is closed; use it in a ``with``.

    :param tls: Makes it an https server.
    :param drop_handshakes: Accept connections only to drop them, as a TLS server that dies would.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, drop_handshakes: bool = False):
        self._tls = tls
        self._drop_handshakes = drop_handshakes
        self._script: queue.SimpleQueue[Act] = queue.SimpleQueue()
        self._always: Act | None = None
        self._lock = threading.Lock()
        self._open: list[Connection] = []
        self.closing = threading.Event()
        self.requests: list[Received] = []
        self.accepted = 0
        self.ended = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        scheme = "https" if tls or drop_handshakes else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> ScriptedServer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def will(self, *acts: Act) -> ScriptedServer:
        """Add to the script."""
        for act in acts:
            self._script.put(act)
        return self

    def always(self, act: Act) -> ScriptedServer:
        """What to do when the script has ended."""
        self._always = act
        return self

    def note(self, received: Received) -> None:
        with self._lock:
            self.requests.append(received)

    def close(self) -> None:
        self.closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                peer, (_, port) = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            if self._drop_handshakes:
                peer.recv(1 << 16)  # all of it: what is left unread would make the end a reset
                peer.close()
                continue
            thread = threading.Thread(target=self._serve, args=(peer, port), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, peer: socket.socket, port: int) -> None:
        if self._tls:
            try:
                peer = self._tls.wrap_socket(peer, server_side=True)
            except OSError:
                peer.close()
                return
        connection = Connection(peer, port)
        with self._lock:
            self._open.append(connection)
        with contextlib.suppress(OSError, ValueError):
            while not self.closing.is_set() and connection.read_head():
                if not self._next()(self, connection):
                    break
        connection.close()
        with self._lock:
            self.ended += 1

    def _next(self) -> Act:
        try:
            return self._script.get_nowait()
        except queue.Empty:
            return self._always or answer(418, text="Nothing more is in the script.")


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port without a listener, which no other process can take meanwhile."""
    with socket.socket() as keeper:
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]
