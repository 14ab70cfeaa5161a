"""Commands of Airflow as forks: each is a process of its own, in which Airflow is imported already."""

from __future__ import annotations

from collections.abc import Mapping

from tests.airflow_layer.lines import running_line
from tests.forks.client import Forks

API = "tests.forks.airflow_api"
"""For commands that run a DAG."""
_OF_AIRFLOW_3 = ("airflow.sdk.execution_time.task_runner", "airflow.serialization.serialized_objects")


def start_airflow_forks(environment: Mapping[str, str]) -> Forks:
    """The process that commands are forks of.

    :param environment: Airflow's settings, which it reads while it is imported: commands must have the same.
    """
    more = () if running_line() == "2.11" else _OF_AIRFLOW_3
    return Forks(["airflow.__main__", "airflow.cli.commands.dag_command", *more], environment=environment)
