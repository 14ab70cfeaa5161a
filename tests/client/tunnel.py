"""A proxy on the loopback that makes tunnels, as HTTPS needs them, or misbehaves."""

from __future__ import annotations

import contextlib
import socket
import threading


class TunnelProxy:
    """Serves until it is closed; use it in a ``with``.

    :param answer: What it answers to ``CONNECT``; None makes the tunnel, empty hangs up.
    """

    def __init__(self, answer: bytes | None = None):
        self._answer = answer
        self.heads: list[str] = []
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> TunnelProxy:
        return self

    def __exit__(self, *exception: object) -> None:
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                self._open.append(peer)
                threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head and (more := peer.recv(1 << 16)):
                head += more
            self.heads.append(head.decode("latin-1"))
            if self._answer is not None:
                peer.sendall(self._answer)
                peer.close()
                return
            host, _, port = head.split()[1].decode().rpartition(":")
            server = socket.create_connection((host, int(port)))
            self._open.append(server)
            peer.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            threading.Thread(target=_pump, args=(server, peer), daemon=True).start()
            _pump(peer, server)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(1 << 16):
            sink.sendall(block)
        sink.shutdown(socket.SHUT_WR)
