"""Bring files into Encord and set up a project for them: dataset, upload, ontology, project.

Run it by hand, or on a schedule: every step is safe to repeat. What exists under its title is used again, and a file
that is in the dataset is not uploaded twice.

Needs the connection ``encord_default`` with an SSH key.
"""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG, Param

from airflow_provider_encord.operators.datasets import EncordCreateDatasetOperator
from airflow_provider_encord.operators.ontologies import EncordCreateOntologyOperator
from airflow_provider_encord.operators.projects import EncordCreateProjectOperator
from airflow_provider_encord.operators.storage import EncordUploadFilesOperator

with DAG(
    dag_id="example_encord_intake",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    default_args={"retries": 2},
    tags=["encord", "example"],
    params={
        "title": Param(
            "Street scenes", type="string", description="Title of the dataset, the ontology and the project."
        ),
        "source": Param(
            "/data/incoming/*.jpg",
            type="string",
            description="Which files: a path, a glob, or a URI of an object store.",
        ),
    },
) as dag:
    dataset = EncordCreateDatasetOperator(
        task_id="create_dataset",
        title="{{ params.title }}",
        description="Filled by Airflow, DAG {{ dag.dag_id }}.",
    )

    upload = EncordUploadFilesOperator(
        task_id="upload_files",
        dataset_id=dataset.output,
        source="{{ params.source }}",
    )

    ontology = EncordCreateOntologyOperator(
        task_id="create_ontology",
        title="{{ params.title }}",
        structure={
            "objects": [
                {"name": "Car", "shape": "bounding_box"},
                {"name": "Person", "shape": "polygon"},
            ],
            "classifications": [
                {"name": "Weather", "type": "radio", "options": ["Dry", "Wet", "Snow"]},
            ],
        },
    )

    project = EncordCreateProjectOperator(
        task_id="create_project",
        title="{{ params.title }}",
        description="Made by Airflow, DAG {{ dag.dag_id }}.",
        dataset_ids=[dataset.output],
        ontology_id=ontology.output,
    )

    upload >> project
