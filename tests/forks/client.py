"""Starts the process that is forked (`tests.forks.server`), and programs as forks of it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

from tests.forks.server import READY

ROOT = Path(__file__).parents[2]


class Program:
    """A running fork.

    :param process_id: Its own.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._code: int | None = None
        self.process_id = int(connection.recv(64))

    def wait(self, seconds: float) -> int:
        """How it ended: its exit code, or the signal that ended it, negative.

        :raises TimeoutError: It has not, in time.
        """
        if self._code is None:
            self._connection.settimeout(seconds)
            self._code = int(self._connection.recv(64))
            self._connection.close()
        return self._code

    def terminate(self) -> None:
        """Ask it to end."""
        if self._code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process_id, signal.SIGTERM)


class Forks:
    """The process that is forked.

    :param modules: It imports these before the first fork.
    :param python: Its interpreter.
    :param environment: Of the process; programs have their own.
    """

    def __init__(
        self, modules: Sequence[str], *, python: str = sys.executable, environment: Mapping[str, str] | None = None
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="forks-"))
        self.socket = self._folder / "socket"
        environment = os.environ if environment is None else environment
        path = os.pathsep.join([str(ROOT), *filter(None, [environment.get("PYTHONPATH")])])
        self._process = subprocess.Popen(
            [python, "-m", "tests.forks.server", str(self.socket), *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**environment, "PYTHONPATH": path},
        )
        assert self._process.stdout is not None
        while (line := self._process.stdout.readline()).strip() != READY:
            assert line, "the process that is to be forked has ended"

    def __enter__(self) -> Forks:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()
        shutil.rmtree(self._folder)

    def start(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        directory: Path,
        files: tuple[IO[bytes], IO[bytes], IO[bytes]],
        modules: Sequence[str] = (),
    ) -> Program:
        """Run a module as ``python -m`` does, in a fork.

        :param files: Standard input, output and error.
        :param modules: The process that is forked imports these first, if it has not yet.
        """
        request = {
            "module": module,
            "arguments": list(arguments),
            "environment": dict(environment),
            "directory": str(directory),
            "modules": list(modules),
        }
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.connect(str(self.socket))
        socket.send_fds(connection, [json.dumps(request).encode()], [file.fileno() for file in files])
        return Program(connection)

    def run(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        directory: Path,
        seconds: float,
        modules: Sequence[str] = (),
    ) -> subprocess.CompletedProcess[bytes]:
        """The same, to its end."""
        with Path(os.devnull).open("rb") as nothing, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            files = (nothing, out, err)
            program = self.start(
                module, arguments, environment=environment, directory=directory, files=files, modules=modules
            )
            code = program.wait(seconds)
            for file in (out, err):
                file.seek(0)
            return subprocess.CompletedProcess([module, *arguments], code, out.read(), err.read())
