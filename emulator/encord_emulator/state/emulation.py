"""Everything that one running emulator holds, in one place that handlers and controls share."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping

from .clock import Clock
from .faults import Faults
from .jobs import Jobs, Work
from .journal import Journal
from .limits import Limits
from .objects import ObjectStore
from .store import Store


class Emulation:
    """One emulator.

    :param database: The file that keeps the state; ``None`` keeps it in memory (and uploaded bytes in a temporary
        folder that goes away at the end).
    :param work: What is done for jobs, by the table that they are in.
    """

    def __init__(self, work: Mapping[str, Work], database: pathlib.Path | None = None) -> None:
        self.store = Store(database)
        self.clock = Clock()
        self.faults = Faults()
        self.journal = Journal()
        self.limits = Limits()
        self.objects = ObjectStore(self.store, self.clock, database)
        self.jobs = Jobs(self.store, self.clock, self.objects, work)

    def close(self) -> None:
        """Stop what runs in the background and let go of files."""
        self.jobs.stop()
        self.objects.close()
        self.store.close()
