"""Waiting for people in the triggerer, and what follows once they are done."""

import datetime

from airflow.sdk import DAG, task

from airflow_provider_encord.sensors.workflow import EncordTasksSensor

SENSORS = 6

with DAG(
    "waits",
    schedule=None,
    default_args={"retries": 60, "retry_delay": datetime.timedelta(seconds=3)},
    params={"project": ""},
) as dag:
    # Each waits for another number of tasks, so they end one after the other.
    waited = EncordTasksSensor.partial(
        task_id="wait",
        project_id="{{ params.project }}",
        stage="Review",
        deferrable=True,
        poke_interval=5,
        timeout=datetime.timedelta(hours=2),
    ).expand(min_tasks=list(range(1, SENSORS + 1)))

    @task
    def seen(found: list[dict]) -> list[int]:
        """How many tasks each sensor found."""
        return [one["tasks"] for one in found]

    seen(waited.output)
