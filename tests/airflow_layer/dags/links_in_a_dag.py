"""Tasks whose buttons "Open in Encord" are looked at: files go in, labels come out, and some tasks fail."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_encord.operators.datasets import EncordGetDatasetOperator
from airflow_provider_encord.operators.labels import EncordExportLabelsOperator
from airflow_provider_encord.operators.projects import (
    EncordCreateProjectOperator,
    EncordGetProjectOperator,
    EncordListProjectsOperator,
)
from airflow_provider_encord.operators.storage import EncordUploadFilesOperator

with DAG(dag_id="links_in_a_dag", schedule=None, render_template_as_native_obj=True) as dag:
    upload = EncordUploadFilesOperator.partial(task_id="upload", source="{{ params.source }}").expand(
        dataset=["{{ params.dataset }}", "{{ params.other_dataset }}"]
    )
    export = EncordExportLabelsOperator(
        task_id="export", project="{{ params.project }}", destination="{{ params.destination }}"
    )
    create_again = EncordCreateProjectOperator(task_id="create_again", title="{{ params.title }}")

with DAG(dag_id="links_of_failures", schedule=None) as dag_that_fails:
    EncordGetProjectOperator(task_id="not_there", project="00000000-0000-4000-8000-00000000abcd")
    EncordUploadFilesOperator(task_id="no_files", source="/no/such/file.png", dataset="{{ params.dataset }}")
    EncordExportLabelsOperator(task_id="no_room", project="{{ params.project }}", destination="/proc/nothing")
    EncordGetProjectOperator(task_id="no_id", project="not an id")

with DAG(
    dag_id="links_under_api_keys", schedule=None, default_args={"encord_conn_id": "encord_api_key"}
) as dag_under_api_keys:
    EncordGetProjectOperator(task_id="get_project")
    EncordGetDatasetOperator(task_id="get_dataset", encord_conn_id="encord_dataset_key")

with DAG(dag_id="links_of_lists", schedule=None) as dag_of_lists:
    EncordListProjectsOperator(task_id="several")
    EncordListProjectsOperator(task_id="none", title="There is no project of this title")
