"""Exports of analytics whose interval is that of the run."""

from __future__ import annotations

import datetime

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_encord.operators.analytics import EncordExportAnalyticsOperator

with DAG(
    dag_id="analytics_in_a_dag",
    schedule="0 6 * * *",
    start_date=datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC),
    catchup=False,
) as dag:
    for name, what in {"all": ("time_spent", "task_actions", "editor_logs"), "actions": "task_actions"}.items():
        EncordExportAnalyticsOperator(
            task_id=name,
            project_id="{{ var.value.encord_analytics_project }}",
            destination="{{ var.value.encord_analytics_destination }}/{{ run_id }}/" + name,
            record_types=what,
        )
