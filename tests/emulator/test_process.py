"""The command and the process: what it prints, how it ends, what it keeps, what it refuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from encord_emulator.process import Emulator, EmulatorError
from tests.emulator.callers import Person, send
from tests.emulator.storage.test_uploads import _poll, _put, _rows, _start, picture

COMMAND = [os.environ.get("ENCORD_EMULATOR_PYTHON", sys.executable), "-m", "encord_emulator"]
ROOT = Path(__file__).parents[2]


def _run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "emulator"), **variables}
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, env=environment, timeout=60, check=False
    )


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_one_line_says_where_it_listens_and_a_signal_ends_it_cleanly(how):
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "emulator")},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("encord-emulator listening on http://127.0.0.1:")
    url = line.split()[-1]
    assert send(url, "GET", "/_emulator/state").json["users"] == 0
    process.send_signal(how)
    rest, errors = process.communicate(timeout=20)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_a_running_long_poll_does_not_keep_it_alive():
    with Emulator.start() as emulator:
        owner = Person(emulator.url, "owner@example.com")
        emulator.authorize(owner.public_key, email=owner.email)
        dataset = owner.rest("POST", "datasets", {"title": "t"}).json["datasetUuid"]
        emulator.jobs(hold=True)
        _start(owner, dataset, images=[{"objectUrl": _put(owner, picture()), "title": "a"}])
        process = emulator._process
        assert process is not None
        process.terminate()
        assert process.wait(10) == 0


def test_what_was_in_the_database_is_there_after_a_restart(tmp_path: Path):
    database = tmp_path / "state.sqlite"
    with Emulator.start(database=database) as emulator:
        owner = Person(emulator.url, "owner@example.com")
        emulator.authorize(owner.public_key, email=owner.email)
        made = emulator.project(owner=owner.email, title="x", rows=3, created=1.0)
        rows = emulator.labels(made["project_id"])
        dataset = owner.rest("POST", "datasets", {"title": "t"}).json["datasetUuid"]
        key = _put(owner, picture())
        emulator.jobs(hold=True)
        job = _start(owner, dataset, images=[{"objectUrl": key, "title": "a"}])
        before = emulator.state()
        emulator.kill()
    with Emulator.start(database=database) as emulator:
        again = Person(emulator.url, owner.email, owner.key)
        assert emulator.labels(made["project_id"]) == rows
        assert _without_time(emulator.state()) in (
            _without_time(before),
            _without_time(before) | {"data_rows": 4, "items": 4},
        )
        assert _poll(again, dataset, job)["status"] == "DONE", "a job that was running goes on"
        assert [row["data_title"] for row in _rows(again, dataset)] == ["a"]


def _without_time(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name != "now"}


def test_keys_are_authorized_from_files(tmp_path: Path):
    person = Person("", "me@example.com")
    named, unnamed, wrong = tmp_path / "a.pub", tmp_path / "robot.pub", tmp_path / "wrong.pub"
    named.write_text(f"{person.public_key} me@example.com\n")
    unnamed.write_text(f"{Person('', '').public_key} laptop\n")
    wrong.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    with Emulator.start(authorize=[named, unnamed]) as emulator:
        assert emulator.state()["users"] == 2
        person.url = emulator.url
        assert person.rest("GET", "projects").status == 200
    refused = _run("serve", "--port", "0", "--authorize", str(wrong))
    assert refused.returncode == 2
    assert "wrong.pub" in refused.stderr
    assert "BEGIN" not in refused.stderr


def test_a_host_that_others_can_reach_must_be_meant():
    refused = _run("serve", "--port", "0", "--host", "0.0.0.0")
    assert refused.returncode == 2
    assert "--allow-remote" in refused.stderr


def test_a_port_that_is_taken_is_said(encord_emulator):
    taken = encord_emulator.url.rpartition(":")[2]
    refused = _run("serve", "--port", taken)
    assert refused.returncode == 1
    assert taken in refused.stderr
    with pytest.raises(EmulatorError, match=taken):
        Emulator.start(port=int(taken))


def test_help_says_that_it_is_not_encord():
    answer = _run("--help")
    assert answer.returncode == 0
    assert "NOT Encord" in answer.stdout


def test_without_what_it_depends_on_the_message_says_what_to_install(tmp_path: Path):
    (tmp_path / "uvicorn.py").write_text("raise ModuleNotFoundError(\"No module named 'uvicorn'\", name='uvicorn')\n")
    refused = _run("serve", "--port", "0", PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT / 'emulator'}")
    assert refused.returncode == 2
    assert "the module uvicorn is missing" in refused.stderr
    assert "pip install encord-emulator" in refused.stderr


def test_the_emulator_imports_neither_the_provider_nor_airflow():
    code = (
        "import sys, encord_emulator.http.server, encord_emulator.process\n"
        "print([name for name in sys.modules if name.startswith(('airflow.', 'airflow_provider_encord'))])"
    )
    answer = subprocess.run(
        [COMMAND[0], "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "emulator")},
        timeout=60,
        check=True,
    )
    assert answer.stdout.strip() == "[]"


def test_the_pytest_plugin_and_the_starter_load_nothing_heavy():
    code = (
        "import sys, pytest, encord_emulator.pytest_plugin, encord_emulator.process\n"
        "print(sorted({'starlette', 'uvicorn', 'msgspec', 'cryptography', 'PIL', 'sqlite3'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout.strip() == "[]"
