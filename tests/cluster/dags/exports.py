"""The nightly export, in mapped partitions, and a check of what came out."""

import datetime

from airflow.sdk import DAG, Param

from airflow_provider_encord.operators.labels import (
    EncordExportLabelsPartitionOperator,
    EncordPartitionLabelsOperator,
    EncordVerifyExportOperator,
)

with DAG(
    "exports",
    schedule=None,
    default_args={"retries": 60, "retry_delay": datetime.timedelta(seconds=3)},
    params={"project": Param("", type="string"), "exports": "", "rows_per_partition": 100, "batch_size": 10},
) as dag:
    partition = EncordPartitionLabelsOperator(
        task_id="partition",
        project_id="{{ params.project }}",
        destination="{{ params.exports }}/{{ run_id }}",
        rows_per_partition="{{ params.rows_per_partition }}",
    )
    export = EncordExportLabelsPartitionOperator.partial(
        task_id="export", batch_size="{{ params.batch_size }}", max_concurrency=1
    ).expand(partition=partition.output)
    verify = EncordVerifyExportOperator(task_id="verify", manifest="{{ params.exports }}/{{ run_id }}")
    export >> verify
