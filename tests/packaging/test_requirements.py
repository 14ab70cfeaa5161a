"""What is allowed to be installed beside the package is what is tested."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.packaging.environments import CONSTRAINTS, ROOT
from tests.packaging.wheels import declared

PROJECT = declared(ROOT)
EMULATOR = declared(ROOT / "emulator")
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
INSTALLED_LOWEST = (
    "emulator",
    "parquet",
    "coco",
    "masks",
    "png",
    "frames",
    "media",
    "quality",
    "training",
    "zstd",
    "redis",
    "openlineage",
    "test",
)  # as `make lowest` does


@pytest.mark.parametrize(
    ("version", "allowed"),
    [
        *(("2.10.5", False), ("2.11.0", True), ("2.11.2", True)),
        *(("3.0.0rc1", False), ("3.0.0", False), ("3.0.6", False), ("3.1.0", True), ("3.3.2", True)),
    ],
)
def test_airflow_is_allowed_from_2_11_but_3_0_is_not_tested(version: str, allowed: bool) -> None:
    (airflow,) = (one for one in map(Requirement, PROJECT["dependencies"]) if one.name == "apache-airflow")

    assert airflow.specifier.contains(version, prereleases=True) is allowed


def _declared() -> dict[str, Requirement]:
    extras = [requirement for extra in INSTALLED_LOWEST for requirement in EXTRAS[extra]]
    written = [*EMULATOR["dependencies"], *PROJECT["dependencies"], *extras]
    ours = (PROJECT["name"], EMULATOR["name"])
    return {one.name: one for one in map(Requirement, written) if one.name not in ours}


@pytest.mark.parametrize("name", _declared())
def test_the_lowest_allowed_version_is_the_one_that_is_tested(name: str) -> None:
    rows = (CONSTRAINTS / "lowest.txt").read_text().splitlines()
    pinned = dict(row.split("==") for row in rows)
    (lowest,) = (one.version for one in _declared()[name].specifier if one.operator == ">=")

    assert Version(pinned[name]) == Version(lowest)


def test_the_lowest_version_of_the_sdk_is_one_that_is_tested() -> None:
    (sdk,) = map(Requirement, EXTRAS["sdk"])
    (lowest,) = (one.version for one in sdk.specifier)

    assert (ROOT / "tests" / "sdk" / f"requirements-{lowest}.txt").exists()


def test_the_lowest_version_of_encord_agents_is_the_one_that_is_tested() -> None:
    (agents,) = map(Requirement, EXTRAS["agents"])
    (lowest,) = (one.version for one in agents.specifier)

    assert f"encord-agents=={lowest}" in (CONSTRAINTS / "airflow-3.3.txt").read_text().splitlines()


def test_every_extra_for_users_is_installed_with_its_lowest_versions_somewhere() -> None:
    assert set(EXTRAS) - {"agents", "dev", "docs", "sdk"} == set(INSTALLED_LOWEST)
