"""Batches of tasks and of label rows, and the payload of the asset events that announce them.

Watchers and the webhook receiver create the same payload and the same batch id for the same work. The id depends only
on the asset, on what the batch names, and on how often that was announced before.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

MOST_IN_BATCH = 250
"""The maximum number of tasks or label rows that one event names. On MySQL, Airflow stores only 64 KB of an event."""
SCHEMA_VERSION = 1
TASKS = "tasks"
LABELS = "labels"

# Encord's own words (encord-agents 0.2.10, notifications of agent stages); "remaining" is ours.
BATCH_SIZE_REACHED = "batch_size_reached"
MAX_WAIT_ELAPSED = "max_wait_elapsed"
REMAINING = "remaining"

_T = TypeVar("_T")


class TaskBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks that wait in a stage.

    :param reason: Why they are announced: ``"batch_size_reached"``, ``"max_wait_elapsed"`` or ``"remaining"``, or
        another word of Encord.
    :param announced_at: ISO 8601.
    :param task_ids: Their ids; None if Encord announced them without ids.
    :param tasks: How many there are.
    :param repeat: How often these tasks were announced before.
    :param repeat_seconds: See `stage_watch.StageRules`.
    :param series: Distinguishes equal announcements of watchers that cannot know what earlier ones announced, and
        announcements without ids.
    """

    project_id: str
    stage_id: str
    stage: str | None
    reason: str
    announced_at: str
    task_ids: Sequence[str] | None
    tasks: int
    repeat_seconds: float
    repeat: int = 0
    series: str = ""

    def batch_id(self, asset_uri: str) -> str:
        """Return the id of this batch as work on an asset. Equal batches have equal ids."""
        return _id(asset_uri, [TASKS, str(self.repeat), self.series], self.task_ids or ())

    def payload(self, asset_uri: str, *, project_url: str | None) -> dict[str, Any]:
        """Return what the asset event contains, as JSON types.

        :param asset_uri: URI of the asset that the event is for.
        :param project_url: Address of the project in Encord's web app.
        """
        return {
            "schema_version": SCHEMA_VERSION,
            "kind": TASKS,
            "batch_id": self.batch_id(asset_uri),
            "project_id": self.project_id,
            "stage_id": self.stage_id,
            "stage": self.stage,
            "reason": self.reason,
            "announced_at": self.announced_at,
            "repeat": self.repeat,
            "repeat_seconds": self.repeat_seconds,
            "tasks": self.tasks,
            "task_ids": None if self.task_ids is None else list(self.task_ids),
            "project_url": project_url,
        }


class EditedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A label row as it was edited.

    :param last_edited_at: In Encord's format; None if it is not known.
    """

    label_hash: str
    data_hash: str | None = None
    last_edited_at: str | None = None


class LabelBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Label rows that were edited.

    :param reason: Why they are announced, as in `TaskBatch`; or the event of Encord, such as ``"task_submitted"``.
    :param announced_at: ISO 8601.
    """

    project_id: str
    branch: str
    reason: str
    announced_at: str
    label_rows: Sequence[EditedRow]

    def batch_id(self, asset_uri: str) -> str:
        """Return the id of this batch as work on an asset. Equal batches have equal ids."""
        return _id(asset_uri, [LABELS], [f"{row.label_hash} {row.last_edited_at}" for row in self.label_rows])

    def payload(self, asset_uri: str, *, project_url: str | None) -> dict[str, Any]:
        """Return what the asset event contains, as JSON types. The arguments are those of `TaskBatch.payload`."""
        return {
            "schema_version": SCHEMA_VERSION,
            "kind": LABELS,
            "batch_id": self.batch_id(asset_uri),
            "project_id": self.project_id,
            "branch": self.branch,
            "reason": self.reason,
            "announced_at": self.announced_at,
            "rows": len(self.label_rows),
            "label_rows": msgspec.to_builtins(self.label_rows),
            "project_url": project_url,
        }


def chunks(items: Sequence[_T], size: int = MOST_IN_BATCH) -> Iterator[Sequence[_T]]:
    """Divide a list into parts of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def iso_time(seconds: float) -> str:
    """Write a time in seconds since 1970 as ISO 8601."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat()


def _id(asset_uri: str, words: Iterable[str], names: Iterable[str]) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "\n".join([asset_uri, *words, *sorted(names)])))
