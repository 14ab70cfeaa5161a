"""An incremental export, one day of a chain, while people label."""

import datetime

from airflow.sdk import DAG

from airflow_provider_encord.operators.labels import EncordExportLabelsOperator

with DAG(
    "daily",
    schedule=None,
    default_args={"retries": 60, "retry_delay": datetime.timedelta(seconds=3)},
    params={"project": "", "chain": "", "day": ""},
) as dag:
    EncordExportLabelsOperator(
        task_id="export_changes",
        project_id="{{ params.project }}",
        destination="{{ params.chain }}/{{ params.day }}",
        incremental=True,
        batch_size=5,
    )
