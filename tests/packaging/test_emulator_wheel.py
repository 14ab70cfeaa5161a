"""What is in the emulator's wheel and what it says of itself."""

from __future__ import annotations

import configparser
import email.message
import tarfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from encord_emulator import __version__
from tests.packaging.environments import ROOT
from tests.packaging.wheels import contents, declared, metadata_of, needed_by_module, required

PACKAGE = "encord_emulator"
INFORMATION = f"{PACKAGE}-{__version__}.dist-info"
EMULATOR = ROOT / "emulator"


@pytest.fixture(scope="module")
def files(emulator_wheel: Path) -> dict[str, bytes]:
    return contents(emulator_wheel)


@pytest.fixture(scope="module")
def metadata(files: dict[str, bytes]) -> email.message.Message:
    return metadata_of(files)


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return declared(EMULATOR)


def test_the_wheel_holds_the_package_and_its_papers_and_nothing_else(
    files: dict[str, bytes], checkout: frozenset[str]
) -> None:
    papers = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    package = {name.removeprefix("emulator/") for name in checkout if name.startswith("emulator/")}

    assert set(files) == package | {f"{INFORMATION}/{paper}" for paper in papers}
    assert files[f"{PACKAGE}/py.typed"] == b""
    assert files[f"{INFORMATION}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()


def test_the_source_distribution_holds_all_that_the_container_needs(distributions: Path) -> None:
    (archive,) = distributions.glob("encord_emulator-*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}

    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Dockerfile", f"{PACKAGE}/http/app.py"} <= names


def test_the_entry_points_lead_to_what_pytest_and_the_shell_look_for(files: dict[str, bytes]) -> None:
    points = configparser.ConfigParser()
    points.read_string(files[f"{INFORMATION}/entry_points.txt"].decode())

    assert {group: dict(points[group]) for group in points.sections()} == {
        "console_scripts": {"encord-emulator": f"{PACKAGE}.__main__:main"},
        "pytest11": {"encord_emulator": f"{PACKAGE}.pytest_plugin"},
    }


def test_the_metadata_says_what_pyproject_says(metadata: email.message.Message, project: dict[str, Any]) -> None:
    assert (metadata["Name"], metadata["Version"]) == ("encord-emulator", __version__)
    assert metadata["Requires-Python"] == ">=3.11"
    required = set(map(Requirement, metadata.get_all("Requires-Dist", [])))
    assert required == set(map(Requirement, project["dependencies"]))
    assert metadata["Description-Content-Type"] == "text/markdown"


def test_every_import_is_brought_by_a_requirement_of_its_own(files: dict[str, bytes], project: dict[str, Any]) -> None:
    brought = required(project["dependencies"])
    lacking = {name: needed - brought for name, needed in needed_by_module(files, PACKAGE).items() if needed - brought}

    assert lacking == {f"{PACKAGE}/pytest_plugin.py": {"pytest"}}, "pytest loads this module, so it is there"


def test_the_container_is_made_of_files_that_are_there() -> None:
    steps = [line.split() for line in (EMULATOR / "Dockerfile").read_text().splitlines() if line.startswith("COPY ")]
    sources = [name for step in steps for name in step[1:-1]]

    assert len(sources) == 4
    assert all((EMULATOR / name).exists() for name in sources)
