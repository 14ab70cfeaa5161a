"""Airflow in an environment: which it is, and what its processes import."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

_COMPONENTS = (
    "airflow.__main__",
    "airflow.cli.commands.scheduler_command",
    "airflow.cli.commands.triggerer_command",
    "airflow.jobs.scheduler_job_runner",
    "airflow.jobs.triggerer_job_runner",
    "airflow.serialization.serialized_objects",
)
_OF_AIRFLOW_3 = (
    "airflow.cli.commands.api_server_command",
    "airflow.cli.commands.dag_processor_command",
    "airflow.cli.commands.db_command",
    "airflow.api_fastapi.core_api.routes.public",
    "airflow.api_fastapi.core_api.routes.ui",
    "airflow.api_fastapi.execution_api.routes",
    "airflow.dag_processing.manager",
    "airflow.executors.local_executor",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
)
# What operators, hooks and triggers load when they run. Workers are forks of the scheduler, so each task would load it.
_LOADED_BY_TASKS = ("cryptography.hazmat.primitives.serialization", "httpx", "msgspec", "requests", "tenacity")


def airflow_version(python: Path) -> tuple[int, ...]:
    """Of Airflow in an environment: ``(3, 3, 2)``."""
    code = "import importlib.metadata as m, json; print(json.dumps(m.version('apache-airflow').split('.')))"
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return tuple(int(part) for part in json.loads(done.stdout))


def modules_to_import(version: tuple[int, ...]) -> tuple[str, ...]:
    """What the processes of a deployment have in common: they are forks of one that has imported it."""
    return (*_COMPONENTS, *(_OF_AIRFLOW_3 if version >= (3,) else ()), *_LOADED_BY_TASKS)
