"""The support matrix says what CI runs and what the package requires."""

from __future__ import annotations

import re
import tomllib

from tests.docs.blocks import CHECKOUT, DOCS

PAGE = (DOCS / "support-matrix.md").read_text()
WORKFLOW = (CHECKOUT / ".github" / "workflows" / "ci.yml").read_text()


def listed(key: str) -> list[str]:
    """The values of a key of the matrix of CI."""
    return re.findall(r'"([\d.]+)"', re.findall(rf"^ {{8}}{key}: (\[.+\])$", WORKFLOW, re.MULTILINE)[0])


def test_the_lines_and_python_versions_are_those_of_ci() -> None:
    excluded = set(re.findall(r'- line: "([\d.]+)".*\n +python: "([\d.]+)"', WORKFLOW))
    assert excluded
    for line in listed("line"):
        (row,) = re.findall(rf"^\| {re.escape(line)} \|(.+)\|$", PAGE, re.MULTILINE)
        said = [cell.strip() == "yes" for cell in row.split("|")]
        assert said == [(line, python) not in excluded for python in listed("python")]


def test_the_lowest_versions_are_those_that_the_package_requires() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    required = dict(
        re.fullmatch(r"([\w-]+)(?:\[\w+\])?>=([\d.]+).*", dependency).groups() for dependency in project["dependencies"]
    )  # type: ignore[union-attr]
    assert dict(re.findall(r"^\| `([\w-]+)` \| ([\d.]+) \|$", PAGE, re.MULTILINE)) == required


def test_the_versions_of_the_sdk_are_those_that_the_tests_run() -> None:
    versions = re.findall(r"^SDK_VERSIONS := (.+)$", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)[0].split()
    assert [version for version in versions if version not in PAGE] == []
