"""Check the labels that wait for review: approve them all, or send a sample of them back to annotation.

Set the DAG's params, or copy the file:

- ``project_id``: id of the project (needed);
- ``stage``: title of the review stage;
- ``to_stage``: title of the annotation stage for the second look;
- ``fraction``: which share of the tasks is looked at again; of each annotator the same;
- ``max_missing_attributes``: which share of the annotations may lack an answer that the ontology requires;
- ``directory``: where the export, reports and the page of the gate go (``s3://connection_id@bucket/routing``).

The gate decides: if the labels are good enough, all tasks are approved. Otherwise, a sample goes back with a comment
and the highest priority. If the priority cannot be set, the move is undone, and the run fails. To undo an approval or a
move later, run ``EncordRevertTasksOperator`` with the report ``approved.jsonl`` or ``moved.jsonl`` in
``<directory>/<run id>``.

Needs the connection ``encord_default`` with an SSH key.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import DAG, Param

from airflow_provider_encord.operators.labels import EncordExportLabelsOperator
from airflow_provider_encord.operators.quality import EncordQualityGateBranchOperator
from airflow_provider_encord.operators.workflow import (
    EncordAddIssuesOperator,
    EncordMoveTasksOperator,
    EncordRevertTasksOperator,
    EncordReviewTasksOperator,
    EncordSampleTasksOperator,
    EncordSetPriorityOperator,
)

RUN = "{{ params.directory }}/{{ run_id }}"

with DAG(
    dag_id="example_encord_routing",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 2, "project_id": "{{ params.project_id }}"},
    tags=["encord", "example"],
    params={
        "project_id": Param("", type="string", description="Id of the project."),
        "stage": Param("Review", type="string", description="Title of the review stage."),
        "to_stage": Param("Annotate", type="string", description="Title of the stage for the second look."),
        "fraction": Param(0.1, type="number", exclusiveMinimum=0, maximum=1, description="Share of the tasks."),
        "max_missing_attributes": Param(0.02, type="number", minimum=0, maximum=1, description="Limit of the gate."),
        "directory": Param(
            "file:///var/lib/encord-routing",
            type="string",
            description="Where to: any path of Airflow's object storage.",
        ),
    },
) as dag:
    export = EncordExportLabelsOperator(
        task_id="export_labels", stage="{{ params.stage }}", destination=f"{RUN}/labels"
    )
    gate = EncordQualityGateBranchOperator(
        task_id="check_labels",
        labels="{{ ti.xcom_pull('export_labels')['manifest'] }}",
        report=f"{RUN}/findings.jsonl",
        page=f"{RUN}/gate.html",
        max_missing_attributes="{{ params.max_missing_attributes }}",
        if_empty="pass",
        if_passed="approve",
        if_failed="draw_sample",
    )
    approve = EncordReviewTasksOperator(
        task_id="approve",
        stage="{{ params.stage }}",
        source="{{ ti.xcom_pull('export_labels')['manifest'] }}",
        verdict="approve",
        report=f"{RUN}/approved.jsonl",
    )
    sample = EncordSampleTasksOperator(
        task_id="draw_sample",
        stage="{{ params.stage }}",
        fraction="{{ params.fraction }}",
        stratify_by="annotator",
        labels="{{ ti.xcom_pull('export_labels')['manifest'] }}",
        report=f"{RUN}/sample.jsonl",
    )
    move = EncordMoveTasksOperator(
        task_id="send_back",
        stage="{{ params.stage }}",
        to_stage="{{ params.to_stage }}",
        source="{{ ti.xcom_pull('draw_sample')['report'] }}",
        report=f"{RUN}/moved.jsonl",
    )
    prioritize = EncordSetPriorityOperator(
        task_id="prioritize",
        stage="{{ params.to_stage }}",
        source="{{ ti.xcom_pull('send_back')['report'] }}",
        priority=1.0,
        report=f"{RUN}/prioritized.jsonl",
    )
    explain = EncordAddIssuesOperator(
        task_id="explain",
        stage="{{ params.to_stage }}",
        source="{{ ti.xcom_pull('send_back')['report'] }}",
        comment="Please look at this again: required answers are missing in this project.",
        report=f"{RUN}/explained.jsonl",
    )
    revert = EncordRevertTasksOperator(
        task_id="undo_move",
        source=f"{RUN}/moved.jsonl",
        report=f"{RUN}/reverted.jsonl",
        trigger_rule="one_failed",
    )
    export >> gate >> [approve, sample]
    sample >> move >> prioritize >> [explain, revert]
