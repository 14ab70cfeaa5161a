"""What webhooks are to announce, written in the transaction in which it happens, so that a crash loses no event.

An event is one task [inferred]: Encord's documentation says that an event is sent each time a task is submitted or
comes into a Complete stage. The lists in its payload then have one entry.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from ..wire import times
from ..wire.identifiers import new_uuid
from .store import Row, Store

WORK_AVAILABLE = "agent_stage_work_available_event"
TASK_SUBMITTED = "task_submitted_event"
TASK_COMPLETED = "task_completed_event"
EVENT_OF_STAGE = {"AGENT": WORK_AVAILABLE, "ANNOTATION": TASK_SUBMITTED, "DONE": TASK_COMPLETED}
"""Which event the webhook of a stage of each type sends; stages of other types have no webhook."""
_CONCERNED = """
SELECT webhooks.uuid AS webhook, tasks.project, tasks.data_hash,
  (SELECT label_hash FROM label_rows WHERE label_rows.project = tasks.project
   AND label_rows.data_hash = tasks.data_hash AND branch = 'main') AS label_hash
FROM tasks JOIN webhooks ON webhooks.project = tasks.project AND webhooks.stage = tasks.stage
WHERE tasks.project = ? AND tasks.uuid IN (SELECT value FROM json_each(?)) AND webhooks.event_type = ?
ORDER BY tasks.rowid
"""


def note(store: Store, project: str, tasks: Sequence[str], event_type: str, now: str) -> None:
    """Note an event for each of these tasks whose stage has a webhook for it.

    :param tasks: They are in the stage of which the event speaks.
    :param now: The time in the stored form.
    """
    if store.one("SELECT 1 FROM webhooks WHERE project = ?", project) is None:
        return
    due_at = times.moment(now).timestamp()
    for row in store.all(_CONCERNED, project, json.dumps(list(tasks)), event_type):
        add(store, row["webhook"], event_type, _payload(row), now, due_at)


def add(store: Store, webhook: str, event_type: str, payload: dict[str, object], now: str, due_at: float) -> None:
    """Let a delivery wait for a webhook.

    :param now: The time in the stored form, for the envelope.
    :param due_at: When it is to be sent, in seconds since 1970.
    """
    uid = new_uuid()
    body = {
        "uid": uid,
        "version": 1,
        "source": "Encord",
        "event_type": event_type,
        "event_created_timestamp": f"{now}+00:00",
        "payload": payload,
    }
    store.run(
        "INSERT INTO webhook_deliveries (webhook, uid, body, due_at) VALUES (?, ?, ?, ?)",
        *(webhook, uid, json.dumps(body), due_at),
    )


def _payload(row: Row) -> dict[str, object]:
    labels = [] if row["label_hash"] is None else [row["label_hash"]]
    return {"project_hash": row["project"], "data_hashes": [row["data_hash"]], "label_hashes": labels}
