"""What a watcher does with a snapshot: decide, write down what it will announce, and return the payloads."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from airflow_provider_encord.links import project_url
from airflow_provider_encord.triggers.event_source import Snapshot
from airflow_provider_encord.triggers.event_state import WatchState

_log = logging.getLogger(__name__)


class Batch(Protocol):
    """A `TaskBatch` or a `LabelBatch`."""

    @property
    def project_id(self) -> str:
        """Id of the project."""

    def payload(self, asset_uri: str, *, project_url: str | None) -> dict[str, Any]:
        """Return what the asset event contains."""


class Watch(Protocol):
    """A `StageWatch` or an `EditsWatch`. Its batches are those that it returned before."""

    @property
    def memory(self) -> Any:
        """What is remembered across restarts."""

    @property
    def needs(self) -> Any:
        """What it needs of the next answer; see `waits.conditions`."""

    def planned(self, answer: Any) -> Sequence[Batch]:
        """Return the batches that were planned before a restart."""

    def due(self, answer: Any, now: float) -> Sequence[Batch]:
        """Return the batches that are due, and remember them as planned."""

    def confirm(self, batches: Collection[Any]) -> None:
        """Forget planned batches: their events are stored."""


class Announcing:
    """Announces what a watch decides.

    :param watch: Decides what is due.
    :param state: Keeps the memory of the watch.
    :param asset_uri: Returns the URI of the asset, for the base URL of the API.
    """

    def __init__(self, watch: Watch, state: WatchState[Any], asset_uri: Callable[[str], str]):
        self._watch, self._state, self._asset_uri = watch, state, asset_uri
        self._restarted = True

    @property
    def needs(self) -> Any:
        """What the watch needs of the next answer."""
        return self._watch.needs

    async def announce(self, snapshot: Snapshot) -> list[dict[str, Any]]:
        """Return the payloads of the events that follow from a snapshot. Never raises."""
        try:
            planned = self._watch.planned(snapshot.answer) if self._restarted else ()
            batches = [*planned, *self._watch.due(snapshot.answer, snapshot.now)]
        except Exception as error:  # noqa: BLE001 - a watcher that raises is started again every two seconds
            _log.warning("A response of Encord cannot be used; the watcher goes on: %s", error)
            return []
        self._restarted = False
        if batches and self._state.keeps:
            await self._state.save(self._watch.memory)  # written ahead: after a crash, the same batches are announced
            snapshot.commits.append(functools.partial(self._commit, batches))
        else:
            await self._commit(batches)
        uri = self._asset_uri(snapshot.settings.base_url)
        return [
            batch.payload(uri, project_url=project_url(snapshot.settings.link_base, batch.project_id))
            for batch in batches
        ]

    async def _commit(self, batches: Sequence[Batch]) -> None:
        self._watch.confirm(batches)
        await self._state.save(self._watch.memory)
