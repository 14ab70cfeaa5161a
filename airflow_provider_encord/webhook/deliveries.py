"""What a verified delivery says. Unknown events, reasons and versions are not errors: Encord adds them at any time."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import msgspec

from airflow_provider_encord.watches.batches import EditedRow

VERSION = 1
WORK_AVAILABLE = "agent_stage_work_available_event"
TASK_SUBMITTED = "task_submitted_event"
TASK_COMPLETED = "task_completed_event"
_LABEL_EVENTS = (TASK_SUBMITTED, TASK_COMPLETED)
_SHOWN = 80
_LONGEST_ID = 40  # Encord's ids are UUIDs


class MalformedError(ValueError):
    """A delivery is genuine and cannot be read; the text says why."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that is acted on.

    :param digest: Recognizes the same signed request.
    :param uid: Encord's id of the event.
    :param stage_id: None if the event does not name a stage.
    :param reason: Why Encord announces tasks; for label rows, ``"task_submitted"`` or ``"task_completed"``.
    :param created_at: When Encord created the event. ISO 8601.
    :param tasks: How many tasks there were.
    :param rows: The label rows that the event names.
    """

    digest: str
    uid: str
    event_type: str
    project_id: str
    stage_id: str | None
    reason: str
    created_at: str
    tasks: int
    rows: tuple[EditedRow, ...] = ()

    @property
    def is_about_labels(self) -> bool:
        """Whether people submitted or completed tasks."""
        return self.event_type in _LABEL_EVENTS


class Unknown(msgspec.Struct, frozen=True):
    """A genuine delivery that this version cannot read.

    :param why: For the log.
    """

    why: str


def read_delivery(body: bytes, digest: str, now: float) -> Delivery | Unknown:
    """Read the body of a verified delivery.

    :param now: In seconds since 1970.
    :raises MalformedError: It is not JSON, or not what Encord documents for this event.
    """
    envelope = _object(_decoded(body), "The body")
    version, event_type = envelope.get("version"), envelope.get("event_type")
    if type(version) is not int or version != VERSION:  # bool is an int, and True == 1
        return Unknown(f"version {_shown(version)} of the envelope")
    if event_type not in (WORK_AVAILABLE, *_LABEL_EVENTS):
        return Unknown(f"event {_shown(event_type)}")
    payload = _object(envelope.get("payload"), "payload")
    return Delivery(
        digest=digest,
        uid=_text(envelope.get("uid"), "uid"),
        event_type=str(event_type),
        project_id=_id(payload.get("project_hash"), "payload.project_hash"),
        created_at=_time(envelope.get("event_created_timestamp"), now),
        **(_of_labels(payload, str(event_type)) if event_type in _LABEL_EVENTS else _of_work(payload)),
    )


def _of_work(payload: dict[str, Any]) -> dict[str, Any]:
    pending, reason = payload.get("pending_count"), payload.get("reason")
    return {
        "stage_id": _id(payload.get("stage_uuid"), "payload.stage_uuid"),
        "reason": str(reason) if _is_plain(reason, _SHOWN) else "",
        "tasks": pending if type(pending) is int and 0 <= pending < 2**31 else 0,
    }


def _of_labels(payload: dict[str, Any], event_type: str) -> dict[str, Any]:
    stage = payload.get("stage_uuid")
    data, labels = (_hashes(payload.get(name), f"payload.{name}") for name in ("data_hashes", "label_hashes"))
    paired = data if len(data) == len(labels) else [None] * len(labels)
    rows = [EditedRow(label_hash=label, data_hash=unit) for label, unit in zip(labels, paired, strict=True)]
    return {
        "stage_id": None if stage is None else _id(stage, "payload.stage_uuid"),
        "reason": event_type.removesuffix("_event"),
        "tasks": max(len(data), len(labels)),
        "rows": tuple({row.label_hash: row for row in rows}.values()),
    }


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):  # older versions of msgspec raise no ValueError
        raise MalformedError("The body is not JSON.") from None


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedError(f"{name} is not a JSON object.")
    return value


def _text(value: Any, name: str) -> str:
    if not _is_plain(value, _LONGEST_ID):
        raise MalformedError(f"{name} is not a text of 1 to {_LONGEST_ID} ASCII characters.")
    return str(value)


def _is_plain(value: Any, longest: int) -> bool:
    """Whether a value is a short text that every database and log can hold."""
    return isinstance(value, str) and 0 < len(value) <= longest and value.isascii() and value.isprintable()


def _id(value: Any, name: str) -> str:
    try:
        return str(uuid.UUID(value))
    except (ValueError, TypeError, AttributeError):
        raise MalformedError(f"{name} is not an id (UUID).") from None


def _hashes(value: Any, name: str) -> list[str]:
    """Read a list of ids. Encord's documentation shows them as a text, too."""
    values = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(values, list):
        raise MalformedError(f"{name} is not a list.")
    return [_text(one, name) for one in values]


def _time(value: Any, now: float) -> str:
    """Write a time with an offset; a time without one is in UTC. Without a time, it is now."""
    try:
        moment = datetime.datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).isoformat()
    except (ValueError, TypeError):
        return datetime.datetime.fromtimestamp(now, datetime.UTC).isoformat()


def _shown(value: Any) -> str:
    """A value of the body, short and without control characters, for the log."""
    if isinstance(value, str):
        return ascii(value[:_SHOWN])
    return str(value) if type(value) is int and abs(value) < 2**31 else f"of type {type(value).__name__}"
