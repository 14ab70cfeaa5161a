"""Tasks that wait in the triggerer."""

from __future__ import annotations

import datetime

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_encord.operators.storage import EncordSyncFolderOperator

with DAG(
    "deferred_sync", schedule=None, start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), params={"folder": ""}
) as dag:
    EncordSyncFolderOperator(task_id="sync", folder="{{ params.folder }}", deferrable=True, poll_interval=5)
