"""The cells that need a DAG: mapped over nothing, one and many, and rendered natively."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.airflow_layer.bench import Account, run_dag
from tests.airflow_layer.dags import moves_in_dags
from tests.moves.matrix import MATRIX, Cell
from tests.moves.scenario import Scenario

pytestmark = [pytest.mark.airflow, pytest.mark.system, pytest.mark.usefixtures("airflow_database")]


@pytest.mark.parametrize(
    ("scenario", "mapped"),
    [pytest.param(scenario, row["mapped"], id=scenario.__name__) for scenario, row in MATRIX.items()],
)
def test_templates_may_be_native_and_mapping_does_everything_once(
    scenario: type[Scenario], mapped: Cell, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(moves_in_dags.ROW, scenario.__name__)
    world = scenario(account, tmp_path)
    arguments = world.arguments()
    assert set(arguments) == set(scenario.names)
    run = run_dag(getattr(moves_in_dags, f"moves_of_{scenario.__name__}"), arguments=arguments)
    assert run.tasks["native"] == "success", run.tasks
    assert run.tasks["none"] == "skipped"
    names = ["one[0]", *(f"many[{number}]" for number in range(3))]
    expected = "failed" if mapped.refused else "success"
    assert [run.tasks[name] for name in names] == [expected] * 4, run.tasks
    assert world.truth() == world.goal()
