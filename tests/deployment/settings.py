"""How a deployment is set up: Airflow's options as variables."""

from __future__ import annotations

import base64
import os
import secrets
import urllib.parse
from pathlib import Path

LOCK_SECONDS = 60
_DROPPED = ("AIRFLOW", "_AIRFLOW", "ENCORD_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "PYTHONDONTWRITEBYTECODE")


def kept_variables() -> dict[str, str]:
    """The variables of this process that a deployment takes over."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(_DROPPED)}


def settings(python: Path, home: Path, dags: Path, url: str, *, old: bool) -> dict[str, str]:
    """The variables of a deployment.

    :param python: Its interpreter.
    :param home: Where everything goes that it stores.
    :param dags: Folder of the DAGs.
    :param url: Of its web interface.
    :param old: Whether it is Airflow 2.
    """
    options = {
        "CORE__DAGS_FOLDER": str(dags.absolute()),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__PARALLELISM": "2",
        "CORE__TEST_CONNECTION": "Enabled",
        "CORE__FERNET_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__EXECUTOR": "SequentialExecutor" if old else "LocalExecutor",  # 2.11 on SQLite takes no other
        "CORE__DEFAULT_TASK_RETRY_DELAY": "1",
        # SQLite's own 5 s are not enough for all components on a loaded machine: a page then answers 500.
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}?timeout={LOCK_SECONDS}",
        "LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "SCHEDULER__USE_JOB_SCHEDULE": "False",  # nothing runs that a test did not trigger
        "SCHEDULER__MIN_FILE_PROCESS_INTERVAL": "5",
        # Tests that share a deployment add files to it.
        "SCHEDULER__DAG_DIR_LIST_INTERVAL" if old else "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
        **(_of_airflow_2(url) if old else _of_airflow_3(url)),
    }
    return {
        "AIRFLOW_HOME": str(home),
        "PATH": os.pathsep.join([str(python.parent), os.environ.get("PATH", os.defpath)]),  # 2.11 starts "airflow"
        "NO_PROXY": "*",
        **{f"AIRFLOW__{name}": value for name, value in options.items()},
    }


def _of_airflow_2(url: str) -> dict[str, str]:
    return {
        "WEBSERVER__BASE_URL": url,
        "WEBSERVER__SECRET_KEY": secrets.token_hex(16),
        "WEBSERVER__EXPOSE_CONFIG": "False",
        "API__AUTH_BACKENDS": "airflow.providers.fab.auth_manager.api.auth.backend.basic_auth,"
        "airflow.api.auth.backend.session",
    }


def _of_airflow_3(url: str) -> dict[str, str]:
    return {
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "API__BASE_URL": url,
        "API__PORT": str(urllib.parse.urlsplit(url).port),
        "API__HOST": "127.0.0.1",
        "API__SECRET_KEY": secrets.token_hex(16),
        "API_AUTH__JWT_SECRET": secrets.token_hex(32),
    }
