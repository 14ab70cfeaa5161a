"""Which URL is called for which stage. In Encord's app a person sets that; here a control does."""

from __future__ import annotations

import ipaddress
import urllib.parse
from typing import Annotated, Any

import msgspec

from ..state.store import Row, Store
from ..state.webhook_events import EVENT_OF_STAGE
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import PositiveCount, Strict

CYCLE_SECONDS = 300.0
"""How often an agent stage is looked at, and announced again while work remains."""
RETRY_SECONDS = 60.0
"""How long after a failed delivery the next attempt is due [inferred]."""
_SHOWN = 100
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=1_000_000_000)]


class NewWebhook(Strict, frozen=True):
    url: str
    secret: Annotated[str, msgspec.Meta(min_length=1)]
    project_hash: str
    stage_uuid: str
    batch_size: PositiveCount = 1
    max_wait_seconds: _Seconds | None = None
    cycle_seconds: _Seconds = CYCLE_SECONDS
    retry_seconds: _Seconds = RETRY_SECONDS


def add(store: Store, wanted: NewWebhook) -> dict[str, str]:
    """Subscribe a URL to the event of a stage.

    :raises RefusalError: The URL is not one of this machine, or the stage is unknown or has no webhooks.
    """
    _require_loopback(wanted.url)
    sql = "SELECT * FROM stages WHERE project = ? AND uuid = ?"
    stage = store.one(sql, wanted.project_hash, wanted.stage_uuid)
    if stage is None:
        raise RefusalError(Reason.NOT_FOUND, f"there is no stage {wanted.stage_uuid} in project {wanted.project_hash}")
    event_type = EVENT_OF_STAGE.get(stage["stage_type"])
    if event_type is None:
        raise RefusalError(Reason.MALFORMED, f"stage_uuid: {stage['stage_type']} stages have no webhooks")
    uuid = new_uuid()
    store.run(
        "INSERT INTO webhooks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        *(uuid, wanted.url, wanted.secret, wanted.project_hash, wanted.stage_uuid, event_type),
        *(wanted.batch_size, wanted.max_wait_seconds, wanted.cycle_seconds, wanted.retry_seconds),
    )
    return {"uuid": uuid, "event_type": event_type}


def get(store: Store, uuid: str) -> Row:
    """:raises RefusalError: There is no such webhook."""
    row = store.one("SELECT * FROM webhooks WHERE uuid = ?", uuid)
    if row is None:
        raise RefusalError(Reason.NOT_FOUND, f"there is no webhook {uuid}")
    return row


def views(store: Store) -> list[dict[str, Any]]:
    """All webhooks without their secrets, each with its last deliveries, oldest first."""
    return [_view(store, row) for row in store.all("SELECT * FROM webhooks ORDER BY url, uuid")]


def remove_all(store: Store) -> int:
    """Unsubscribe every URL, and forget the deliveries; how many webhooks there were."""
    store.run("DELETE FROM webhook_deliveries")
    return store.run("DELETE FROM webhooks")


def _view(store: Store, row: Row) -> dict[str, Any]:
    names = ("uuid", "url", "event_type", "batch_size", "max_wait_seconds", "cycle_seconds", "retry_seconds")
    sql = "SELECT * FROM webhook_deliveries WHERE webhook = ? ORDER BY position DESC LIMIT ?"
    deliveries = store.all(sql, row["uuid"], _SHOWN)
    return {
        **{name: row[name] for name in names},
        "project_hash": row["project"],
        "stage_uuid": row["stage"],
        "deliveries": [delivery_view(delivery) for delivery in reversed(deliveries)],
    }


def delivery_view(row: Row) -> dict[str, Any]:
    """A delivery as the controls answer it; never with a signature."""
    return {
        "uid": row["uid"],
        "delivered": row["delivered"] == 1,
        "attempts": row["attempts"],
        "status": row["status"],
        "problem": row["problem"],
    }


def _require_loopback(url: str) -> None:
    """:raises RefusalError: It is not a plain ``http`` URL of this machine: nothing is ever sent anywhere else."""
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise RefusalError(Reason.MALFORMED, "url: this is not a URL") from None
    plain = parts.scheme == "http" and port is not None and "@" not in parts.netloc and url.isascii()
    if not plain or not _is_loopback(host) or any(ord(letter) < 0x21 for letter in url):
        raise RefusalError(
            Reason.MALFORMED,
            "url: must be like http://127.0.0.1:8080/encord/webhook, with a loopback address or localhost, and a port",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
