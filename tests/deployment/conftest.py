"""One deployment of each line for all tests here: a start takes longer than what a test does with it. It ends with
them: it looks for work all the time, even when there is nothing to do.

Each test adds its own DAGs, and has an emulator of its own behind the connection ``encord_default``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployment.processes import Deployment

ROOT = Path(__file__).parents[2]
PYTHONS = {"here": Path(sys.executable), "2.11": ROOT / ".venvs" / "airflow-2.11" / "bin" / "python"}


@pytest.fixture(scope="package", params=PYTHONS)
def line(request: pytest.FixtureRequest) -> str:
    """The line of Airflow."""
    name = str(request.param)
    if not PYTHONS[name].exists():
        pytest.skip(f"Airflow {name} is not installed here: make matrix-{name}")
    return name


@pytest.fixture(scope="package")
def deployment(line: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The running deployment of the line."""
    folder = tmp_path_factory.mktemp("deployment")
    (folder / "dags").mkdir()
    # Runs that assets start: all other DAGs here have no schedule.
    environment = {
        "PYTHONPATH": str(ROOT),
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "True",
        "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",  # so long the triggers of a killed one wait
    }
    with Deployment(PYTHONS[line], folder / "home", folder / "dags", environment=environment) as deployment:
        yield deployment
