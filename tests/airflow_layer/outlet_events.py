"""The events of a task's outlets, as Airflow hands them to it, for operators that run outside of a deployment."""

from __future__ import annotations

from typing import Any


class Events:
    """The event of one outlet; of an asset alias, those that were added."""

    def __init__(self) -> None:
        self.extra: dict[str, Any] = {}
        self.added: list[tuple[str, Any]] = []

    def add(self, asset: Any, extra: Any) -> None:
        """Add an event of an asset, as an alias takes it."""
        self.added.append((asset.uri, extra))


class OutletEvents:
    """Events by outlet. Not by the outlet itself, which has no hash on Airflow 3.1."""

    def __init__(self) -> None:
        self._events: dict[tuple[str, str], Events] = {}

    def __getitem__(self, outlet: Any) -> Events:
        return self._events.setdefault(_key(outlet), Events())

    def __contains__(self, outlet: Any) -> bool:
        return _key(outlet) in self._events


def _key(outlet: Any) -> tuple[str, str]:
    return type(outlet).__name__, getattr(outlet, "uri", None) or outlet.name
