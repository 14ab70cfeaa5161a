"""Let a model label first: its pre-labels go to a branch, are checked, and are promoted for the annotators to correct.

Set the DAG's params, or copy the file:

- ``project_id``: id of the project (needed);
- ``work``: where pre-labels and reports go, a directory for each run (``s3://connection_id@bucket/prelabels``).

Needs the connection ``encord_default`` with an SSH key.

Changes the project: label rows are created for data units without labels, which moves their tasks to
"label in progress". Rows that have labels in the main branch are left alone. Run it as often as you like: the
same pre-labels give the same labels.
"""

from __future__ import annotations

import datetime

from airflow.providers.common.compat.sdk import DAG, AirflowSkipException, ObjectStoragePath, Param, task

from airflow_provider_encord.hooks.encord import EncordHook
from airflow_provider_encord.operators.labels import EncordImportLabelsOperator

with DAG(
    dag_id="example_encord_prelabel",
    schedule=None,
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    catchup=False,
    default_args={"retries": 2, "retry_delay": datetime.timedelta(minutes=1)},
    params={
        "project_id": Param("", type="string", description="Id of the project."),
        "work": Param("s3://aws_default@prelabels/street", type="string", description="Where pre-labels go."),
    },
    doc_md=__doc__,
    tags=["encord", "example"],
) as dag:
    directory = "{{ params.work }}/{{ run_id }}"

    @task
    def predict(project: str, directory: str) -> str:
        """Ask the model about each data unit without labels. Here it finds a car in the middle of everything."""
        import json

        lines = []
        with EncordHook("encord_default") as hook:
            for row in hook.get_conn().project(project).label_rows():
                if row.label_hash is None:
                    box = {"x": 0.25, "y": 0.25, "w": 0.5, "h": 0.5}
                    car = {"feature": "Car", "boundingBox": box, "confidence": 0.8}
                    lines.append(json.dumps({"data_hash": row.data_hash, "objects": [car]}) + "\n")
        if not lines:
            raise AirflowSkipException("All data units have labels. An import of an empty file would fail.")
        path = ObjectStoragePath(directory if "://" in directory else f"file://{directory}") / "prelabels.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes("".join(lines).encode())
        return str(path)

    EncordImportLabelsOperator(
        task_id="import_labels",
        project_id="{{ params.project_id }}",
        source=predict("{{ params.project_id }}", directory),
        branch="pre-labels",
        promote_to="main",
        report=f"{directory}/report.jsonl",
    )
