"""The emulator as a process of its own, started, controlled and stopped from Python. Standard library only.

::

    with Emulator.start() as emulator:
        emulator.authorize("ssh-ed25519 AAAA...", email="me@example.com", role="ADMIN")
        project = emulator.project(owner="me@example.com", title="Cats", rows=20)
        ...  # point a client at emulator.url
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import urllib.parse
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Any, Literal, TypedDict

from .control_client import EmulatorError as EmulatorError
from .control_client import given
from .fixtures.kinds import Kind
from .webhook_controls import WebhookControls

PYTHON_VARIABLE = "ENCORD_EMULATOR_PYTHON"
"""Names the interpreter that runs the emulator, if it is installed elsewhere than where this runs."""
START_SECONDS = 30.0
"""How long a start may take before it counts as failed; usually it takes less than one second."""
_READY = "encord-emulator listening on "


_UNCHANGED: Any = object()
"""The default of settings that have None as a value."""


class SeededProject(TypedDict):
    """What `Emulator.project` made; ``data_hashes`` are the first hundred, ``stages`` those of the workflow."""

    project_id: str
    dataset_id: str
    ontology_id: str
    stages: list[dict[str, Any]]
    data_hashes: list[str]


class Emulator(WebhookControls):
    """A running emulator and its controls.

    :param url: Where it listens, without a final slash.
    """

    def __init__(self, url: str, process: subprocess.Popen[str] | None = None, errors: IO[str] | None = None) -> None:
        super().__init__(url)
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
            "encord_emulator",
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
        try:
            line = _first_line(process)
        except BaseException:  # such as Ctrl-C
            emulator.stop()
            raise
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
        answer: dict[str, Any] = self._ask("POST", "users", given(public_key=public_key, email=email, role=role))
        return answer

    def template(self, title: str, stages: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Make a workflow template; its ``uuid`` and ``stages``."""
        answer: dict[str, Any] = self._ask("POST", "templates", {"title": title, "stages": list(stages)})
        return answer

    def project(
        self,
        owner: str,
        title: str,
        rows: int,
        *,
        kind: Kind = "image",
        frames: int | None = None,
        objects_per_row: int | None = None,
        created: float | None = None,
        template: str | None = None,
        seed: int | None = None,
    ) -> SeededProject:
        """Make a project with a dataset, data units and an ontology.

        :param owner: Email of its administrator, who is made if there is no such user.
        :param title: Of the project.
        :param rows: How many data units its dataset has.
        :param kind: Of the data units.
        :param frames: Of each video or image group.
        :param objects_per_row: Drawn on each row that has labels. Default: 2.
        :param created: Share of the rows that have labels, from 0 (the default) to 1.
        :param template: UUID of a workflow template. Default: stages to annotate and to review.
        :param seed: The same seed draws the same labels. Default: 0.
        :raises EmulatorError: A value is refused.
        """
        body = given(
            owner=owner,
            title=title,
            rows=rows,
            kind=kind,
            frames=frames,
            objects_per_row=objects_per_row,
            created=created,
            template=template,
            seed=seed,
        )
        made = self._ask("POST", "projects", body)
        return {
            "project_id": made["project_hash"],
            "dataset_id": made["dataset_hash"],
            "ontology_id": made["ontology_hash"],
            "stages": made["stages"],
            "data_hashes": made["data_hashes"],
        }

    def annotate(
        self,
        project_id: str,
        *,
        data_hashes: Sequence[str] | None = None,
        count: int | None = None,
        objects_per_row: int | None = None,
        email: str | None = None,
        advance: Literal["none", "submit", "complete"] = "none",
        seed: int | None = None,
    ) -> int:
        """Label data as a person would. Rows that have labels get more.

        :param project_id: Where.
        :param data_hashes: What to label.
        :param count: At most so many. Without ``data_hashes``, of those that are not complete: those without labels
            first. Default: all.
        :param objects_per_row: How many objects each row gets. Default: 2.
        :param email: Of the person. Default: an annotator of the emulator's own.
        :param advance: What becomes of the task afterwards: nothing, one stage on, or complete.
        :param seed: The same seed draws the same labels. Default: 0.
        :return: Number of rows that were labelled.
        :raises EmulatorError: The project's ontology has no object that can be drawn, or a value is refused.
        """
        body = given(
            project_hash=project_id,
            data_hashes=None if data_hashes is None else list(data_hashes),
            count=count,
            objects_per_row=objects_per_row,
            email=email,
            advance=advance,
            seed=seed,
        )
        return int(self._ask("POST", "annotate", body)["annotated"])

    def labels(self, project_id: str, *, offset: int | None = None, limit: int | None = None) -> list[dict[str, Any]]:
        """The label rows of a project as stored, in order of data hash.

        :param project_id: Of which project.
        :param offset: Leave out so many rows first.
        :param limit: Give at most so many rows. Default: all.
        """
        query = urllib.parse.urlencode(given(offset=offset, limit=limit))
        rows: list[dict[str, Any]] = self._ask("GET", f"labels/{project_id}" + (f"?{query}" if query else ""))
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

    def clock(self, *, now: str | None = _UNCHANGED, advance_s: float | None = None) -> str:
        """Set the clock.

        :param now: ISO 8601 text: the clock stands still at this time. None: it shows the real time again.
        :param advance_s: Seconds to put it forward by.
        :return: Its time, in ISO 8601.
        """
        body = _changed(now=now) | given(advance_s=advance_s)
        return str(self._ask("POST", "clock", body)["now"])

    def jobs(
        self,
        *,
        units_per_second: float | None = _UNCHANGED,
        fail_units: float | None = None,
        hold: bool | None = None,
        seed: int | None = _UNCHANGED,
    ) -> dict[str, Any]:
        """Set how jobs behave from now on. What is left out stays as it is.

        :param units_per_second: How fast they work. None: at once.
        :param fail_units: Share of the units that fail, from 0 to 1.
        :param hold: Whether jobs wait until they are let go.
        :param seed: The same seed lets the same units fail. None: by chance.
        :return: The settings.
        """
        body = _changed(units_per_second=units_per_second, seed=seed) | given(fail_units=fail_units, hold=hold)
        settings: dict[str, Any] = self._ask("POST", "jobs", body)
        return settings

    def bucket(self, integration: str, url: str, directory: str | os.PathLike[str]) -> str:
        """Let a local folder stand for a bucket; the UUID of the integration."""
        body = {"integration": integration, "url": url, "directory": os.fspath(directory)}
        return str(self._ask("POST", "buckets", body)["integrationUuid"])

    def limits(
        self,
        *,
        requests_per_minute: int | None = _UNCHANGED,
        label_rows_per_request: int | None = None,
        page_size: int | None = None,
    ) -> dict[str, Any]:
        """Set what the emulator takes. What is left out stays as it is.

        :param requests_per_minute: More are refused with status 429. None: no limit.
        :param label_rows_per_request: How many label rows one request may read or write.
        :param page_size: The longest page of a listing.
        :return: The settings.
        """
        body = _changed(requests_per_minute=requests_per_minute) | given(
            label_rows_per_request=label_rows_per_request, page_size=page_size
        )
        settings: dict[str, Any] = self._ask("POST", "limits", body)
        return settings


def _changed(**values: Any) -> dict[str, Any]:
    """For settings that have None as a value."""
    return {name: value for name, value in values.items() if value is not _UNCHANGED}


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
