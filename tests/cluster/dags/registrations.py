"""Objects of a bucket registered by mapped tasks, which wait for their jobs in the triggerer."""

import datetime

from airflow.sdk import DAG, Param, task

from airflow_provider_encord.operators.storage import EncordRegisterCloudDataOperator

with DAG(
    "registrations",
    schedule=None,
    default_args={"retries": 60, "retry_delay": datetime.timedelta(seconds=3)},
    params={
        "folder": "",
        "integration": "",
        "reports": "",
        "name": "",
        "manifests": Param([], type="array"),
        "units_per_job": 1000,
    },
) as dag:

    @task
    def manifests(params: dict) -> list[str]:
        """The manifests, one for each mapped task."""
        return params["manifests"]

    EncordRegisterCloudDataOperator.partial(
        task_id="register",
        folder_id="{{ params.folder }}",
        integration="{{ params.integration }}",
        report="{{ params.reports }}/{{ params.name or run_id }}/{{ ti.map_index }}.jsonl",
        units_per_job="{{ params.units_per_job }}",
        deferrable=True,
        poll_interval=5,
    ).expand(source=manifests())
