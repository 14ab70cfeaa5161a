"""Sensors in every mode, one after the other, as Airflow runs them."""

from __future__ import annotations

import datetime

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_encord.sensors.labels import EncordLabelsChangedSensor
from airflow_provider_encord.sensors.projects import EncordProjectProgressSensor, EncordProjectStatusSensor
from airflow_provider_encord.sensors.workflow import EncordTasksSensor

LONG_AGO = "2026-01-01T00:00:00+00:00"
PROJECT = "{{ params.project_id }}"

with DAG(
    "waiting_for_people",
    schedule=None,
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    params={"project_id": ""},
    default_args={"timeout": 20, "poke_interval": 0.1, "project_id": PROJECT},
) as dag:
    EncordTasksSensor(task_id="poked", stage="Annotate", min_tasks=1, mode="poke")
    EncordTasksSensor(task_id="rescheduled", stage="Annotate", min_tasks=1, mode="reschedule")
    EncordTasksSensor(task_id="deferred", stage="Annotate", max_wait_seconds=1, deferrable=True)
    EncordTasksSensor(task_id="unknown", stage="Nowhere", min_tasks=1, deferrable=True, retries=2)
    EncordTasksSensor(task_id="skipped", stage="Review", min_tasks=9, timeout=1, soft_fail=True, deferrable=True)
    EncordTasksSensor(task_id="overdue", stage="Review", min_tasks=9, timeout=1, deferrable=True, retries=2)
    EncordTasksSensor(task_id="poked_skipped", stage="Review", min_tasks=9, timeout=0.2, soft_fail=True)
    EncordTasksSensor(task_id="poked_overdue", stage="Review", min_tasks=9, timeout=0.2, retries=2)
    EncordProjectProgressSensor(task_id="progress", stages="Annotate")
    EncordProjectStatusSensor(task_id="status", statuses=["notStarted", "inProgress"])
    EncordLabelsChangedSensor(task_id="labels", since=LONG_AGO)
    EncordTasksSensor.partial(task_id="mapped", stage="Annotate", deferrable=True).expand(min_tasks=[1, 2])
