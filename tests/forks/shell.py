"""``airflow`` for the shells of the tests: the first command with some settings is a program as ever, others are forks.

Airflow reads its settings while it is imported, so commands with the same settings are forks of the same process. That
is started at the second of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.forks.client import ROOT, Forks

LONGEST = 2**20  # bytes
_AS_EVER = "as ever"


class Commands:
    """Says to each command of what process it is to be a fork."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        """A folder for ``PATH``."""
        self._socket = folder / "socket"
        self._stack = contextlib.ExitStack()
        self._forks: dict[str, Forks | None] = {}
        self.bin.mkdir()
        program = self.bin / "airflow"
        program.write_text(
            f"#!{sys.executable} -SE\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
            f"from tests.forks.shell import run\nsys.exit(run({str(self._socket)!r}, {str(self.bin)!r}))\n"
        )
        program.chmod(0o755)

    def serve(self) -> None:
        """Answer until `close`."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
            listening.bind(str(self._socket))
            listening.listen(64)
            while True:
                connection, _ = listening.accept()
                with connection:
                    if not (settings := connection.recv(LONGEST).decode()):
                        return
                    connection.send(self._process_for(settings).encode())

    def _process_for(self, settings: str) -> str:
        if settings not in self._forks:
            self._forks[settings] = None
            return _AS_EVER
        forks = self._forks[settings]
        if forks is None:
            from tests.forks.airflow_commands import start_airflow_forks

            environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
            forks = self._stack.enter_context(start_airflow_forks({**environment, **json.loads(settings)}))
            self._forks[settings] = forks
        return str(forks.socket)

    def close(self) -> None:
        """End what was started."""
        _connected(self._socket).close()
        self._stack.close()


@contextlib.contextmanager
def airflow_for_shells() -> Iterator[Commands]:
    """Put `Commands.bin` first in ``PATH`` to have it."""
    folder = Path(tempfile.mkdtemp(prefix="commands-"))
    commands = Commands(folder)
    serving = threading.Thread(target=commands.serve, daemon=True)
    serving.start()
    try:
        yield commands
    finally:
        commands.close()
        serving.join()
        shutil.rmtree(folder)


def _connected(path: str | Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(str(path))
    return connection


def run(commands: str, folder: str) -> int:
    """The life of the command: it waits for the fork. Its exit code.

    :param folder: In which this command is, and the one behind it in ``PATH`` is not.
    """
    settings = {
        name: value
        for name, value in sorted(os.environ.items())
        if name.startswith("AIRFLOW") and not name.startswith("AIRFLOW_CONN_")
    }
    with _connected(commands) as asking:
        asking.send(json.dumps(settings).encode())
        process = asking.recv(LONGEST).decode()
    if process == _AS_EVER:
        others = [one for one in os.environ["PATH"].split(os.pathsep) if one != folder]
        program = shutil.which("airflow", path=os.pathsep.join(others))
        assert program is not None
        os.execv(program, sys.argv)
    request = {
        "module": "airflow",
        "arguments": sys.argv[1:],
        "environment": dict(os.environ),
        "directory": str(Path.cwd()),
        "modules": ["tests.forks.airflow_api"] if sys.argv[1:2] == ["dags"] else [],
    }
    with _connected(process) as connection:
        socket.send_fds(connection, [json.dumps(request).encode()], [0, 1, 2])
        connection.recv(64)
        code = int(connection.recv(64))
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code
