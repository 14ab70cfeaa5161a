"""An export, and a gate that measures it."""

import datetime

from airflow.sdk import DAG

from airflow_provider_encord.operators.labels import EncordExportLabelsOperator
from airflow_provider_encord.operators.quality import EncordQualityGateOperator

with DAG(
    "gates",
    schedule=None,
    default_args={"retries": 60, "retry_delay": datetime.timedelta(seconds=3)},
    params={"project": "", "destination": ""},
) as dag:
    export = EncordExportLabelsOperator(
        task_id="export_labels",
        project_id="{{ params.project }}",
        destination="{{ params.destination }}/{{ run_id }}/labels",
        batch_size=10,
    )
    gate = EncordQualityGateOperator(
        task_id="gate",
        project_id="{{ params.project }}",
        labels="{{ ti.xcom_pull('export_labels')['manifest'] }}",
        report="{{ params.destination }}/{{ run_id }}/findings.jsonl",
        max_missing_attributes=1.0,
        if_empty="pass",
    )
    export >> gate
