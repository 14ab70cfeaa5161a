"""A receiver for a project, with Airflow's database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.airflow_layer.lines import running_line
from tests.airflow_layer.webhook.receivers import Project, Receiver, settings


@pytest.fixture
def project(airflow_database: None) -> Project:
    """A project with assets."""
    if running_line() == "2.11":
        pytest.skip("Airflow 2 has no apps of plugins")
    return Project()


@pytest.fixture
def receiver(project: Project) -> Iterator[Receiver]:
    """A receiver for the project, which looks up nothing."""
    with Receiver(settings(project.id)) as receiver:
        yield receiver
