"""Every night: register what came into a bucket, spread over several tasks, and make a project of it.

Set the DAG's params, or copy the file:

- ``prefix``: the place in your bucket, as Airflow reads it (``s3://connection_id@bucket/prefix``);
- ``url_prefix``: the same place as Encord reads it (``s3://bucket/prefix``);
- ``integration``: title of the cloud integration by which Encord reads the bucket;
- ``work``: where manifests and reports go, one directory for each run.

Needs the connection ``encord_default`` with an SSH key.

The list of objects never goes into XCom: it is written to manifests of `objects_per_task` lines, and XCom carries their
places. Run it as often as you like: what is registered from the same URL is left out, folder, dataset and project are
found by their titles.
"""

from __future__ import annotations

import datetime

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_encord.operators.datasets import EncordCreateDatasetOperator, EncordLinkItemsOperator
from airflow_provider_encord.operators.ontologies import EncordCreateOntologyOperator
from airflow_provider_encord.operators.projects import EncordCreateProjectOperator
from airflow_provider_encord.operators.storage import (
    EncordCreateFolderOperator,
    EncordPartitionObjectsOperator,
    EncordRegisterCloudDataOperator,
)

with DAG(
    dag_id="example_encord_ingest",
    schedule="@daily",
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": datetime.timedelta(minutes=1)},
    params={
        "prefix": "s3://aws_default@intake/cameras",
        "url_prefix": "s3://intake/cameras",
        "integration": "intake bucket",
        "work": "s3://aws_default@intake-work",
        "objects_per_task": 10_000,
        "title": "Cameras",
    },
    doc_md=__doc__,
    tags=["encord", "example"],
) as dag:
    run_directory = "{{ params.work }}/{{ (dag_run.logical_date or dag_run.run_after) | ds }}"
    manifests = EncordPartitionObjectsOperator(
        task_id="partition",
        source="{{ params.prefix }}",
        url_prefix="{{ params.url_prefix }}",
        destination=f"{run_directory}/manifests",
        objects_per_manifest="{{ params.objects_per_task }}",
    )
    folder = EncordCreateFolderOperator(task_id="folder", title="{{ params.title }}")
    register = EncordRegisterCloudDataOperator.partial(
        task_id="register",
        folder_id=folder.output,
        integration="{{ params.integration }}",
        report=f"{run_directory}/reports/{{{{ ti.map_index }}}}.jsonl",
        max_active_tis_per_dag=4,
    ).expand(source=manifests.output)
    dataset = EncordCreateDatasetOperator(task_id="dataset", title="{{ params.title }}", create_backing_folder=False)
    link = EncordLinkItemsOperator(task_id="link", dataset_id=dataset.output, folder_id=folder.output)
    # Replace the structure by your own: without an ontology, there is nothing to label with.
    ontology = EncordCreateOntologyOperator(
        task_id="ontology",
        title="{{ params.title }}",
        structure={"objects": [{"name": "Car", "shape": "bounding_box"}, {"name": "Person", "shape": "polygon"}]},
    )
    project = EncordCreateProjectOperator(
        task_id="project", title="{{ params.title }}", dataset_ids=dataset.output, ontology_id=ontology.output
    )
    register >> link >> project
