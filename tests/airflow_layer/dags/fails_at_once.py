"""A DAG whose task fails for a reason that its message explains."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_encord.operators.projects import EncordGetProjectOperator

with DAG(dag_id="fails_at_once", schedule=None) as dag:
    EncordGetProjectOperator(task_id="get", project_id="Street")
