"""The polls of a watcher as a stream that Airflow 3.3 confirms: it reports which events are stored."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.triggers.shared_stream import AdvanceItem, SharedStreamProducer

    from airflow_provider_encord.triggers.event_source import EventSource, Snapshot
else:
    try:
        from airflow.triggers.shared_stream import SharedStreamProducer
    except ImportError:  # before Airflow 3.3, nothing calls this module
        SharedStreamProducer = object


class EventStreamProducer(SharedStreamProducer):
    """Passes the snapshots of a source on, and commits what followed from them once Airflow has stored the events."""

    def __init__(self, source: EventSource):
        self._source = source
        self._snapshots: AsyncGenerator[Snapshot] | None = None

    async def open_stream(self) -> AsyncIterator[tuple[Snapshot, Snapshot]]:
        """Yield each snapshot twice: for the watcher, and for `advance`."""
        self._snapshots = self._source.snapshots()
        async for snapshot in self._snapshots:
            yield snapshot, snapshot

    async def advance(self, batch: Sequence[AdvanceItem]) -> None:
        """Commit the snapshots whose events are stored."""
        for snapshot, outcome in batch:
            if outcome.is_clean:
                for commit in snapshot.commits:
                    await commit()

    async def aclose(self) -> None:
        """Stop polling."""
        if self._snapshots is not None:
            await self._snapshots.aclose()
