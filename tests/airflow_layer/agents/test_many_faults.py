"""Every fault in one run of an agent, as `benchmarks/agent_faults.py` plays it with thousands of tasks."""

from __future__ import annotations

import pytest

from benchmarks.agent_faults import play
from tests.airflow_layer.bench import Account
from tests.forks.workers import start_worker

pytestmark = pytest.mark.airflow
TASKS = 200


def test_no_task_is_lost_or_repeated_whatever_fails_and_no_model_is_called_again(account: Account) -> None:
    found = play(account.emulator, "ours", tasks=TASKS, commit_every=10, start=start_worker)
    nothing = (
        *("left", "lost", "repeated", "edits_overwritten", "model_calls_repeated"),
        *("lines_too_many", "handled_without_a_line", "reported_but_not_handled"),
    )
    assert {name: found[name] for name in nothing} == dict.fromkeys(nothing, 0), found
    assert found["handled"] + found["taken_by_the_person"] == TASKS
    assert found["handled"] <= found["lines"] <= TASKS
    assert found["errors_raised"] >= 1  # the faults have met it
