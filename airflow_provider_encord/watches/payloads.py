"""Which payloads of asset events are ours. Anybody who may create events of an asset can send others."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import msgspec

from airflow_provider_encord.watches.batches import LABELS, TASKS, EditedRow


class _Tasks(msgspec.Struct, tag_field="kind", tag=TASKS):
    batch_id: str
    project_id: str
    stage_id: str
    announced_at: str
    repeat: int
    repeat_seconds: float
    task_ids: Sequence[str] | None


class _Labels(msgspec.Struct, tag_field="kind", tag=LABELS):
    batch_id: str
    project_id: str
    branch: str
    label_rows: Sequence[EditedRow]


def is_ours(payload: Any) -> TypeGuard[Mapping[str, Any]]:
    """Whether a payload has all that is read of it, in the form in which `batches` writes it."""
    try:
        found = msgspec.convert(payload, _Tasks | _Labels)
        return isinstance(found, _Labels) or datetime.datetime.fromisoformat(found.announced_at).tzinfo is not None
    except (msgspec.ValidationError, ValueError):
        return False
