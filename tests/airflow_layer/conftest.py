"""Airflow with a database of its own, and an account on an emulator behind the connections ``encord_default`` and
``encord_api_key``.

Airflow and the emulator start once; tests do not disturb each other, because each has an account that sees nothing of
the others'.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from encord_emulator.process import Emulator
from tests.airflow_layer import encords_hosts
from tests.airflow_layer.agent_stage import AgentStage
from tests.airflow_layer.bench import SSH_CONNECTION, Account
from tests.airflow_layer.cloud_intake import Intake
from tests.airflow_layer.label_exports import Exports
from tests.airflow_layer.log_lines import log_lines_once, logged
from tests.airflow_layer.pre_labels import Model
from tests.airflow_layer.threads import _threads_may_execute
from tests.client.network import plain_network
from tests.forks.airflow_commands import start_airflow_forks
from tests.forks.client import Forks

__all__ = ["_threads_may_execute", "log_lines_once", "logged", "plain_network"]


@pytest.fixture(autouse=True)
def _plain_network(plain_network: None) -> None:
    """`plain_network` for every test here."""


@pytest.fixture(scope="session")
def _emulator() -> Iterator[Emulator]:
    with Emulator.start(allow_hosts=encords_hosts.HOSTS) as emulator:
        yield emulator


@pytest.fixture
def emulator(_emulator: Emulator) -> Iterator[Emulator]:
    """The emulator of all tests here, without faults, with an empty journal and real time."""
    _emulator.clear_journal()
    yield _emulator
    _emulator.clear_faults()
    _emulator.jobs(hold=False)
    _emulator.clock(now=None)


@pytest.fixture
def account(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Account:
    """A new account, to which the connection ``encord_default`` leads."""
    account = Account(emulator)
    monkeypatch.setenv(SSH_CONNECTION, account.connection())
    return account


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's database, and its folder of DAGs, in which `run_dag` puts the one that it runs."""
    folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    if folder.exists():  # tests/moves takes this fixture, too, and both may run in one process
        return
    folder.mkdir()
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture(scope="session")
def airflow_forks() -> Iterator[Forks]:
    """The process that commands of Airflow are forks of; it has the settings of this one."""
    with start_airflow_forks(os.environ) as forks:
        yield forks


@pytest.fixture
def intake(account: Account, tmp_path: Path) -> Iterator[Intake]:
    """Objects of a bucket that can be registered; its jobs run again afterwards."""
    yield Intake(account, tmp_path)
    account.emulator.jobs(hold=False, fail_units=0.0)


@pytest.fixture
def model(account: Account, tmp_path: Path) -> Model:
    """A project without labels, and a model's pre-labels for it."""
    return Model(account, tmp_path)


@pytest.fixture
def exports(account: Account, tmp_path: Path) -> Exports:
    """A project with labels, and its exports of some days."""
    return Exports(account, tmp_path)


@pytest.fixture
def stage(account: Account, tmp_path: Path) -> AgentStage:
    """A project with four tasks in an agent stage."""
    return AgentStage(account, tmp_path)
