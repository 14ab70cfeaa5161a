"""A receiver of webhooks on the loopback, which keeps what it is sent and answers as the test likes."""

from __future__ import annotations

import contextlib
import dataclasses
import http.server
import json
import queue
import threading
from collections.abc import Iterator
from typing import Any

SECONDS = 20
"""How long a delivery may take; it usually takes a few milliseconds."""


@dataclasses.dataclass(frozen=True)
class Delivery:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """What came, and what the next requests are answered.

    :param url: Where it listens.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.came: queue.Queue[Delivery] = queue.Queue()
        self.statuses: list[int] = []

    def next(self) -> Delivery:
        """The next delivery, which must come soon."""
        return self.came.get(timeout=SECONDS)


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver, as long as the block lasts."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.statuses.pop(0) if receiver.statuses else 200
            receiver.came.put(Delivery(self.path, dict(self.headers.items()), body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            if 300 <= status < 400:
                self.send_header("Location", receiver.url)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's signature
            """Nothing on the terminal."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_port}/encord/webhook")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
