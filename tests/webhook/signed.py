"""Deliveries as Encord signs them, written here a second time, from the description."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from typing import Any

SECRET = "the secret of these tests"
PROJECT = "aaaaaaaa-0000-4000-8000-000000000001"
STAGE = "bbbbbbbb-0000-4000-8000-000000000002"
WORK = "agent_stage_work_available_event"


def work(project: str = PROJECT, stage: str = STAGE, **changed: Any) -> dict[str, Any]:
    """The envelope of an announcement of work."""
    return {
        "uid": str(uuid.uuid4()),
        "version": 1,
        "source": "Encord",
        "event_type": WORK,
        "event_created_timestamp": "2026-11-29T10:00:00.000001+00:00",
        "payload": {
            "project_hash": project,
            "stage_uuid": stage,
            "pending_count": 3,
            "reason": "batch_size_reached",
        },
        **changed,
    }


def labels(event_type: str = "task_submitted_event", project: str = PROJECT, **payload: Any) -> dict[str, Any]:
    """The envelope of a submitted or completed task."""
    content = {"project_hash": project, "data_hashes": ["data-1"], "label_hashes": ["label-1"], **payload}
    return {**work(), "event_type": event_type, "payload": content}


def body_of(envelope: Any) -> bytes:
    """As it is sent."""
    return json.dumps(envelope).encode()


def signature(body: bytes, timestamp: str, secret: str = SECRET) -> str:
    """Hex HMAC-SHA256 of the timestamp, a dot and the body."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def headers_of(body: bytes, *, secret: str = SECRET, age: float = 0.0) -> dict[str, str]:
    """The headers of a delivery that was signed so many seconds ago."""
    timestamp = str(int(time.time() - age))
    return {"X-Encord-Timestamp": timestamp, "X-Encord-Signature": signature(body, timestamp, secret)}
