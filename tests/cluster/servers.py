"""The servers around Airflow, each a process on the loopback that can be stopped, killed and started again: PostgreSQL,
Redis, and an S3 server.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path

from tests.cluster.programs import database_user, required
from tests.deployment.environment import kept_variables
from tests.deployment.polling import DeploymentError, poll
from tests.free_port import free_port

LOOPBACK = "127.0.0.1"
START_SECONDS = 60
STOP_SECONDS = 20


class Server(ABC):
    """A server that listens on a port of the loopback and keeps its port through every restart.

    :param folder: Of its own: its log, and what it stores.
    """

    name: str
    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """What starts it, in the foreground."""

    def user(self) -> str | None:
        """Who runs it; None for who runs this."""
        return None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Start it and wait until it listens.

        :raises DeploymentError: It ended, or did not listen in time.
        """
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd="/",
                env={**kept_variables(), "NO_PROXY": "*"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self.user(),
                extra_groups=None if self.user() is None else [],
            )
        poll(self._listens, f"{self.name} to listen", START_SECONDS, every=0.1)

    def stop(self) -> None:
        """End it as a person would; more than once is fine."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _listens(self) -> bool | None:
        if self.process is None or self.process.poll() is not None:
            raise DeploymentError(f"{self.name} ended.\n{self.log.read_text(errors='replace')[-2000:]}")
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self.port), timeout=1):
            return True
        return None


class Postgres(Server):
    """PostgreSQL with one database, ``airflow``."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": connections are ended, not waited for

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.password = secrets.token_urlsafe(12)
        self._user = database_user()
        self._outside: Path | None = None
        self._data = self._place() / "data"
        self._initialise()

    def user(self) -> str | None:
        return self._user

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": self.port,
            "unix_socket_directories": "",  # the path of a checkout can be too long for one
            "max_connections": 300,
            "logging_collector": "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(required("postgres")), "-D", str(self._data), *options]

    def kill(self) -> None:
        """End it at once. SIGKILL would leave the processes of its connections, which keep a new one from starting."""
        self._end(signal.SIGQUIT)

    def remove(self) -> None:
        """Remove what it stored outside of its folder, if that was needed."""
        if self._outside is not None:
            shutil.rmtree(self._outside, ignore_errors=True)

    def url(self, driver: str, port: int | None = None) -> str:
        """As SQLAlchemy wants it.

        :param driver: Such as ``psycopg2``.
        :param port: Of a link to it; default: its own.
        """
        return f"postgresql+{driver}://postgres:{self.password}@{LOOPBACK}:{port or self.port}/postgres"

    def _place(self) -> Path:
        """A folder that the user may write to: below the checkout, or, where that user cannot get to it, elsewhere."""
        place = self.folder / "store"
        place.mkdir(parents=True, exist_ok=True)
        if self._user is None:
            return place
        shutil.chown(place, self._user)
        look = subprocess.run(
            ["test", "-w", str(place)], user=self._user, extra_groups=[], cwd="/", check=False, capture_output=True
        )
        if look.returncode == 0:
            return place
        self._outside = Path(tempfile.mkdtemp(prefix="cluster-postgres-"))
        shutil.chown(self._outside, self._user)
        return self._outside

    def _initialise(self) -> None:
        secret = self._data.parent / "password"
        secret.write_text(self.password)
        if self._user is not None:
            shutil.chown(secret, self._user)
        command = [str(required("initdb")), "-D", str(self._data), "-U", "postgres", "--auth", "scram-sha-256"]
        command += ["--pwfile", str(secret), "--encoding", "UTF8", "--locale", "C"]
        done = subprocess.run(
            command, user=self._user, extra_groups=None if self._user is None else [], cwd="/", check=False,
            capture_output=True, text=True,
        )  # fmt: skip
        secret.unlink()
        if done.returncode != 0:
            raise DeploymentError(f"initdb: {done.returncode}\n{done.stdout[-1000:]}{done.stderr[-1000:]}")


class Redis(Server):
    """Redis, which keeps on the disk what it was sent."""

    name = "redis"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.password = secrets.token_urlsafe(12)
        self._settings = folder / "redis.conf"
        self._settings.write_text(
            f'bind {LOOPBACK}\nport {self.port}\ndir "{folder}"\nrequirepass {self.password}\nappendonly yes\nsave ""\n'
        )
        self._settings.chmod(0o600)

    def command(self) -> list[str]:
        return [str(required("redis-server")), str(self._settings)]

    def url(self, port: int | None = None) -> str:
        """Of its first database.

        :param port: Of a link to it; default: its own.
        """
        return f"redis://:{self.password}@{LOOPBACK}:{port or self.port}/0"


class ObjectStore(Server):
    """An S3 server; it keeps everything in memory, so only a link can take it away for a while."""

    name = "s3"

    def command(self) -> list[str]:
        program = "from moto.server import main; main()"
        return [sys.executable, "-c", program, "--host", LOOPBACK, "--port", str(self.port)]
