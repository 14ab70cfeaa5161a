"""Every night: export the labels that changed, spread over several tasks, verify the files, and tell the training.

Set the DAG's params, or copy the file:

- ``project_id``: id of the project (needed);
- ``exports``: where the exports go, a directory for each run (``s3://connection_id@bucket/labels``);
- ``stage``: title of the workflow stage whose labels are wanted; empty for all.

Needs the connection ``encord_default`` with an SSH key, or with an API key of the project.

Only reads: the project does not change. The first run exports all labels, each later one what changed since the run
before it, and names the rows that left. Each night's directory holds its manifest, whose `previous` names the export
that it continues; applied in this order the exports give the current labels. A retry continues the attempt before it,
and a run that is cleared is not read again.
"""

from __future__ import annotations

import datetime

from airflow.providers.common.compat.sdk import DAG, Param

from airflow_provider_encord.operators.labels import (
    EncordExportLabelsPartitionOperator,
    EncordPartitionLabelsOperator,
    EncordVerifyExportOperator,
)

with DAG(
    dag_id="example_encord_nightly_export",
    schedule="@daily",
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    catchup=False,
    max_active_runs=1,  # each run goes on from the one before
    default_args={"retries": 3, "retry_delay": datetime.timedelta(minutes=1)},
    params={
        "project_id": Param("", type="string", description="Id of the project."),
        "exports": Param("s3://aws_default@labels/street", type="string", description="Where the exports go."),
        # "null": the form of Airflow takes an empty field only then.
        "stage": Param(None, type=["null", "string"], description="Only rows in this workflow stage; empty for all."),
        "rows_per_partition": Param(10_000, type="integer", minimum=1),
    },
    doc_md=__doc__,
    tags=["encord", "example"],
) as dag:
    partition = EncordPartitionLabelsOperator(
        task_id="partition",
        project_id="{{ params.project_id }}",
        stage="{{ params.stage or '' }}",
        destination="{{ params.exports }}/{{ run_id }}",
        format="jsonl.gz",
        incremental=True,
        rows_per_partition="{{ params.rows_per_partition }}",
    )
    export = EncordExportLabelsPartitionOperator.partial(task_id="export", max_active_tis_per_dagrun=4).expand(
        partition=partition.output
    )
    verify = EncordVerifyExportOperator(
        task_id="verify",
        manifest="{{ params.exports }}/{{ run_id }}",
    )
    # What comes after, such as a training, reads the manifest that `verify` returns. To let new labels schedule other
    # DAGs, give `verify` an outlet, and not `export`, whose parts end before the export is whole:
    # outlets=[AssetAlias("street-labels")] makes an event only when labels changed. outlets=[labels_asset("<project>")]
    # (airflow_provider_encord.assets) makes one every night, whose extra has the counts.
    export >> verify
