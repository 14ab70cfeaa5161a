"""What an asset watcher remembers across restarts of the triggerer: a value in Airflow's state of the asset (3.3)."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Generic, TypeVar

import msgspec

_log = logging.getLogger(__name__)
_SEVERAL_ASSETS = "concrete inlets"  # in the message of Airflow 3.3
_AGAIN = 10.0  # seconds between two attempts to read the state

M = TypeVar("M", bound=msgspec.Struct)


class WatchState(Generic[M]):
    """The stored memory of one watcher. Without a store, nothing is remembered.

    :param store: Airflow's accessor of the state of the asset; None before Airflow 3.3.
    :param key: Name of the value.
    :param kind: Type of the memory.
    """

    def __init__(self, store: Any, key: str, kind: type[M]):
        self._store, self._key, self._kind = store, key, kind
        self._stored: Any = None

    @property
    def keeps(self) -> bool:
        """Whether the memory survives a restart."""
        return self._store is not None

    async def load(self, default: M) -> M:
        """Return the stored memory. Tries again until Airflow answers.

        :param default: Returned if nothing is stored, or if another version of this package stored it in another form.
        """
        while not await self._read():
            await asyncio.sleep(_AGAIN)
        if self._stored is None:
            return default
        try:
            return msgspec.convert(self._stored, self._kind)
        except msgspec.ValidationError as error:
            _log.warning("The stored state of the watcher cannot be used, so the watcher begins again: %s", error)
            return default

    async def _read(self) -> bool:
        """Read what is stored, and return whether that worked."""
        if self._store is None:
            return True
        try:
            self._stored = await self._store.aget(self._key)
        except ValueError as error:
            if _SEVERAL_ASSETS not in str(error):  # of a state backend
                _log.warning("The state of the watcher could not be read; it is tried again: %s", error)
                return False
            _log.error(
                "Several assets have a watcher with equal arguments, so Airflow keeps no state for it, and after a "
                "restart it announces again what it announced before. Pass asset_name to the trigger of each asset."
            )
            self._store = None
        except Exception as error:  # noqa: BLE001 - a watcher that raises is started again every two seconds
            _log.warning("The state of the watcher could not be read; it is tried again: %s", error)
            return False
        return True

    async def save(self, memory: M) -> None:
        """Store the memory, if it has changed. A failure is logged; it can repeat an event, but not lose one."""
        plain = msgspec.to_builtins(memory)
        if self._store is None or plain == self._stored:
            return
        try:
            await self._store.aset(self._key, plain)
        except Exception as error:  # noqa: BLE001 - a watcher that raises is started again every two seconds
            _log.warning("The state of the watcher could not be stored: %s", error)
        else:
            self._stored = plain
