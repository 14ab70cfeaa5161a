"""Recorded requests of logs and analytics."""

from __future__ import annotations

from tests.wire.subjects.reading import Key, Read

ARGUMENTS: dict[Key, Read] = {}

V1_SHAPES: dict[tuple[str, str], str] = {}

V2_SHAPES: list[tuple[str, str, str]] = []

NOT_YET: set[str] = {
    "analytics.collaborator_timers",
    "analytics.task_actions",
    "analytics.time_spent",
    "editor_logs.list",
    "label_logs.list",
}

NOT_SERVED_YET: set[Key] = {
    ("analytics.collaborator_timers", "v2"),
    ("analytics.task_actions", "v2"),
    ("analytics.time_spent", "v2"),
    ("editor_logs.list", "v2"),
    ("label_logs.list", "v1"),
}
