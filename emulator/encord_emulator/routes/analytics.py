"""Rows of the table: logs and analytics."""

from __future__ import annotations

from ..analytics import activity
from ..requests.operations import Operation
from .rows import PROJECT, READS, v1, v2

# fmt: off
OPERATIONS: tuple[Operation, ...] = (
    v1(READS, "label_logs.list", "labellog GET", activity.label_logs, PROJECT,
        payload=activity.LabelLogPayload | None, key=("label_logs.read",)),
    v2(READS, "editor_logs.list", "GET projects/{project}/editor-logs", activity.editor_logs, activity.EditorLogQuery),
    v2(READS, "analytics.time_spent", "GET analytics/time-spent", activity.time_spent, activity.TimeSpentQuery),
    v2(READS, "analytics.task_actions", "GET analytics/task-actions", activity.task_actions,
        activity.TaskActionQuery),
    v2(READS, "analytics.collaborator_timers", "GET analytics/collaborators/timers", activity.collaborator_timers,
        activity.TimerQuery),
)
# fmt: on
