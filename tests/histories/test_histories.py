"""A bounded number of random histories, the same at every run; `make soak-histories` plays others for hours."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.client.network import plain_network
from tests.histories.agents import Agents
from tests.histories.exports import Exports
from tests.histories.imports import Imports
from tests.histories.moves import Moves, prepared
from tests.histories.registrations import Registrations
from tests.histories.task_changes import TaskChanges
from tests.histories.uploads import Uploads

pytestmark = pytest.mark.system

__all__ = ["plain_network"]

MACHINES: dict[type[Moves], int] = {Uploads: 8, Registrations: 8, Exports: 8, Imports: 8, TaskChanges: 3, Agents: 5}


@pytest.mark.usefixtures("plain_network")
@pytest.mark.parametrize("machine", MACHINES)
def test_no_history_loses_doubles_or_overwrites_anything(machine: type[Moves]) -> None:
    with prepared(machine):
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=MACHINES[machine],
                stateful_step_count=14,
                derandomize=True,
                database=None,
                deadline=None,
                phases=(Phase.generate,),  # to make one that fails shorter takes minutes: `make soak-histories` does it
                suppress_health_check=list(HealthCheck),
            ),
        )
