"""Files of a bucket uploaded into one dataset by mapped tasks."""

import datetime

from airflow.sdk import DAG, Param, task

from airflow_provider_encord.operators.storage import EncordUploadFilesOperator

with DAG(
    "uploads",
    schedule=None,
    default_args={"retries": 60, "retry_delay": datetime.timedelta(seconds=3)},
    params={"dataset": "", "reports": "", "name": "", "sources": Param([], type="array")},
) as dag:

    @task
    def sources(params: dict) -> list[str]:
        """What to upload, one for each mapped task."""
        return params["sources"]

    EncordUploadFilesOperator.partial(
        task_id="upload",
        dataset_id="{{ params.dataset }}",
        report="{{ params.reports }}/{{ params.name or run_id }}/{{ ti.map_index }}.jsonl",
        files_per_job=10,
        max_concurrency=1,
    ).expand(source=sources())
