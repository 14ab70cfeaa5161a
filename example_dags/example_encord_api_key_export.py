"""Export the labels of a project every night with nothing but the project's API key: no user account, no project id.

The key belongs to one project, so the project comes from the connection.

Needs the connection ``encord_api_key`` with an API key that has the scope ``label.read``.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import DAG, Param

from airflow_provider_encord.operators.labels import EncordExportLabelsOperator
from airflow_provider_encord.operators.projects import EncordGetProjectOperator

with DAG(
    dag_id="example_encord_api_key_export",
    doc_md=__doc__,
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "encord_conn_id": "encord_api_key"},
    tags=["encord", "example"],
    params={
        "destination": Param(
            "file:///var/lib/encord-exports",
            type="string",
            description="Where to: any path of Airflow's object storage.",
        ),
    },
) as dag:
    project = EncordGetProjectOperator(task_id="get_project")

    export = EncordExportLabelsOperator(
        task_id="export_labels",
        # A run that somebody starts may have no logical date: then it is filed under the day it was started.
        destination="{{ params.destination }}/{{ ti.xcom_pull('get_project')['project_id'] }}/"
        "{{ (dag_run.logical_date or dag_run.run_after) | ds }}",
    )

    project >> export
