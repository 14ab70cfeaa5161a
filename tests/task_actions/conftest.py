"""The fixtures of the Airflow layer, and a project with tasks."""

from pathlib import Path

import pytest

from tests.airflow_layer.bench import Account
from tests.moves.conftest import *  # noqa: F403
from tests.task_actions.desk import Desk


@pytest.fixture
def desk(account: Account, tmp_path: Path) -> Desk:
    return Desk(account, tmp_path)
