"""Run the examples as a user does on the command line, then search everything that was left behind for the secrets.

`airflow dags test` masks nothing by itself, so what it prints is what our own code lets out.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from airflow_provider_encord.emulator.process import Emulator
from tests.airflow_layer.bench import API_KEY_CONNECTION, SSH_CONNECTION, Account, connection
from tests.client import keys
from tests.sdk import media

pytestmark = pytest.mark.airflow

EXAMPLES = Path(__file__).parents[2] / "example_dags"
PASSPHRASE = 'open "sesame", 100% please'
SECONDS = 120


def forms(secret: str) -> set[bytes]:
    """A secret as it could be written down."""
    raw = secret.encode()
    texts = {secret, json.dumps(secret)[1:-1], quote(secret), quote(secret, safe=""), repr(secret)[1:-1]}
    return {text.encode() for text in texts} | {raw.hex().encode(), raw.hex().upper().encode(), base64.b64encode(raw)}


def found(secrets: dict[str, str], places: dict[str, bytes]) -> list[str]:
    """Where which secret is: `"<secret> in <place>"`, without the secret."""
    return [
        f"{name} in {place}"
        for name, secret in secrets.items()
        for place, content in places.items()
        if any(form in content for form in forms(secret))
    ]


def secrets_of_key(text: str) -> dict[str, str]:
    """The whole key, its body, the bytes of it, and each line."""
    lines = [line for line in text.splitlines() if "-----" not in line]
    by_line = {f"line {number} of the key": line for number, line in enumerate(lines, 1)}
    return {"the key": text, "the body of the key": "".join(lines), **by_line}


@pytest.mark.parametrize("form", sorted(forms(PASSPHRASE)))
def test_the_search_would_find_a_secret_in_each_form(form: bytes) -> None:
    assert found({"it": PASSPHRASE}, {"a file": b"before" + form + b"after"}) == ["it in a file"]


@dataclasses.dataclass
class Remains:
    """What the runs left.

    :param places: Contents of every file and output, by name.
    :param secrets: By name.
    """

    places: dict[str, bytes]
    secrets: dict[str, str]
    states: dict[str, int]


@dataclasses.dataclass
class CommandLine:
    """Airflow on the command line, with a home of its own."""

    home: Path
    environment: dict[str, str]
    places: dict[str, bytes] = dataclasses.field(default_factory=dict)

    def airflow(self, name: str, *arguments: str) -> int:
        """Run a command and keep what it prints; its exit code."""
        command = [sys.executable, "-m", "airflow", *arguments]
        done = subprocess.run(
            command, capture_output=True, env=self.environment, cwd=self.home, timeout=SECONDS, check=False
        )
        self.places |= {f"stdout of {name}": done.stdout, f"stderr of {name}": done.stderr}
        return done.returncode

    def dag(self, name: str, dag_id: str, **params: Any) -> int:
        """Run a DAG."""
        return self.airflow(name, "dags", "test", dag_id, "--conf", json.dumps(params))


@pytest.fixture(scope="module")
def remains(_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Remains:
    """The examples' runs: each once, and one that fails with a traceback."""
    folder, account = tmp_path_factory.mktemp("stored"), Account(_emulator)
    pictures = folder / "pictures"
    pictures.mkdir()
    (pictures / "crossing.png").write_bytes(media.png(32, 24))
    line = CommandLine(folder / "home", _environment(folder / "home"))
    line.home.mkdir()
    shutil.copytree(EXAMPLES, line.home / "dags", ignore=shutil.ignore_patterns("__pycache__"))
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

    places = {**line.places, "the journal": json.dumps(_emulator.journal()).encode()}
    for file in (one for one in [*line.home.rglob("*"), *(folder / "exports").rglob("*")] if one.is_file()):
        places[str(file.relative_to(folder))] = file.read_bytes()
    secrets = {**secrets_of_key(locked), "the passphrase": PASSPHRASE, "the API key": api_key}
    return Remains(places, secrets, states)


def _environment(home: Path) -> dict[str, str]:
    dropped = ("AIRFLOW_CONN_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(dropped)}
    return {**kept, "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags")}


def test_the_examples_ran(remains: Remains) -> None:
    outputs = {name: remains.places[f"stdout of {name}"][-2000:].decode() for name in remains.states}
    for name, state in remains.states.items():
        succeeded = state == 0 and b"state=failed" not in remains.places[f"stdout of {name}"]
        assert succeeded or name == "failure", (name, outputs[name])
    assert b"AUTHENTICATION_ERROR" in remains.places["stdout of failure"] + remains.places["stderr of failure"]


def test_the_database_knows_of_the_runs_and_the_exports_are_there(remains: Remains) -> None:
    assert b"example_encord_export" in remains.places["home/airflow.db"]
    assert sum(name.endswith("manifest.json") for name in remains.places) == 2
    assert b"apikeymeta" in remains.places["the journal"]


def test_no_secret_is_in_the_database_the_logs_the_output_the_exports_or_the_journal(remains: Remains) -> None:
    assert found(remains.secrets, remains.places) == []
