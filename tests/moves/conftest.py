"""The fixtures of the Airflow layer: an account on an emulator, and Airflow's database."""

from tests.airflow_layer.conftest import (
    _emulator,
    _plain_network,
    _threads_may_execute,
    account,
    airflow_database,
    emulator,
    log_lines_once,
    plain_network,
)

__all__ = [
    "_emulator",
    "_plain_network",
    "_threads_may_execute",
    "account",
    "airflow_database",
    "emulator",
    "log_lines_once",
    "plain_network",
]
