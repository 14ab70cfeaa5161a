"""A gate that chooses the next task."""

from __future__ import annotations

import datetime

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_encord.operators.quality import EncordQualityGateBranchOperator

try:
    from airflow.providers.standard.operators.empty import EmptyOperator
except ImportError:  # Airflow 2.11
    from airflow.operators.empty import EmptyOperator

with DAG("gates_in_a_dag", schedule=None, start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)) as dag:
    gate = EncordQualityGateBranchOperator(
        task_id="gate",
        project_id="{{ params.project }}",
        labels="{{ params.labels }}",
        report="{{ params.directory }}/gate.jsonl",
        max_missing_attributes="{{ params.limit }}",
        if_empty="pass",
        if_passed="release_labels",
        if_failed=["send_back"],
    )
    gate >> [EmptyOperator(task_id="release_labels"), EmptyOperator(task_id="send_back")]
