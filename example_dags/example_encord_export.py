"""Export the labels of a project every night, as JSON Lines with a manifest. Only reads: the project does not change.

Needs the connection ``encord_default`` with an SSH key.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import DAG, Param, task

from airflow_provider_encord.hooks.encord import EncordHook
from airflow_provider_encord.operators.labels import EncordExportLabelsOperator

with DAG(
    dag_id="example_encord_export",
    doc_md=__doc__,
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2},
    tags=["encord", "example"],
    params={
        "title": Param("Street scenes", type="string", description="Title of the project."),
        "destination": Param(
            "file:///var/lib/encord-exports",
            type="string",
            description="Where to: any path of Airflow's object storage.",
        ),
    },
) as dag:

    @task
    def find_project(title: str) -> str:
        """Look the project up by its title: the hook serves a plain task as well."""
        from airflow_provider_encord.client import Filter

        with EncordHook("encord_default") as hook:
            found = hook.get_conn().projects(Filter(title_eq=title))
        if len(found) != 1:
            raise ValueError(f"{len(found)} projects are titled {title!r}; expected one.")
        return found[0].project_hash

    export = EncordExportLabelsOperator(
        task_id="export_labels",
        project_id=find_project("{{ params.title }}"),
        # A run that somebody starts may have no logical date: then it is filed under the day it was started.
        destination="{{ params.destination }}/{{ ti.xcom_pull('find_project') }}/"
        "{{ (dag_run.logical_date or dag_run.run_after) | ds }}",
    )
