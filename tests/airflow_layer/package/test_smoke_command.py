"""``airflow encord smoke`` is a command of Airflow where a line lets providers add commands, and harmless elsewhere."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from encord_emulator.process import Emulator
from tests.airflow_layer.bench import Account
from tests.airflow_layer.commands import forked
from tests.airflow_layer.lines import FEATURES, running_line
from tests.forks.client import Forks

HAS_COMMAND = FEATURES["provider commands"].on(running_line())
needs_command = pytest.mark.skipif(not HAS_COMMAND, reason="this line of Airflow takes no commands of providers")


Airflow = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def airflow(airflow_forks: Forks) -> Airflow:
    """Runs ``airflow`` as a program."""
    return functools.partial(forked, airflow_forks, "airflow")


@needs_command
def test_airflow_runs_the_smoke_command_with_a_connection(emulator: Emulator, airflow: Airflow) -> None:
    account = Account(emulator)
    account.project(rows=2, created=0.5)
    done = airflow("encord", "smoke", "--encord-conn-id", "mine", "--json", AIRFLOW_CONN_MINE=account.connection())
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["as_expected"]
    assert report["connections"] == [{"credential": "ssh_key", "host": "other host", "key_of": None}]


@needs_command
def test_a_connection_that_does_not_work_gives_airflow_exit_status_1(airflow: Airflow) -> None:
    done = airflow("encord", "smoke", "--encord-conn-id", "absent")
    assert (done.returncode, "**The connection does not work.**" in done.stdout) == (1, True), done.stderr


@needs_command
def test_the_command_and_the_module_take_the_same_options(airflow: Airflow) -> None:
    from airflow_provider_encord.smoke.options import EXIT_STATUS, OPTIONS

    shown = airflow("encord", "smoke", "--help").stdout
    assert [option for option in OPTIONS if option not in shown] == []
    assert " ".join(EXIT_STATUS.split()) in " ".join(shown.split())


@pytest.mark.skipif(HAS_COMMAND, reason="this line of Airflow takes commands of providers")
def test_an_older_airflow_ignores_the_command_and_still_works(airflow: Airflow) -> None:
    assert airflow("encord", "smoke").returncode == 2
    listed = airflow("providers", "list", "--output", "json")
    assert "airflow-provider-encord" in listed.stdout
    assert "airflow_cli" not in listed.stderr


def test_what_every_airflow_command_imports_is_two_small_modules() -> None:
    script = (
        "import sys, airflow.cli.cli_config, argparse, pathlib, uuid; before = set(sys.modules)\n"
        "from airflow_provider_encord.smoke.airflow_cli import get_cli_commands; get_cli_commands()\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split()) - {"airflow_provider_encord"}
    assert imported == {f"airflow_provider_encord.smoke{part}" for part in ("", ".airflow_cli", ".options")}
