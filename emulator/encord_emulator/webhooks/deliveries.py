"""When webhooks are called: an agent stage once per cycle while work remains, other events as they happen; what fails
is sent again.

The emulator's clock decides when something is due, so a test need not wait for a cycle. The signature shows the real
time: the receiver compares it with a clock of its own.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import time
from typing import Any

from ..state import webhook_events
from ..state.clock import Clock
from ..state.database_file import is_unavailable
from ..state.emulation import Emulation
from ..state.store import Row, Store
from ..wire import times
from ..wire.errors import Reason, RefusalError
from ..wire.shapes import Strict
from . import sending, signing, subscriptions

log = logging.getLogger("encord-emulator")

_TICK = 0.02
"""How often it is looked whether something is due, seconds of real time."""


class Order(Strict, frozen=True):
    """What the control ``webhooks/deliver`` takes.

    ``secret`` signs with another secret than the webhook's; ``age_seconds`` as if so long ago (negative: in the
    future).
    ``replay`` sends the last request again, byte by byte.
    """

    uuid: str
    secret: str | None = None
    age_seconds: int = 0
    replay: bool = False


class Deliveries:
    """The webhooks of an emulation, each with a task that sees to its deliveries, one after the other."""

    def __init__(self, emulation: Emulation) -> None:
        self._store, self._clock = emulation.store, emulation.clock
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def resume(self) -> None:
        """See to every webhook that is in the database."""
        for uuid in self._store.column("SELECT uuid FROM webhooks"):
            if uuid not in self._tasks:
                self._tasks[uuid] = asyncio.get_running_loop().create_task(self._see_to(uuid))

    def stop(self) -> None:
        """Leave the deliveries where they are."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    def remove_all(self) -> int:
        """Unsubscribe every URL; how many that were."""
        self.stop()
        return subscriptions.remove_all(self._store)

    async def deliver(self, order: Order) -> dict[str, Any]:
        """Deliver now what waits, or what a stage has now, whatever its batch size; or replay the last request.

        :raises RefusalError: There is no such webhook, or nothing to send.
        """
        webhook = subscriptions.get(self._store, order.uuid)
        if order.replay:
            return {"deliveries": [await self._replay(webhook)]}
        with self._store.transaction():
            if webhook["event_type"] == webhook_events.WORK_AVAILABLE:
                announce(self._store, self._clock, webhook, at_once=True)
            waiting = self._waiting(webhook)
        secret, signed_at = order.secret or webhook["secret"], int(time.time()) - order.age_seconds
        await asyncio.gather(*(self._send(webhook, delivery, secret, signed_at) for delivery in waiting))
        return {"deliveries": [self._view(delivery) for delivery in waiting]}

    async def _see_to(self, uuid: str) -> None:
        while True:
            try:
                await self._send_what_is_due(uuid)
            except Exception as error:
                if not (isinstance(error, sqlite3.Error) and is_unavailable(error)):
                    log.exception("The emulator failed on a webhook; this is a bug in the emulator.")
                    return
            await asyncio.sleep(_TICK)

    async def _send_what_is_due(self, uuid: str) -> None:
        webhook = subscriptions.get(self._store, uuid)
        if webhook["event_type"] == webhook_events.WORK_AVAILABLE:
            with self._store.transaction():
                announce(self._store, self._clock, webhook, at_once=False)
        for delivery in self._waiting(webhook, self._clock.unix()):
            await self._send(webhook, delivery, webhook["secret"], int(time.time()))

    def _waiting(self, webhook: Row, until: float = 1e18) -> list[Row]:
        sql = "SELECT * FROM webhook_deliveries WHERE webhook = ? AND delivered = 0 AND due_at <= ? ORDER BY position"
        return self._store.all(sql, webhook["uuid"], until)

    async def _send(self, webhook: Row, delivery: Row, secret: str, signed_at: int) -> None:
        body = delivery["body"].encode()
        headers = signing.headers(body, secret, signed_at)
        due_again = self._clock.unix() + webhook["retry_seconds"]
        # Before it leaves, so that a delivery on demand and the task of the webhook do not send it both.
        self._store.run(
            "UPDATE webhook_deliveries SET attempts = attempts + 1, status = NULL, sent = ?, due_at = ?"
            " WHERE position = ?",
            *(json.dumps(headers), due_again, delivery["position"]),
        )
        outcome = await sending.post(webhook["url"], headers, body)
        self._store.run(
            "UPDATE webhook_deliveries SET delivered = max(delivered, ?), status = ?, problem = ? WHERE position = ?",
            *(int(outcome.is_success), outcome.status, outcome.problem, delivery["position"]),
        )

    async def _replay(self, webhook: Row) -> dict[str, Any]:
        sql = "SELECT * FROM webhook_deliveries WHERE webhook = ? AND sent IS NOT NULL ORDER BY position DESC"
        delivery = self._store.one(sql, webhook["uuid"])
        if delivery is None:
            raise RefusalError(Reason.MALFORMED, "replay: nothing was delivered yet")
        outcome = await sending.post(webhook["url"], json.loads(delivery["sent"]), delivery["body"].encode())
        return self._view(delivery) | {"status": outcome.status, "problem": outcome.problem}

    def _view(self, delivery: Row) -> dict[str, Any]:
        row = self._store.one("SELECT * FROM webhook_deliveries WHERE position = ?", delivery["position"])
        return subscriptions.delivery_view(delivery if row is None else row)


def announce(store: Store, clock: Clock, webhook: Row, *, at_once: bool) -> None:
    """Let an announcement wait for the webhook of an agent stage, if its cycle is over and enough work is there.

    :param at_once: Whatever the cycle, the batch size and the longest wait are; only work must be there.
    """
    now = clock.unix()
    if not at_once and webhook["announced_at"] is not None and now < webhook["announced_at"] + webhook["cycle_seconds"]:
        return
    sql = "SELECT count(*) AS pending, min(updated_at) AS oldest FROM tasks WHERE project = ? AND stage = ?"
    work = store.one(sql, webhook["project"], webhook["stage"])
    assert work is not None  # noqa: S101 - a count has a row
    reason = _reason(webhook, work, now, at_once=at_once)
    if reason is None:
        return
    # The stage is looked at afresh in each cycle, so an older announcement that failed says nothing any more.
    store.run("UPDATE webhook_deliveries SET delivered = -1 WHERE webhook = ? AND delivered = 0", webhook["uuid"])
    store.run("UPDATE webhooks SET announced_at = ? WHERE uuid = ?", now, webhook["uuid"])
    payload = {
        "project_hash": webhook["project"],
        "stage_uuid": webhook["stage"],
        "pending_count": work["pending"],
        "reason": reason,
    }
    webhook_events.add(store, webhook["uuid"], webhook["event_type"], payload, clock.stamp(), now)


def _reason(webhook: Row, work: Row, now: float, *, at_once: bool) -> str | None:
    """Why work is announced; None if it is not."""
    if not work["pending"]:
        return None
    if at_once or work["pending"] >= webhook["batch_size"]:
        return "batch_size_reached"
    waited = now - times.moment(work["oldest"]).timestamp()
    longest = webhook["max_wait_seconds"]
    return "max_wait_elapsed" if longest is not None and waited >= longest else None
