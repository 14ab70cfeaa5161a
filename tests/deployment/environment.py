"""The variables of a deployment, those it takes over and those it sets; and which Airflow an environment has."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
from pathlib import Path
from typing import Protocol

LOCK_SECONDS = 60

_DROPPED = ("AIRFLOW", "_AIRFLOW", "ENCORD_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "PYTHONDONTWRITEBYTECODE")


def kept_variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(_DROPPED)}


def airflow_version(python: Path) -> tuple[int, ...]:
    """Of Airflow in an environment: ``(3, 3, 2)``."""
    code = "import importlib.metadata as m, json; print(json.dumps(m.version('apache-airflow').split('.')))"
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return tuple(int(part) for part in json.loads(done.stdout))


class Place(Protocol):
    """Where a deployment is."""

    @property
    def python(self) -> Path: ...
    @property
    def home(self) -> Path: ...
    @property
    def dags(self) -> Path: ...
    @property
    def logs(self) -> Path: ...
    @property
    def port(self) -> int: ...
    @property
    def url(self) -> str: ...
    @property
    def execution_url(self) -> str: ...
    @property
    def old(self) -> bool: ...


def settings(place: Place) -> dict[str, str]:
    """Airflow's configuration, as variables."""
    settings = {
        "CORE__DAGS_FOLDER": str(place.dags.absolute()),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__PARALLELISM": "2",
        "CORE__TEST_CONNECTION": "Enabled",
        "CORE__FERNET_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__EXECUTOR": "SequentialExecutor" if place.old else "LocalExecutor",  # 2.11 on SQLite takes no other
        "CORE__DEFAULT_TASK_RETRY_DELAY": "1",
        # SQLite's own 5 s are not enough for all components on a loaded machine: a page then answers 500.
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{place.home / 'airflow.db'}?timeout={LOCK_SECONDS}",
        "LOGGING__BASE_LOG_FOLDER": str(place.logs),
        "SCHEDULER__USE_JOB_SCHEDULE": "False",  # nothing runs that a test did not trigger
        "SCHEDULER__MIN_FILE_PROCESS_INTERVAL": "5",
        # Tests that share a deployment add files to it.
        "SCHEDULER__DAG_DIR_LIST_INTERVAL" if place.old else "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    if place.old:
        settings |= {
            "WEBSERVER__BASE_URL": place.url,
            "WEBSERVER__SECRET_KEY": secrets.token_hex(16),
            "WEBSERVER__EXPOSE_CONFIG": "False",
            "API__AUTH_BACKENDS": "airflow.providers.fab.auth_manager.api.auth.backend.basic_auth,"
            "airflow.api.auth.backend.session",
        }
    else:
        settings |= {
            "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "CORE__EXECUTION_API_SERVER_URL": f"{place.execution_url}/execution/",
            "API__BASE_URL": place.url,
            "API__PORT": str(place.port),
            "API__HOST": "127.0.0.1",
            "API__SECRET_KEY": secrets.token_hex(16),
            "API_AUTH__JWT_SECRET": secrets.token_hex(32),
        }
    binaries = os.pathsep.join([str(place.python.parent), os.environ.get("PATH", os.defpath)])
    return {
        "AIRFLOW_HOME": str(place.home),
        "PATH": binaries,  # Airflow 2.11 starts its tasks as "airflow"
        "NO_PROXY": "*",
        **{f"AIRFLOW__{name}": value for name, value in settings.items()},
    }
