"""Acts of a server that is slow, wasteful, or does not keep to HTTP; for `scripted_server`."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from tests.client.scripted_server import Act, Connection, ScriptedServer


def raw(*pieces: bytes, pause: float = 0.0, keep_alive: bool = False) -> Act:
    """Read the request, then send these bytes as they are, with a pause after each piece.

    :param pause: Seconds; ends when the server is closed.
    """
    return stream(lambda: iter(pieces), pause=pause, keep_alive=keep_alive)


def stream(pieces: object, *, pause: float = 0.0, keep_alive: bool = False) -> Act:
    """As `raw`, with pieces that are made while they are sent.

    :param pieces: Makes them.
    """

    def act(server: ScriptedServer, connection: Connection) -> bool:
        server.note(connection.read_body())
        for piece in pieces():  # type: ignore[operator]
            connection.socket.sendall(piece)
            if pause and server.closing.wait(pause):
                return False
        return keep_alive

    return act


def drip(head: bytes, then: bytes, *, pause: float) -> Act:
    """Send the head at once, then byte by byte."""
    return stream(lambda: iter([head, *(then[place : place + 1] for place in range(len(then)))]), pause=pause)


def packed(body: Iterable[bytes]) -> Iterator[bytes]:
    """A body in gzip, piece by piece."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    for piece in body:
        yield packer.compress(piece)
    yield packer.flush()


def bomb(size: int, *, status: int = 200, prefix: bytes = b'{"title": "') -> Act:
    """An answer in gzip that becomes so many bytes, a thousand times what is sent."""
    blank = bytes(1 << 20).replace(b"\0", b"a")

    def pieces() -> Iterator[bytes]:
        yield f"HTTP/1.1 {status} Scripted\r\nContent-Encoding: gzip\r\nContent-Type: application/json\r\n\r\n".encode()
        yield from packed([prefix, *(blank for _ in range(size >> 20)), b'"}'])

    return stream(pieces)
