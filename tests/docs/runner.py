"""Runs the blocks of one document in order, as a reader would who types along.

===============  ======================================================================================================
language         what is done
===============  ======================================================================================================
``python``       a module of its own; every DAG that it makes is run, and must succeed
``bash``         run with ``bash -e``; what it exports holds for the rest of the document. Of ``make`` and ``pip
                 install`` the targets and extras are looked up. ``encord-emulator serve`` runs until the document ends.
``json``         read; a connection in it must connect
``ini``          read as Airflow's configuration, which holds for the blocks of bash that follow
===============  ======================================================================================================

Every connection that a document exports, stores or shows must be accepted by the emulator.
"""

from __future__ import annotations

import configparser
import contextlib
import importlib.util
import json
import os
import re
import select
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.airflow_layer.bench import Run, run_dag
from tests.docs.blocks import CHECKOUT, Block
from tests.docs.world import World

SECONDS = 240  # for one block of bash; usually it takes a few, and on a machine with other work a minute or two
_VARIABLE = "AIRFLOW_CONN_"
_EVERYWHERE = re.compile(r"(AIRFLOW_CONN_|NO_PROXY|ENCORD_)\w*")
_AIRFLOW = re.compile(r"AIRFLOW(_HOME|__\w+)")  # for further blocks of bash; this process has its own home
_SERVE = re.compile(r"^encord-emulator serve\b.*", re.MULTILINE | re.DOTALL)


class PageRunner:
    """Runs the blocks of one document.

    :param world: What they find.
    :param monkeypatch: Sets the variables of this process.
    """

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self._world = world
        self._monkeypatch = monkeypatch
        self._configured: dict[str, str] = {}  # for blocks of bash; here Airflow is configured already
        self._stored: set[str] = set()
        self._servers: list[subprocess.Popen[str]] = []
        self._last_run: Run | None = None
        self._printed = ""
        for name, value in world.environment().items():
            monkeypatch.setenv(name, value)

    def close(self) -> None:
        """End what was started."""
        for server in self._servers:
            server.terminate()
            server.wait(30)
        for stored in self._stored:
            _forget(stored)

    def run(self, block: Block) -> None:
        """Run one block.

        :raises AssertionError: It does not do what the document says.
        """
        text = self._world.real(block.text)
        if block.marker == "file":
            self._write(block.value, text)
        if block.marker == "result":
            self._compare_with_result(block, json.loads(text))
        elif block.marker == "output":
            self._compare_with_output(block)
        elif block.language != "python" or block.marker != "file":
            {"python": self._python, "bash": self._bash, "json": self._json, "ini": self._ini}[block.language](
                block, text
            )

    def _write(self, name: str, text: str) -> None:
        path = self._world.here / self._world.real(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def _python(self, block: Block, text: str) -> None:
        # Airflow runs no DAG that is in no file of its folder; and at each run it reads all that are there.
        path = self._world.dags / f"{block.document.stem.replace('-', '_').lower()}_{block.line}.py"
        try:
            for dag in _dags(_module(path, text)):
                self._last_run = run_dag(dag)
                assert self._last_run.state == "success", f"{block}: {dag.dag_id}: {self._last_run.tasks}"
        finally:
            path.unlink()

    def _bash(self, block: Block, text: str) -> None:
        text = "\n".join(line for line in text.splitlines() if not _is_looked_up(line))
        serving = _SERVE.search(text)
        if serving:
            self._printed = self._serve(serving[0])
            text = text[: serving.start()]
        if text.strip():
            self._printed = self._shell(block, text)

    def _shell(self, block: Block, text: str) -> str:
        ends_with = self._world.folder / "environment"
        script = f"set -euo pipefail\n{text}\nenv -0 > '{ends_with}'\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self._world.here,
            env={**os.environ, **self._configured},
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, f"{block}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        self._take_exports(ends_with)
        if re.search(r"\bconnections (add|import)\b", text):
            self._take_stored(block)
        return done.stdout + done.stderr

    def _take_exports(self, file: Path) -> None:
        after = dict(entry.split("=", 1) for entry in file.read_text().split("\0") if "=" in entry)
        changed = {name: value for name, value in after.items() if os.environ.get(name) != value}
        for name, value in changed.items():
            if _AIRFLOW.fullmatch(name):
                self._configured[name] = value
            elif _EVERYWHERE.fullmatch(name):
                self._monkeypatch.setenv(name, value)
        for name in changed:
            if name.startswith(_VARIABLE):
                require_connects(name.removeprefix(_VARIABLE).lower())

    def _take_stored(self, block: Block) -> None:
        found = _stored_connections()
        assert found.keys() - self._stored, f"{block}: no connection was stored."
        for name, text in found.items():
            self._stored.add(name)
            self._try(text)
            # A variable would stand before the database from now on.
            self._monkeypatch.delenv(_VARIABLE + name.upper(), raising=False)

    def _serve(self, command: str) -> str:
        server = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self._world.here,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._servers.append(server)
        return _first_line(server)

    def _json(self, block: Block, text: str) -> None:
        content = json.loads(text)
        if not isinstance(content, dict):
            return
        for one in (content, *content.values()):
            if isinstance(one, dict) and one.get("conn_type") == "encord":
                self._try(json.dumps(one))

    def _ini(self, block: Block, text: str) -> None:
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_string(text)
        assert parser.sections(), f"{block}: no section"
        for section in parser.sections():
            for name, value in parser[section].items():
                self._configured[f"AIRFLOW__{section.upper()}__{name.upper()}"] = value

    def _try(self, connection: str) -> None:
        with self._monkeypatch.context() as variables:
            variables.setenv(f"{_VARIABLE}SHOWN_IN_THE_DOCS", connection)
            require_connects("shown_in_the_docs")

    def _compare_with_result(self, block: Block, shown: Any) -> None:
        assert self._last_run is not None, f"{block}: no DAG ran before."
        real = self._last_run.results[block.value]
        assert same_shape(shown, real), f"{block}: the task returned {real}"

    def _compare_with_output(self, block: Block) -> None:
        for line in filter(None, self._world.real(block.text).splitlines()):
            pattern = ".*".join(re.escape(part) for part in line.split("..."))
            assert re.search(pattern, self._printed), f"{block}: {line!r} is not in\n{self._printed}"


def require_connects(encord_conn_id: str) -> None:
    """Fail unless the connection is accepted."""
    from airflow_provider_encord.hooks.encord import EncordHook

    accepted, message = EncordHook(encord_conn_id).test_connection()
    assert accepted, message


def same_shape(shown: Any, real: Any) -> bool:
    """Whether two JSON values have the same keys and types throughout; null stands for anything."""
    if shown is None or real is None:
        return True
    if isinstance(shown, Mapping):
        return (
            isinstance(real, Mapping)
            and shown.keys() == real.keys()
            and all(same_shape(shown[name], real[name]) for name in shown)
        )
    if isinstance(shown, list | tuple):
        if not isinstance(real, list | tuple) or bool(shown) != bool(real):
            return False
        return all(same_shape(shown[0], one) for one in real)
    return type(shown) is type(real)


def make_targets(text: str) -> set[str]:
    """The targets of make that the commands name."""
    return set(re.findall(r"^make ([\w-]+)", text, re.MULTILINE))


def known_make_targets() -> set[str]:
    """Those that there are."""
    return set(re.findall(r"^([a-z0-9-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))


def extras(text: str) -> set[str]:
    """The extras of this package that commands with pip name."""
    named = re.findall(r"^pip install .*?(?:airflow-provider-encord|\.)\[([\w,]+)\]", text, re.MULTILINE)
    return {extra for group in named for extra in group.split(",")}


def known_extras() -> set[str]:
    """Those that there are."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    return set(project["optional-dependencies"])


def _is_looked_up(line: str) -> bool:
    return re.match(r"(make|pip install)\b", line) is not None


def _module(path: Path, text: str) -> ModuleType:
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _dags(module: ModuleType) -> Iterator[Any]:
    from airflow.providers.common.compat.sdk import DAG

    seen = {id(value): value for value in vars(module).values() if isinstance(value, DAG)}
    yield from seen.values()


def _first_line(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(InterruptedError):
            ready, _, _ = select.select([server.stdout], [], [], 1)
            if ready:
                return server.stdout.readline()
    raise AssertionError("The emulator said nothing.")


def _stored_connections() -> dict[str, str]:
    """Connections of ours in Airflow's database, as JSON by id."""
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session

    with create_session() as session:
        found = session.query(Connection).filter(Connection.conn_type == "encord").all()
        return {str(one.conn_id): one.as_json() for one in found}


def _forget(encord_conn_id: str) -> None:
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session

    with create_session() as session:
        session.query(Connection).filter(Connection.conn_id == encord_conn_id).delete()
