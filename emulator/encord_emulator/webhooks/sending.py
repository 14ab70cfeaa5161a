"""One POST to a receiver on this machine, over a connection of its own; redirects are not followed."""

from __future__ import annotations

import asyncio
import urllib.parse
from collections.abc import Mapping
from typing import NamedTuple

TIMEOUT_SECONDS = 180.0
"""How long Encord waits for the answer of a receiver."""
_LONGEST_LINE = 65536


class Outcome(NamedTuple):
    """The outcome of a POST: the HTTP status, or why there is no answer."""

    status: int | None
    problem: str | None

    @property
    def is_success(self) -> bool:
        """Whether the receiver took it: any status 2xx."""
        return self.status is not None and 200 <= self.status < 300


async def post(url: str, headers: Mapping[str, str], body: bytes, seconds: float = TIMEOUT_SECONDS) -> Outcome:
    """Send a body, and wait for the status of the answer.

    :param url: Checked when it was subscribed.
    :param seconds: The answer must be there within so many seconds.
    """
    try:
        return Outcome(await asyncio.wait_for(_status(url, headers, body), seconds), None)
    except TimeoutError:
        return Outcome(None, f"no answer within {seconds:g} s")
    except (OSError, EOFError, ValueError) as problem:
        return Outcome(None, f"no answer: {type(problem).__name__}")


async def _status(url: str, headers: Mapping[str, str], body: bytes) -> int:
    parts = urllib.parse.urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=_LONGEST_LINE)
    try:
        target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        await writer.drain()
        version, _, rest = (await reader.readuntil(b"\n")).partition(b" ")
        if not version.startswith(b"HTTP/1."):
            raise ValueError("this is not HTTP")
        return int(rest[:3])
    finally:
        writer.close()
