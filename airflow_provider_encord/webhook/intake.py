"""Deliveries on their way to the database: many at once cost one lookup and one transaction.

A delivery waits for a lookup that begins after it arrived, so that the lookup sees what it is about. Lookups for one
asset begin at most every `LOOKUP_INTERVAL` seconds, and serve all deliveries that came meanwhile. Then everything that
waits is written in one transaction, one event for each asset.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Sequence

from airflow_provider_encord.assets import DEFAULT_HOST, labels_uri, stage_uri
from airflow_provider_encord.links import project_url
from airflow_provider_encord.webhook.announcing import NOTHING_LOOKED_UP, Found, Target
from airflow_provider_encord.webhook.deliveries import Delivery
from airflow_provider_encord.webhook.lookup import Lookup, LookupFailedError
from airflow_provider_encord.webhook.storing import (
    NO_ASSET,
    NOTHING_NEW,
    REPEATED,
    STORED,
    EventStore,
    Work,
)

LOOKUP_INTERVAL = 2.0
MOST_WAITING = 10_000
_MOST_IN_TRANSACTION = 1000
MOST_IN_EVENT = 100
"""How many deliveries one event stands for. On MySQL, Airflow stores at most 64 KB of an event."""
_MOST_DESKS = 1000
_ORDER = (STORED, REPEATED, NOTHING_NEW, NO_ASSET)
_log = logging.getLogger(__name__)


class UnavailableError(Exception):
    """A delivery cannot be stored now. Encord is to deliver it again."""


@dataclasses.dataclass(eq=False)
class _Waiting:
    """A delivery that waits for its status."""

    target: Target
    delivery: Delivery
    status: asyncio.Future[str]
    found: Found = NOTHING_LOOKED_UP


class Intake:
    """Takes deliveries of one process of the API server.

    :param store: Writes the events.
    :param lookup: None to look up nothing.
    """

    def __init__(self, store: EventStore, lookup: Lookup | None):
        self._lookup, self._writer = lookup, _Writer(store)
        self._desks: dict[str, _Desk] = {}
        self._waiting = 0

    async def take(self, delivery: Delivery) -> str:
        """Store a delivery.

        :return: The result; a status of `storing`.
        :raises UnavailableError: It was not stored; a later attempt may succeed.
        """
        if self._waiting >= MOST_WAITING:
            raise UnavailableError(f"{MOST_WAITING} deliveries wait already.")
        self._waiting += 1
        try:
            statuses = await asyncio.gather(
                *(self._take_for(target, delivery) for target in await self._targets(delivery))
            )
        except LookupFailedError as error:
            raise UnavailableError(str(error)) from None
        finally:
            self._waiting -= 1
        return min(statuses, key=_ORDER.index)

    async def _targets(self, delivery: Delivery) -> list[Target]:
        api = link_base = f"https://{DEFAULT_HOST}"
        if self._lookup is not None:
            settings = await self._lookup.settings()
            api, link_base = settings.base_url, settings.link_base
        url, project_id = project_url(link_base, delivery.project_id), delivery.project_id
        targets = []
        if delivery.is_about_labels:
            uri = labels_uri(api, project_id)
            targets.append(Target(asset_uri=uri, project_id=project_id, stage_id=None, project_url=url))
        if (stage_id := delivery.stage_id) is not None:
            uri = stage_uri(api, project_id, stage_id)
            targets.append(Target(asset_uri=uri, project_id=project_id, stage_id=stage_id, project_url=url))
        return targets

    async def _take_for(self, target: Target, delivery: Delivery) -> str:
        waiting = _Waiting(target, delivery, asyncio.get_running_loop().create_future())
        if self._lookup is None:
            self._writer.add([waiting])
        else:
            self._desk(target.asset_uri, self._lookup).add(waiting)
        return await waiting.status

    def _desk(self, asset_uri: str, lookup: Lookup) -> _Desk:
        if asset_uri not in self._desks:
            if len(self._desks) >= _MOST_DESKS:
                self._desks = {uri: desk for uri, desk in self._desks.items() if desk.is_busy}
            self._desks[asset_uri] = _Desk(lookup, self._writer)
        return self._desks[asset_uri]


class _Desk:
    """The deliveries for one asset that wait for a lookup."""

    def __init__(self, lookup: Lookup, writer: _Writer):
        self._lookup, self._writer = lookup, writer
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self._next_at = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether deliveries wait, or a lookup may not begin yet."""
        return self._task is not None or self._next_at > asyncio.get_running_loop().time()

    def add(self, waiting: _Waiting) -> None:
        """Let a delivery wait for the next lookup."""
        self._waiting.append(waiting)
        if self._task is None:
            self._task = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                await asyncio.sleep(self._next_at - loop.time())
                self._next_at = loop.time() + LOOKUP_INTERVAL
                served, self._waiting = self._waiting, []
                await self._look_up(served)
        finally:
            self._task = None

    async def _look_up(self, served: list[_Waiting]) -> None:
        try:
            found = await self._lookup.find(served[0].target, [waiting.delivery for waiting in served])
        except Exception as error:  # noqa: BLE001 - each delivery raises it
            _fail(served, error)
            return
        for waiting in served:
            waiting.found = found
        self._writer.add(served)
        # The next lookup is compared with the history that this one leads to.
        await asyncio.wait([waiting.status for waiting in served])


class _Writer:
    """Writes what waits, one transaction at a time."""

    def __init__(self, store: EventStore):
        self._store = store
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None

    def add(self, waiting: Sequence[_Waiting]) -> None:
        """Let deliveries wait for the next transaction."""
        self._waiting += waiting
        if self._task is None:
            self._task = asyncio.create_task(self._write_all())

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                served, self._waiting = self._waiting[:_MOST_IN_TRANSACTION], self._waiting[_MOST_IN_TRANSACTION:]
                await self._write(served)
        finally:
            self._task = None

    async def _write(self, served: list[_Waiting]) -> None:
        groups = _grouped(served)
        works = [
            Work(target=group[0].target, deliveries=[waiting.delivery for waiting in group], found=group[0].found)
            for group in groups
        ]
        try:
            statuses = await asyncio.to_thread(self._store.store, works)
        except Exception as error:  # noqa: BLE001 - whatever a database driver raises
            _log.warning("%d webhooks could not be stored: %s.", len(served), type(error).__name__)
            _fail(served, UnavailableError("The database cannot be used."))
            return
        for group, group_statuses in zip(groups, statuses, strict=True):
            for waiting, status in zip(group, group_statuses, strict=True):
                if not waiting.status.done():
                    waiting.status.set_result(status)


def _grouped(served: Sequence[_Waiting]) -> list[list[_Waiting]]:
    """Divide deliveries into those that may become one event."""
    groups: dict[str, list[list[_Waiting]]] = {}
    for waiting in served:
        of_asset = groups.setdefault(waiting.target.asset_uri, [[]])
        if len(of_asset[-1]) >= MOST_IN_EVENT:
            of_asset.append([])
        of_asset[-1].append(waiting)
    return [group for of_asset in groups.values() for group in of_asset]


def _fail(served: Sequence[_Waiting], error: Exception) -> None:
    for waiting in served:
        if not waiting.status.done():
            waiting.status.set_exception(error)
