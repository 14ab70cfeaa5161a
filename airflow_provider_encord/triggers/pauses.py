"""Wait in the triggerer for as long as Encord asked to send nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

_LEAST_TIME = 1.0  # seconds; a trigger that fires at once may make the task fail (a race in Airflow's scheduler)


class EncordPauseTrigger(BaseTrigger):
    """Fire at a time, and send nothing before.

    :param until: When to fire, in seconds since 1970.
    :param carried: Small JSON that the event returns to the operator, such as how far it was.
    :param pauses: How many pauses the task has made, for its next ones; the event returns it.
    """

    def __init__(self, *, until: float, carried: Any = None, pauses: float = 0):
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's
        self.until = until
        self.carried = carried
        self.pauses = pauses

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, which Airflow stores."""
        return f"{type(self).__module__}.{type(self).__name__}", {
            "until": self.until,
            "carried": self.carried,
            "pauses": self.pauses,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait."""
        await asyncio.sleep(max(self.until - time.time(), _LEAST_TIME))
        yield TriggerEvent({"status": "over", "carried": self.carried, "pauses": self.pauses})  # type: ignore[no-untyped-call]  # Airflow's
