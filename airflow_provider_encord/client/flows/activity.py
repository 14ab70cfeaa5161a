"""Reading the logs and analytics of a project in parts: which records are the same, and which intervals to ask for."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from airflow_provider_encord.client.api.analytics import LONGEST_EDITOR_LOG, TimeSpent
from airflow_provider_encord.client.errors import InvalidArgumentError


def time_spent_key(record: TimeSpent) -> tuple[object, ...]:
    """The fields that identify a record of time spent. Its seconds can still grow until the day is over."""
    stage = record.workflow_stage.uuid if record.workflow_stage else None
    return (
        *(record.period_start_time, record.user_email, record.workflow_task_uuid, record.data_uuid),
        *(record.dataset_uuid, stage, record.project_user_role),
    )


def windows(start: datetime.datetime, end: datetime.datetime) -> Iterator[tuple[datetime.datetime, datetime.datetime]]:
    """Split an interval into parts that one request may cover."""
    if end < start:
        raise InvalidArgumentError(f"end: {end.isoformat()} is before start, {start.isoformat()}.")
    while end - start > LONGEST_EDITOR_LOG:
        yield start, start + LONGEST_EDITOR_LOG
        start += LONGEST_EDITOR_LOG
    yield start, end
