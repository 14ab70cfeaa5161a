"""The process that is forked: ``python -m tests.forks.server SOCKET MODULE...``. Standard library only.

It imports the modules, and for each connection to the socket it runs one more as ``python -m`` would: in a fork, with
the arguments, environment, directory and open files that the connection sends. It ends when its standard input does.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import random
import runpy
import select
import signal
import socket
import sys
import threading
import traceback
from typing import Any

LONGEST_REQUEST = 2**20  # bytes
READY = "ready"


def serve(path: str, modules: list[str]) -> None:
    """Serve until standard input ends."""
    for module in modules:
        importlib.import_module(module)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(path)
        listening.listen(64)
        print(READY, flush=True)
        while True:
            ready, _, _ = select.select([sys.stdin.buffer, listening], [], [])
            _reap()
            if sys.stdin.buffer in ready:
                return
            connection, _ = listening.accept()
            with connection:
                _take(connection, listening)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _take(connection: socket.socket, listening: socket.socket) -> None:
    message, files, _, _ = socket.recv_fds(connection, LONGEST_REQUEST, 3)
    if not message:  # the client has given up
        return
    request = json.loads(message)
    for module in request["modules"]:  # for this program, and all later ones
        importlib.import_module(module)
    gc.freeze()
    if os.fork() == 0:
        listening.close()
        _watch(connection, request, files)
    for file in files:
        os.close(file)


def _watch(connection: socket.socket, request: dict[str, Any], files: list[int]) -> None:
    """The life of the process between server and program: it says how the program ends."""
    try:
        program = os.fork()
        if program == 0:
            connection.close()
            _become(request, files)
        for file in files:
            os.close(file)
        connection.send(str(program).encode())
        _, status = os.waitpid(program, 0)
        connection.send(str(os.waitstatus_to_exitcode(status)).encode())
    finally:
        os._exit(0)


def _become(request: dict[str, Any], files: list[int]) -> None:
    """The life of the program."""
    code = 1
    try:
        for number, file in enumerate(files):
            os.dup2(file, number)
        for file in files:
            os.close(file)
        os.chdir(request["directory"])
        os.environ.clear()
        os.environ.update(request["environment"])
        signal.signal(signal.SIGINT, signal.default_int_handler)
        random.seed()
        code = _exit_code(request["module"], request["arguments"])
    except BaseException:  # noqa: BLE001 - as Python itself would print it
        traceback.print_exc()
    finally:
        _end(code)


def _exit_code(module: str, arguments: list[str]) -> int:
    sys.argv = [module, *arguments]
    sys.modules.pop(f"{module}.__main__", None)  # or runpy warns that it is imported already
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    return 0


def _end(code: int) -> None:
    """End as an interpreter does: threads first, then what was registered, then what is to be written."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2:])
