"""The wheel and its source distribution, built once, and environments: Airflow, new and old, with the wheel alone, and
with the emulator's extra.

These fixtures are slow (some seconds to install, more until Airflow is compiled), and there is no quicker way to see
what a user sees: in every other environment of this project the package is a link to the checkout.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packaging.environments import ROOT, Environment, uv


@pytest.fixture(scope="session")
def checkout() -> frozenset[str]:
    """The files of package, examples and tests, as they were before anything was built of them."""
    folders = ("airflow_provider_encord", "example_dags", "tests")
    files = (file for folder in folders for file in (ROOT / folder).rglob("*") if file.is_file())
    return frozenset(str(file.relative_to(ROOT)) for file in files if "__pycache__" not in file.parts)


@pytest.fixture(scope="session")
def distributions(checkout: frozenset[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution, and the wheel that was built from it alone."""
    folder = tmp_path_factory.mktemp("distributions")
    uv("build", "--out-dir", folder, ROOT)
    return folder


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    (wheel,) = distributions.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel, and what it demands: Airflow."""
    return Environment.create(tmp_path_factory.mktemp("bare"), wheel)


@pytest.fixture(scope="session")
def bare_on_2(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The same with the oldest Airflow that is supported."""
    return Environment.create(tmp_path_factory.mktemp("bare-on-2"), wheel, line="2.11")


@pytest.fixture(params=["bare", "bare_on_2"])
def on_each(request: pytest.FixtureRequest) -> Environment:
    """The newest and the oldest Airflow, one after the other."""
    environment: Environment = request.getfixturevalue(request.param)
    return environment


@pytest.fixture(scope="session")
def with_emulator(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel with the extra ``emulator``, and pytest, as in the CI of somebody who tests DAGs."""
    return Environment.create(tmp_path_factory.mktemp("with-emulator"), f"{wheel}[emulator]", "pytest")
