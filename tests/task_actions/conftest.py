"""The fixtures of the Airflow layer, and a project with tasks."""

from pathlib import Path

import pytest

from tests.airflow_layer.bench import Account
from tests.airflow_layer.conftest import (
    _emulator,
    _nothing_masked,
    _plain_network,
    _threads_may_execute,
    account,
    airflow_database,
    emulator,
    log_lines_once,
    plain_network,
)
from tests.task_actions.desk import Desk

__all__ = [
    "_emulator",
    "_nothing_masked",
    "_plain_network",
    "_threads_may_execute",
    "account",
    "airflow_database",
    "emulator",
    "log_lines_once",
    "plain_network",
]


@pytest.fixture
def desk(account: Account, tmp_path: Path) -> Desk:
    return Desk(account, tmp_path)
