"""The fixtures of the Airflow layer, and a project whose tasks people move."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from encord_emulator.process import Emulator
from tests.airflow_layer.bench import Account
from tests.moves.conftest import *  # noqa: F403 - the fixtures of the Airflow layer, listed there


@dataclasses.dataclass
class Board:
    """A project whose tasks are all in its first stage.

    :param id: Of the project.
    :param stages: Ids by title, in order.
    """

    account: Account
    id: str
    stages: dict[str, str]
    data_hashes: list[str]

    @property
    def emulator(self) -> Emulator:
        return self.account.emulator

    @property
    def first(self) -> str:
        """The title of the stage in which the tasks are."""
        return next(iter(self.stages))

    @property
    def second(self) -> str:
        """The title of the stage to which they are submitted."""
        return list(self.stages)[1]

    @property
    def last(self) -> str:
        """The title of the final stage."""
        return list(self.stages)[-1]

    def submit(self, count: int) -> None:
        """People submit tasks of the first stage."""
        with self.account.client() as client:
            stage = client.project(self.id).stage(self.first)
            stage.move(list(stage.tasks())[:count], self.second)

    def requests(self, path: str = "") -> list[str]:
        """The paths that were requested since the journal was cleared, if they contain a text."""
        return [entry["path"] for entry in self.emulator.journal() if path in entry["path"]]


@pytest.fixture
def board(account: Account) -> Iterator[Board]:
    seeded = account.project(rows=6)
    stages = {stage["title"]: stage["uuid"] for stage in seeded["stages"]}
    account.emulator.clear_journal()
    yield Board(account, seeded["project_id"], stages, seeded["data_hashes"])
    account.emulator.limits(page_size=100)
