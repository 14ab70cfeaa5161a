"""The emulator as a process of its own, started, controlled and stopped from Python. Standard library only.

::

    with Emulator.start() as emulator:
        emulator.authorize("ssh-ed25519 AAAA...", email="me@example.com", role="ADMIN")
        project = emulator.project(owner="me@example.com", title="Cats", rows=20)
        ...  # point a client at emulator.url
"""

from __future__ import annotations

import http.client
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import urllib.parse
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Any

PYTHON_VARIABLE = "ENCORD_EMULATOR_PYTHON"
"""Names the interpreter that runs the emulator, if it is installed elsewhere than where this runs."""
START_SECONDS = 30.0
"""How long a start may take before it counts as failed; usually it takes less than one second."""
_READY = "encord-emulator listening on "


class EmulatorError(RuntimeError):
    """The emulator did not start, or refused a control; the text says why."""


class Emulator:
    """A running emulator and its controls.

    :param url: Where it listens, without a final slash.
    """

    def __init__(self, url: str, process: subprocess.Popen[str] | None = None, errors: IO[str] | None = None) -> None:
        self.url = url
        self._process, self._errors = process, errors
        self._last_words = ""

    @classmethod
    def start(
        cls,
        *,
        port: int = 0,
        database: str | os.PathLike[str] | None = None,
        authorize: Sequence[str | os.PathLike[str]] = (),
        python: str | None = None,
        allow_hosts: Sequence[str] = (),
    ) -> Emulator:
        """Start one and wait until it listens.

        :param port: Port on the loopback; 0 picks a free one.
        :param database: File that keeps the state; without it, the state goes with the process.
        :param authorize: Files with public keys to register.
        :param python: Interpreter to run it; default: the variable ``ENCORD_EMULATOR_PYTHON``, else this one.
        :param allow_hosts: Names under which clients reach it, beside those of the loopback.
        :raises EmulatorError: It ended at once, or did not listen within 30 s.
        """
        command = [
            python or os.environ.get(PYTHON_VARIABLE) or sys.executable,
            "-m",
            "airflow_provider_encord.emulator",
        ]
        command += ["serve", "--port", str(port)]
        if database is not None:
            command += ["--db", os.fspath(database)]
        for path in authorize:
            command += ["--authorize", os.fspath(path)]
        for name in allow_hosts:
            command += ["--allow-host", name]
        # A file, not a pipe: a pipe that is not read fills up, and stops the server.
        errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by stop()
        try:
            process = subprocess.Popen(  # noqa: S603 - our own command
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True, env=_environment()
            )
        except OSError as problem:
            errors.close()
            raise EmulatorError(f"The emulator did not start: {problem}") from None
        emulator = cls("", process, errors)
        line = _first_line(process)
        if not line.startswith(_READY):
            emulator.stop()
            raise EmulatorError(f"The emulator did not start: {emulator._last_words or 'no answer'}")
        emulator.url = line.removeprefix(_READY).strip()
        return emulator

    @property
    def process_id(self) -> int:
        """Of the emulator, while it runs; a benchmark reads its CPU time by it.

        :raises EmulatorError: It has been stopped.
        """
        if self._process is None:
            raise EmulatorError("The emulator does not run.")
        return self._process.pid

    def stop(self) -> None:
        """End the process, kindly first; more than once is fine."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        if self._errors is not None:
            self._errors.seek(0)
            self._last_words = self._errors.read().strip()
            self._errors.close()
            self._errors = None

    def kill(self) -> None:
        """End the process at once, as a crash would; what it had written to its database is there."""
        if self._process is not None:
            self._process.kill()
        self.stop()

    def __enter__(self) -> Emulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Emulator {self.url}>"

    def state(self) -> dict[str, Any]:
        """Counts of everything, the emulator's time, and its version."""
        answer: dict[str, Any] = self._ask("GET", "state")
        return answer

    def authorize(self, public_key: str, *, email: str, role: str | None = None) -> dict[str, Any]:
        """Register a person's public key (``ssh-ed25519 AAAA...``); ``role`` is ``ADMIN`` or ``MEMBER`` (default)."""
        answer: dict[str, Any] = self._ask("POST", "users", _given(public_key=public_key, email=email, role=role))
        return answer

    def template(self, title: str, stages: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Make a workflow template; its ``uuid`` and ``stages``."""
        answer: dict[str, Any] = self._ask("POST", "templates", {"title": title, "stages": list(stages)})
        return answer

    def project(self, **body: Any) -> dict[str, Any]:
        """Make a whole project: ``owner``, ``title``, ``rows``, and ``kind``, ``frames``, ``objects_per_row``,
        ``created``, ``template``, ``seed`` if wanted. Gives ``project_hash``, ``dataset_hash``, ``ontology_hash``,
        ``stages`` and the first hundred ``data_hashes``.
        """
        answer: dict[str, Any] = self._ask("POST", "projects", body)
        return answer

    def annotate(self, project_hash: str, **body: Any) -> int:
        """Label as a person would: ``data_hashes`` or ``count``, ``objects_per_row``, ``email``, ``advance``, ``seed``.
        Rows that have labels get more. Gives the number of rows that were annotated.

        :raises EmulatorError: The project's ontology has no object that can be drawn, or the request is malformed.
        """
        answer: int = self._ask("POST", "annotate", {"project_hash": project_hash, **body})["annotated"]
        return answer

    def labels(self, project_hash: str, *, offset: int | None = None, limit: int | None = None) -> list[dict[str, Any]]:
        """The label rows of a project as stored, in order of data hash."""
        query = urllib.parse.urlencode(_given(offset=offset, limit=limit))
        rows: list[dict[str, Any]] = self._ask("GET", f"labels/{project_hash}" + (f"?{query}" if query else ""))
        return rows

    def faults(self, faults: Sequence[dict[str, Any]]) -> list[str]:
        """Put faults in force, beside those that are; their ids."""
        identifiers: list[str] = self._ask("POST", "faults", list(faults))["ids"]
        return identifiers

    def clear_faults(self) -> int:
        """Take all faults back; how many that were."""
        return int(self._ask("DELETE", "faults")["removed"])

    def journal(self, since: int | None = None) -> list[dict[str, Any]]:
        """What was asked of the emulator, oldest first; with ``since``, what came after the entry of this id."""
        entries: list[dict[str, Any]] = self._ask("GET", "journal" + (f"?since={since}" if since is not None else ""))[
            "entries"
        ]
        return entries

    def clear_journal(self) -> int:
        """Forget the journal; how many entries it had."""
        return int(self._ask("DELETE", "journal")["removed"])

    def clock(self, **body: Any) -> str:
        """Set the clock: ``now`` (ISO text: it stands still; ``None``: real time again), ``advance_s``.

        :return: Its time.
        """
        return str(self._ask("POST", "clock", body)["now"])

    def jobs(self, **settings: Any) -> dict[str, Any]:
        """How jobs behave from now on: ``units_per_second``, ``fail_units``, ``hold``, ``seed``."""
        answer: dict[str, Any] = self._ask("POST", "jobs", settings)
        return answer

    def bucket(self, integration: str, url: str, directory: str | os.PathLike[str]) -> str:
        """Let a local folder stand for a bucket; the UUID of the integration."""
        body = {"integration": integration, "url": url, "directory": os.fspath(directory)}
        return str(self._ask("POST", "buckets", body)["integrationUuid"])

    def limits(self, **settings: Any) -> dict[str, Any]:
        """What the emulator takes: ``requests_per_minute`` (``None``: no limit), ``label_rows_per_request``,
        ``page_size``.
        """
        answer: dict[str, Any] = self._ask("POST", "limits", settings)
        return answer

    def _ask(self, method: str, control: str, body: Any = None) -> Any:
        place = urllib.parse.urlsplit(self.url)
        # A connection of its own each time: a control must not depend on one that a fault has cut.
        connection = http.client.HTTPConnection(place.hostname or "127.0.0.1", place.port, timeout=600)
        try:
            content = None if body is None else json.dumps(body).encode()
            headers = {} if content is None else {"Content-Type": "application/json"}
            connection.request(method, f"/_emulator/{control}", content, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200:
            raise EmulatorError(f"The emulator refused {method} {control.partition('?')[0]}: {answer.status} {text}")
        return json.loads(text)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _environment() -> dict[str, str]:
    """This environment, with a checkout of the package findable by an interpreter that has it not installed.

    Not so an installed package: the folder that it is in holds every other package too, of another environment.
    """
    root = pathlib.Path(__file__).resolve().parents[2]
    if root.name in ("site-packages", "dist-packages"):
        return dict(os.environ)
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _first_line(process: subprocess.Popen[str]) -> str:
    """The first line of output; empty if it ended, or said nothing in time."""
    assert process.stdout is not None  # noqa: S101 - we asked for a pipe
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    try:
        return process.stdout.readline()
    finally:
        watchdog.cancel()
