"""Operators as they stand in DAGs: mapped over lists, fed by each other's outputs, templated."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_encord.operators.datasets import (
    EncordCreateDatasetOperator,
    EncordGetDatasetOperator,
    EncordListDatasetsOperator,
)
from airflow_provider_encord.operators.ontologies import EncordCreateOntologyOperator, EncordGetOntologyOperator
from airflow_provider_encord.operators.projects import (
    EncordAttachDatasetsOperator,
    EncordCreateProjectOperator,
    EncordDetachDatasetsOperator,
    EncordGetProjectOperator,
    EncordListProjectsOperator,
)

with DAG(dag_id="operators_in_a_dag", schedule=None, params={"prefix": "Street"}) as dag:

    @task
    def titles(prefix: str) -> list[str]:
        return [f"{prefix} {part}" for part in ("day", "night", "rain")]

    datasets = EncordCreateDatasetOperator.partial(task_id="create_datasets").expand(
        title=titles("{{ params.prefix }}")
    )
    ontology = EncordCreateOntologyOperator(
        task_id="create_ontology",
        title="{{ params.prefix }}",
        structure={"objects": [{"name": "{{ params.prefix }} sign", "shape": "polygon"}]},
    )
    project = EncordCreateProjectOperator(
        task_id="create_project",
        title="{{ params.prefix }}",
        ontology_id="{{ ti.xcom_pull('create_ontology') }}",
    )
    attach = EncordAttachDatasetsOperator(task_id="attach", project_id=project.output, dataset_ids=datasets.output)
    attach_each = EncordAttachDatasetsOperator.partial(task_id="attach_each", project_id=project.output).expand(
        dataset_ids=datasets.output
    )
    get_datasets = EncordGetDatasetOperator.partial(task_id="get_datasets").expand(dataset_id=datasets.output)
    get_project = EncordGetProjectOperator(task_id="get_project", project_id=project.output)
    get_ontology = EncordGetOntologyOperator(task_id="get_ontology", ontology_id=ontology.output)
    list_projects = EncordListProjectsOperator(task_id="list_projects", title_like="{{ params.prefix }}%")
    list_datasets = EncordListDatasetsOperator(task_id="list_datasets", title="{{ params.prefix }} night")
    detach = EncordDetachDatasetsOperator(
        task_id="detach",
        project_id=project.output,
        dataset_ids="{{ ti.xcom_pull('get_datasets') | map(attribute='dataset_id') | list }}",
    )

    ontology >> project
    attach >> attach_each >> get_project >> detach
    get_datasets >> detach
    project >> list_projects
    datasets >> list_datasets

with DAG(
    dag_id="operators_under_api_keys", schedule=None, default_args={"encord_conn_id": "encord_api_key"}
) as dag_under_api_keys:
    EncordGetProjectOperator(task_id="get_project")
    EncordGetDatasetOperator(task_id="get_dataset", encord_conn_id="encord_dataset_key")
    EncordDetachDatasetsOperator(task_id="detach", dataset_ids="{{ ti.xcom_pull('get_dataset')['dataset_id'] }}")
    EncordAttachDatasetsOperator(task_id="attach", dataset_ids="{{ ti.xcom_pull('get_dataset')['dataset_id'] }}")
    for before, after in (("get_project", "get_dataset"), ("get_dataset", "detach"), ("detach", "attach")):
        dag_under_api_keys.get_task(before) >> dag_under_api_keys.get_task(after)

with DAG(
    dag_id="operators_that_fail", schedule=None, default_args={"retries": 2, "retry_delay": timedelta(0)}
) as dag_that_fails:
    EncordGetProjectOperator(task_id="for_good", project_id="not an id")
    EncordListProjectsOperator(task_id="at_first")
