"""Wait until people have submitted a batch of tasks, then export their labels. Only reads: the project does not change.

Set the DAG's params, or copy the file:

- ``project_id``: id of the project (needed);
- ``stage``: title of the workflow stage into which the work comes;
- ``min_tasks``, ``max_wait_hours``: the size of a batch, and how long a task may wait for it;
- ``destination``: where the exports go, a directory for each run (``s3://connection_id@bucket/labels``).

The sensor waits in the triggerer, so it occupies no worker. Needs the connection ``encord_default`` with an SSH key.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import DAG, Param

from airflow_provider_encord.operators.labels import EncordExportLabelsOperator
from airflow_provider_encord.sensors.workflow import EncordTasksSensor

with DAG(
    dag_id="example_encord_wait_and_export",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 2},
    tags=["encord", "example"],
    params={
        "project_id": Param("", type="string", description="Id of the project."),
        "stage": Param("Review", type="string", description="Title of the stage into which the work comes."),
        "min_tasks": Param(100, type="integer", minimum=1, description="Size of a batch."),
        "max_wait_hours": Param(24, type="integer", minimum=1, description="How long a task may wait for the batch."),
        "destination": Param(
            "file:///var/lib/encord-exports",
            type="string",
            description="Where to: any path of Airflow's object storage.",
        ),
    },
) as dag:
    batch = EncordTasksSensor(
        task_id="wait_for_batch",
        project_id="{{ params.project_id }}",
        stage="{{ params.stage }}",
        min_tasks="{{ params.min_tasks }}",
        max_wait_seconds="{{ params.max_wait_hours * 3600 }}",
        deferrable=True,
        poke_interval=300,
        timeout=timedelta(days=14),
    )
    export = EncordExportLabelsOperator(
        task_id="export_labels",
        project_id="{{ params.project_id }}",
        stage="{{ params.stage }}",
        destination="{{ params.destination }}/{{ run_id }}",
    )
    batch >> export
