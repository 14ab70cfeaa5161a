"""What a row of the matrix needs to know of its operator: its world, its arguments, and what is right in the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from tests.airflow_layer.bench import Account

NOWHERE = "00000000-0000-4000-8000-00000000dead"


class Scenario(ABC):
    """The world of one operator.

    :param account: On the emulator, with nothing yet.
    :param directory: An empty directory of this disk.
    """

    operator: ClassVar[type]
    names: ClassVar[tuple[str, ...]]
    """Of the arguments."""
    waits: ClassVar[bool] = False
    """Whether it starts a job and can wait for it in the triggerer."""
    asks_encord: ClassVar[bool] = True
    """Whether it sends anything. If not, the first attempt is killed where it is to break."""
    ends_with_its_state: ClassVar[bool] = False
    """Whether an attempt counts as one that ended as soon as it has deleted its state, the last thing that it does: the
    next one then fails, as nothing is left to do, and names what to do. Else a retry must succeed at every moment."""
    broken_at: ClassVar[int] = 2
    """The number of the request at which the first attempt breaks, where it is to be retried."""

    def __init__(self, account: Account, directory: Path):
        self.account, self.emulator, self.directory = account, account.emulator, directory
        self.emulator.clear_journal()
        self.prepare()
        with account.client() as client:
            client.cloud_integrations()
        # A process that was killed may still have a request at the emulator: only this account's are looked at.
        self.credential = str(self.emulator.journal()[-1]["credential"])
        self.emulator.clear_journal()

    @abstractmethod
    def prepare(self) -> None:
        """Make the world."""

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """The right arguments."""

    @abstractmethod
    def wrong(self) -> dict[str, Any]:
        """Arguments instead, with which it fails and a retry does not help."""

    @abstractmethod
    def truth(self) -> Any:
        """The state, by the emulator's truth or the files, in a form that two runs have in common."""

    @abstractmethod
    def goal(self) -> Any:
        """What there must be once the task has succeeded, given the world as it is now."""

    def begun(self) -> None:  # noqa: B027 - not every operator keeps to what it found first
        """The first attempt has begun, and broke."""

    def gain(self) -> None:  # noqa: B027 - not every operator has a source
        """The source gains an entry, or somebody undoes part of the work."""

    def lose(self) -> None:  # noqa: B027 - as above
        """The source loses an entry."""

    def requests(self) -> list[dict[str, Any]]:
        """What was sent since the journal was cleared."""
        return [entry for entry in self.emulator.journal() if entry["credential"] == self.credential]

    def changes(self) -> list[str]:
        """What of that changes something."""
        return [request["query_type"] or request["path"] for request in self.requests() if request["changes"]]
