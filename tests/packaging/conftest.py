"""The wheels and their source distributions, built once, and environments: Airflow, new and old, with the provider's
wheel alone, and with that of the emulator; and the emulator's wheel alone.

These fixtures are slow (some seconds to install, more until Airflow is compiled), and there is no quicker way to see
what a user sees: in every other environment of this project the package is a link to the checkout.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.packaging.environments import ROOT, Environment, uv

_NAMED = os.environ.get("WHEEL_LINES", "").split()  # by `make wheel`
LINES = _NAMED or ["2.11", "3.3"]
LINES_WITH_EMULATOR = _NAMED or ["3.3"]


@pytest.fixture(scope="session")
def checkout() -> frozenset[str]:
    """The files of package, examples and tests, as they were before anything was built of them."""
    folders = ("airflow_provider_encord", "emulator/encord_emulator", "example_dags", "tests")
    files = (file for folder in folders for file in (ROOT / folder).rglob("*") if file.is_file())
    return frozenset(str(file.relative_to(ROOT)) for file in files if "__pycache__" not in file.parts)


@pytest.fixture(scope="session")
def distributions(checkout: frozenset[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both source distributions, and the wheels that were built from them; or the one that is named."""
    if named := os.environ.get("DISTRIBUTIONS"):
        return ROOT / named
    folder = tmp_path_factory.mktemp("distributions")
    uv("build", "--out-dir", folder, ROOT)
    uv("build", "--out-dir", folder, ROOT / "emulator")
    return folder


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    (wheel,) = distributions.glob("airflow_provider_encord-*.whl")
    return wheel


@pytest.fixture(scope="session")
def emulator_wheel(distributions: Path) -> Path:
    (wheel,) = distributions.glob("encord_emulator-*.whl")
    return wheel


@pytest.fixture(scope="session")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel, and what it demands: Airflow, of the newest line."""
    return Environment.create(tmp_path_factory.mktemp("bare"), wheel, line=LINES[-1])


@pytest.fixture(scope="session", params=LINES)
def on_each(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The same with every line, one after the other."""
    if request.param == LINES[-1]:
        newest: Environment = request.getfixturevalue("bare")
        return newest
    return Environment.create(tmp_path_factory.mktemp(f"bare-on-{request.param}"), wheel, line=request.param)


@pytest.fixture(scope="session", params=LINES_WITH_EMULATOR)
def with_emulator(
    request: pytest.FixtureRequest, wheel: Path, emulator_wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """The wheel with the extra ``emulator``, and pytest, as in the CI of somebody who tests DAGs."""
    place = tmp_path_factory.mktemp(f"with-emulator-on-{request.param}")
    return Environment.create(place, f"{wheel}[emulator]", emulator_wheel, "pytest", line=request.param)


@pytest.fixture(scope="session")
def emulator_alone(emulator_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The emulator's wheel without Airflow, with pytest and the vendor's SDK."""
    place = tmp_path_factory.mktemp("emulator-alone")
    return Environment.create(place, emulator_wheel, "encord", "pytest")
