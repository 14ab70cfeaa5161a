"""An emulator that speaks TLS, as Encord does; prints ``PLAIN_URL TLS_URL`` when it listens.

Runs in the emulator's own environment. The plain address is there for the controls, which are not measured.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
from typing import Any

import uvicorn

from encord_emulator.http.app import Application
from encord_emulator.http.server import KEEP_ALIVE_SECONDS, CuttableProtocol
from encord_emulator.state.emulation import Emulation
from encord_emulator.uploads.work import WORK


def _listener() -> socket.socket:
    # With its protocol named: else asyncio leaves Nagle on, and each answer waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    return listener


async def serve(chain: str) -> None:
    """Serve both until a signal ends it."""
    application = Application(Emulation(WORK))
    options: dict[str, Any] = {
        "http": CuttableProtocol,
        "ws": "none",
        "log_config": None,
        "access_log": False,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
    }
    plain, tls = _listener(), _listener()
    servers = [
        uvicorn.Server(uvicorn.Config(application, lifespan="on", **options)),
        uvicorn.Server(uvicorn.Config(application, lifespan="off", ssl_certfile=chain, **options)),
    ]
    running = [
        asyncio.create_task(server.serve(sockets=[listener]))
        for server, listener in zip(servers, (plain, tls), strict=True)
    ]
    while not all(server.started for server in servers):
        await asyncio.sleep(0.01)
    print(f"http://127.0.0.1:{plain.getsockname()[1]} https://127.0.0.1:{tls.getsockname()[1]}", flush=True)
    await asyncio.gather(*running)


def main() -> None:
    """Serve with the certificate that the argument names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chain", help="file with the private key and the certificates")
    asyncio.run(serve(parser.parse_args().chain))


if __name__ == "__main__":
    main()
