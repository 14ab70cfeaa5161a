"""The files of a dataset pulled into a bucket."""

import datetime

from airflow.sdk import DAG

from airflow_provider_encord.operators.media import EncordPullMediaOperator

with DAG(
    "media",
    schedule=None,
    default_args={"retries": 60, "retry_delay": datetime.timedelta(seconds=3)},
    params={"dataset": "", "destination": ""},
) as dag:
    EncordPullMediaOperator(
        task_id="pull", dataset_id="{{ params.dataset }}", destination="{{ params.destination }}", max_concurrency=2
    )
