"""An agent stage, shared by mapped tasks: the function labels each picture, and lets its task move."""

import datetime

from airflow.sdk import DAG, task

from airflow_provider_encord.agents import EditableLabels

SHARDS = 2

with DAG(
    "agents",
    schedule=None,
    default_args={"retries": 60, "retry_delay": datetime.timedelta(seconds=3)},
    params={"project": "", "reports": "", "name": ""},
) as dag:

    @task.encord_agent(
        project_id="{{ params.project }}",
        stage="Agent",
        shards=SHARDS,
        batch_size=1000,
        report="{{ params.reports }}/{{ params.name or run_id }}/{{ ti.map_index }}.jsonl",
    )
    def label(labels: EditableLabels) -> str:
        """One box in the middle."""
        labels.add_object("Car", boundingBox={"x": 0.25, "y": 0.25, "w": 0.5, "h": 0.5})
        return "done"

    label.expand(shard=list(range(SHARDS)))
