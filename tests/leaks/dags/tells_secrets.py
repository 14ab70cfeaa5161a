"""DAGs of careless or unlucky authors: they log secrets, quote them in exceptions, put them in templates, and use
connections that Encord refuses.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_encord.hooks.encord import EncordHook
from airflow_provider_encord.operators.projects import EncordCreateProjectOperator, EncordGetProjectOperator
from airflow_provider_encord.operators.storage import EncordUploadFilesOperator
from tests.leaks.telling import AIRFLOW_3, TellingOperator, sayings, secrets_of, tell

OPTIONS: dict[str, Any] = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "default_args": {"retries": 0},
}

with DAG("tells_secrets", params={"conn_id": "encord_default", "project": "", "until": ""}, schedule=None, **OPTIONS):

    @task
    def log_secrets(conn_id: str) -> str:
        """Say them in every way that a task has."""
        with EncordHook(conn_id) as hook:
            hook.get_conn()
        secrets = secrets_of(conn_id)
        tell(secrets, logging.getLogger(__name__).info)
        tell(secrets, logging.getLogger("airflow.task").warning)
        tell(secrets, print)
        tell(secrets, lambda saying: print(saying, file=sys.stderr))
        return "said"

    @task
    def fail_with_secrets(conn_id: str) -> None:
        """Say them in a traceback: in the exception, in its cause, and in its notes."""
        with EncordHook(conn_id) as hook:
            hook.get_conn()
        said = "\n".join(sayings(secrets_of(conn_id)))
        try:
            raise KeyError(said)
        except KeyError as cause:
            error = ValueError(said)
            if AIRFLOW_3:  # Airflow 2.11 masks the text of an exception, and none of its notes
                error.add_note(said)
            raise error from cause

    log_secrets("{{ params.conn_id }}")
    fail_with_secrets("{{ params.conn_id }}")
    TellingOperator(
        task_id="tell_in_the_triggerer",
        encord_conn_id="{{ params.conn_id }}",
        until="{{ params.until }}",
        said="{{ conn.get(params.conn_id).extra_dejson.private_key }}",
    )
    EncordGetProjectOperator(
        task_id="get_project", project_id="{{ params.project }}", encord_conn_id="{{ params.conn_id }}"
    )

with DAG("is_refused", params={"source": "", "dataset": "", "project": ""}, schedule=None, **OPTIONS):
    EncordGetProjectOperator(task_id="stranger", project_id="{{ params.project }}", encord_conn_id="encord_stranger")
    EncordCreateProjectOperator(task_id="locked_out", title="Never made", encord_conn_id="encord_locked_out")
    EncordGetProjectOperator(task_id="wrong_api_key", encord_conn_id="encord_wrong_api_key")
    EncordUploadFilesOperator(
        task_id="refused_upload",
        source="{{ params.source }}",
        dataset_id="{{ params.dataset }}",
        report="{{ params.source }}/../report.jsonl",
    )
