"""Run the examples as a user does on the command line, then search everything that was left behind for the secrets.

`airflow dags test` masks nothing by itself, so what it prints is what our own code lets out.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from encord_emulator.process import Emulator
from tests.airflow_layer.bench import API_KEY_CONNECTION, SSH_CONNECTION, Account, connection
from tests.client import keys
from tests.forks.airflow_commands import API, start_airflow_forks
from tests.forks.client import Forks
from tests.leaks.forms import Secret, private_key, text_secret
from tests.leaks.search import Search
from tests.sdk import media

pytestmark = [pytest.mark.airflow, pytest.mark.system]

EXAMPLES = Path(__file__).parents[3] / "example_dags"
PASSPHRASE = 'open "sesame", 100% please'
SECONDS = 120


@dataclasses.dataclass
class Remains:
    """What the runs left.

    :param places: Directories that the runs wrote to.
    :param outputs: What was printed, by name, and the journal.
    :param secrets: What the connections hold.
    """

    places: list[Path]
    outputs: dict[str, bytes]
    secrets: list[Secret]
    states: dict[str, int]


@dataclasses.dataclass
class CommandLine:
    """Airflow on the command line, with a home of its own."""

    home: Path
    environment: dict[str, str]
    forks: Forks
    outputs: dict[str, bytes] = dataclasses.field(default_factory=dict)

    def airflow(self, name: str, *arguments: str) -> int:
        """Run a command and keep what it prints; its exit code."""
        done = self.forks.run(
            "airflow",
            arguments,
            environment=self.environment,
            directory=self.home,
            seconds=SECONDS,
            modules=[API] if arguments[0] == "dags" else [],
        )
        self.outputs |= {f"stdout of {name}": done.stdout, f"stderr of {name}": done.stderr}
        return done.returncode

    def dag(self, name: str, dag_id: str, **params: Any) -> int:
        """Run a DAG."""
        return self.airflow(name, "dags", "test", dag_id, "--conf", json.dumps(params))


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """The command line."""
    home = tmp_path_factory.mktemp("stored") / "home"
    home.mkdir()
    environment = _environment(home)
    with start_airflow_forks(environment) as forks:
        yield CommandLine(home, environment, forks)


@pytest.fixture(scope="module")
def remains(_emulator: Emulator, line: CommandLine) -> Remains:
    """The examples' runs: each once, and one that fails with a traceback."""
    folder, account = line.home.parent, Account(_emulator)
    pictures = folder / "pictures"
    pictures.mkdir()
    (pictures / "crossing.png").write_bytes(media.png(32, 24))
    (line.home / "dags").mkdir()
    for name in ("intake", "export", "api_key_export"):  # no others: each command reads all that are there
        shutil.copy(EXAMPLES / f"example_encord_{name}.py", line.home / "dags")
    key = keys.new_key()
    locked = keys.openssh(key, PASSPHRASE)
    _emulator.authorize(keys.public_line(key), email=account.email)
    ssh_key = connection(_emulator.url, private_key=locked, private_key_passphrase=PASSPHRASE)
    line.environment[SSH_CONNECTION] = ssh_key
    _emulator.clear_journal()

    states = {"migration": line.airflow("migration", "db", "migrate")}
    states["intake"] = line.dag("intake", "example_encord_intake", title="Street", source=f"{pictures}/*.png")
    with account.client() as client:
        project = client.projects()[0].project_hash
    _emulator.annotate(project, count=1)
    api_key = account.api_key(project, scopes=["label.read"])
    line.environment[API_KEY_CONNECTION] = connection(_emulator.url, api_key=api_key, resource_id=project)
    exports = f"file://{folder}/exports"
    states["export"] = line.dag("export", "example_encord_export", title="Street", destination=f"{exports}/ssh")
    states["key export"] = line.dag("key export", "example_encord_api_key_export", destination=f"{exports}/key")
    _emulator.faults([{"match": {"query_type": "labelrowmetadata"}, "do": {"cut": "after"}}])
    _emulator.faults([{"match": {"query_type": "project"}, "do": {"v1_error": "AUTHENTICATION_ERROR"}}])
    states["failure"] = line.dag("failure", "example_encord_api_key_export", destination=f"{exports}/no")
    _emulator.clear_faults()

    outputs = {**line.outputs, "the journal": json.dumps(_emulator.journal()).encode()}
    secrets = [
        *private_key("the key", locked, PASSPHRASE),
        text_secret("the passphrase", PASSPHRASE),
        text_secret("the API key", api_key),
    ]
    return Remains([line.home, folder / "exports"], outputs, secrets, states)


def _environment(home: Path) -> dict[str, str]:
    dropped = ("AIRFLOW_CONN_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(dropped)}
    return {**kept, "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags")}


def test_the_examples_ran(remains: Remains) -> None:
    outputs = {name: remains.outputs[f"stdout of {name}"][-2000:].decode() for name in remains.states}
    for name, state in remains.states.items():
        succeeded = state == 0 and b"state=failed" not in remains.outputs[f"stdout of {name}"]
        assert succeeded or name == "failure", (name, outputs[name])
    assert b"AUTHENTICATION_ERROR" in remains.outputs["stdout of failure"] + remains.outputs["stderr of failure"]


def test_the_database_knows_of_the_runs_and_the_exports_are_there(remains: Remains) -> None:
    home, exports = remains.places
    assert b"example_encord_export" in (home / "airflow.db").read_bytes()
    assert len(list(exports.rglob("manifest.json"))) == 2
    assert b"apikeymeta" in remains.outputs["the journal"]


def test_no_secret_is_in_the_database_the_logs_the_output_the_exports_or_the_journal(remains: Remains) -> None:
    search = Search(remains.secrets)
    assert search.in_files(*remains.places) + search.in_texts(remains.outputs) == []
