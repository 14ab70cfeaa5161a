"""Events that announce again what an earlier event of the same asset announced."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple


class AssetEvent(NamedTuple):
    """An asset event with one of our payloads.

    :param uri: URI of its asset.
    """

    timestamp: datetime.datetime
    uri: str
    payload: Mapping[str, Any]

    @property
    def key(self) -> tuple[datetime.datetime, str, str]:
        """Distinguishes events. Those of one transaction can have the same time."""
        return self.timestamp, self.uri, self.payload["batch_id"]


def without_repeats(events: Iterable[AssetEvent]) -> Iterator[AssetEvent]:
    """Leave out what an earlier event of the same asset announced, and events that announce nothing else.

    :param events: The earliest first.
    """
    announced: dict[str, _Announced] = {}
    for event in events:
        payload = announced.setdefault(event.uri, _Announced()).add(event.payload)
        if payload is not None:
            yield event._replace(payload=payload)


class _Announced:
    """What events of one asset announced."""

    def __init__(self) -> None:
        self._batch_ids: set[str] = set()
        self._tasks: dict[str, Mapping[str, Any]] = {}  # the latest payload that announced each task
        self._edits: set[tuple[str, str | None]] = set()

    def add(self, payload: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the part of a payload that is new; None if nothing is."""
        if payload["batch_id"] in self._batch_ids:
            return None
        self._batch_ids.add(payload["batch_id"])
        return self._new_tasks(payload) if payload["kind"] == "tasks" else self._new_edits(payload)

    def _new_tasks(self, payload: Mapping[str, Any]) -> dict[str, Any] | None:
        if payload["task_ids"] is None:  # a webhook announced tasks without ids
            return dict(payload)
        new = [task for task in payload["task_ids"] if not _is_repeat(payload, self._tasks.get(task))]
        self._tasks.update(dict.fromkeys(new, payload))
        return {**payload, "tasks": len(new), "task_ids": new} if new else None

    def _new_edits(self, payload: Mapping[str, Any]) -> dict[str, Any] | None:
        if not payload["label_rows"]:  # a webhook announced a submission without its rows
            return dict(payload)
        new = [row for row in payload["label_rows"] if _edit(row) not in self._edits]
        self._edits.update(_edit(row) for row in new if row.get("last_edited_at"))
        return {**payload, "rows": len(new), "label_rows": new} if new else None


def _is_repeat(payload: Mapping[str, Any], earlier: Mapping[str, Any] | None) -> bool:
    """Whether an earlier event announced a task as often, and not so long ago that it is to be announced again."""
    if earlier is None or earlier["repeat"] < payload["repeat"]:
        return False
    between = _time(payload["announced_at"]) - _time(earlier["announced_at"])
    return between.total_seconds() < float(payload["repeat_seconds"])


def _time(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def _edit(row: Mapping[str, Any]) -> tuple[str, str | None]:
    return row["label_hash"], row.get("last_edited_at")
