"""The base of the event triggers: polls of its own or of others, and events that Airflow has to confirm."""

from __future__ import annotations

import contextlib
import math
from abc import abstractmethod
from collections.abc import AsyncIterator, Hashable
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.triggers import BaseEventTrigger
from airflow.triggers.base import TriggerEvent

if TYPE_CHECKING:
    from airflow.triggers.shared_stream import SharedStreamProducer

    from airflow_provider_encord.triggers.announcing import Announcing
    from airflow_provider_encord.triggers.event_source import EventSource, Snapshot

LEAST_INTERVAL = 5.0


class EncordBaseEventTrigger(BaseEventTrigger):
    """Base class of the event triggers. A subclass says what to ask, and decides what to announce."""

    def __init__(
        self,
        *,
        project_id: str,
        batch_size: int,
        max_wait_seconds: float | None,
        poll_interval: float,
        encord_conn_id: str,
        asset_name: str | None,
    ):
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's
        from airflow_provider_encord.client.identifiers import require_id  # not at the top, to keep DAG parsing fast

        self.project_id = require_id(project_id, "project_id")
        self.batch_size = batch_size
        self.max_wait_seconds = max_wait_seconds
        self.poll_interval = poll_interval
        self.encord_conn_id = encord_conn_id
        self.asset_name = asset_name
        # JSON has no infinity, and Airflow stores the arguments and the events as JSON.
        whole = 1 <= batch_size < math.inf and int(batch_size) == batch_size
        require(whole, "batch_size", batch_size, "a number from 1")
        wait = max_wait_seconds is None or 0 < max_wait_seconds < math.inf
        require(wait, "max_wait_seconds", max_wait_seconds, "more than 0 seconds, or None for no limit")
        often = LEAST_INTERVAL <= poll_interval < math.inf
        require(often, "poll_interval", poll_interval, f"at least {LEAST_INTERVAL:.0f} seconds")

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, which Airflow stores."""
        return f"{type(self).__module__}.{type(self).__name__}", self._arguments()

    def _arguments(self) -> dict[str, Any]:
        """The arguments of `__init__`. A subclass adds its own."""
        return {
            "project_id": self.project_id,
            "batch_size": self.batch_size,
            "max_wait_seconds": self.max_wait_seconds,
            "poll_interval": self.poll_interval,
            "encord_conn_id": self.encord_conn_id,
            "asset_name": self.asset_name,
        }

    @abstractmethod
    def _source(self) -> EventSource:
        """The polls of this watcher."""

    @abstractmethod
    async def _open(self, first: Snapshot) -> Announcing:
        """Read what is remembered.

        :param first: The first snapshot.
        """

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield events for ever. Airflow 3.1 and 3.2 call this method, newer versions share streams."""
        async with contextlib.aclosing(self._source().snapshots()) as snapshots:
            async for event in self.filter_shared_stream(snapshots):
                yield event

    def shared_stream_key(self) -> Hashable:
        """Return a key of this watcher alone. Polls are shared on another level, by `shared_polls`."""
        return type(self).__name__, *((name, str(value)) for name, value in self._arguments().items())

    @classmethod
    def create_shared_stream_producer(cls, kwargs: dict[str, Any]) -> SharedStreamProducer:
        """Return what polls, and what notes that events are stored. Airflow 3.3 calls this method."""
        from airflow_provider_encord.triggers.event_stream import EventStreamProducer

        return EventStreamProducer(cls(**kwargs)._source())

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Snapshot]) -> AsyncIterator[TriggerEvent]:
        """Yield the events that follow from the snapshots."""
        announcing: Announcing | None = None
        async for snapshot in shared_stream:
            if announcing is None:
                announcing = await self._open(snapshot)
            if snapshot.answer is not None:
                for payload in await announcing.announce(snapshot):
                    yield TriggerEvent(payload)  # type: ignore[no-untyped-call]
            snapshot.source.start(announcing.needs)

    def _state_store(self, uri: str) -> Any:
        """Airflow's state of the asset; None before Airflow 3.3."""
        store = getattr(self, "asset_state_store", None)
        if store is None:
            return None
        from airflow.sdk import Asset

        for name in filter(None, (self.asset_name, uri)):
            with contextlib.suppress(KeyError):
                return store[Asset.ref(name=name)]
        return store  # it serves a watcher of exactly one asset


def require(fine: bool, name: str, value: Any, wanted: str) -> None:
    """Check an argument.

    :raises ValueError: It is wrong.
    """
    if not fine:
        raise ValueError(f"{name}: {value!r} is wrong. Pass {wanted}.")
