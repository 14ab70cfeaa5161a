"""What recordings of logs and analytics need: that somebody has worked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.wire.preparations.labels import read_row, save_row


def _draw(world: Any) -> None:
    """The caller removes what was drawn on the first row, and draws it again."""
    row = read_row(world)
    empty = {key: {**unit, "labels": {"objects": [], "classifications": []}} for key, unit in row["data_units"].items()}
    nothing = {"object_answers": {}, "classification_answers": {}, "object_actions": {}, "data_units": empty}
    save_row(world, {**row, **nothing})
    without_classifications = {
        key: {**unit, "labels": {**unit["labels"], "classifications": []}} for key, unit in row["data_units"].items()
    }
    # Objects alone, so that the last that is noted is an object.
    save_row(world, {**row, "classification_answers": {}, "data_units": without_classifications})


def _draw_and_submit(world: Any) -> None:
    """And submits the task."""
    _draw(world)
    project = f"/v2/public/projects/{world.project}"
    stage = world.user.v2("GET", project)["workflow"]["stages"][0]["uuid"]
    data_hash = world.ids["12121212-0000-4000-8000-000000000001"]
    tasks = world.user.v2("GET", f"{project}/workflow/stages/{stage}/tasks?dataHashes={data_hash}")["results"]
    submit = {"taskUuid": tasks[0]["uuid"], "action": "SUBMIT", "resolveLabelReviews": True, "retainAssignee": False}
    world.user.v2("POST", f"{project}/workflow/stages/{stage}/actions", [submit])


PREPARATIONS: dict[str, Callable[[Any], None]] = {
    "label_logs.list": _draw,
    "editor_logs.list": _draw_and_submit,
    "analytics.time_spent": _draw_and_submit,
    "analytics.task_actions": _draw_and_submit,
    "analytics.collaborator_timers": _draw_and_submit,
}
