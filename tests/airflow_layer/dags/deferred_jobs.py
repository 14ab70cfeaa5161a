"""Tasks that wait in the triggerer."""

from __future__ import annotations

import datetime

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_encord.operators.storage import EncordRegisterCloudDataOperator

with DAG(
    "deferred_registration",
    schedule=None,
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    params={"folder": "", "source": "", "integration": ""},
) as registration:
    EncordRegisterCloudDataOperator(
        task_id="register",
        folder_id="{{ params.folder }}",
        source="{{ params.source }}",
        integration="{{ params.integration }}",
        units_per_job=1,
        deferrable=True,
        poll_interval=5,
    )
