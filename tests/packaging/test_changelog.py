"""Fragments of the changelog are named right and become a section; a tag is released only as its version."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import encord_emulator
from airflow_provider_encord import __version__
from tests.packaging.environments import ROOT

FRAGMENTS = ROOT / "newsfragments"
SETTINGS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]
KINDS = [kind["directory"] for kind in SETTINGS["type"]]
NAME = re.compile(rf"(\d+|\+[a-z0-9-]+)\.({'|'.join(KINDS)})(\.\d+)?\.md")


def _wrong_names(folder: Path) -> list[str]:
    files = {file.name for file in folder.iterdir()} - {"README.md"}
    return sorted(name for name in files if not NAME.fullmatch(name))


def test_every_fragment_is_named_after_an_issue_and_a_kind() -> None:
    assert _wrong_names(FRAGMENTS) == []


@pytest.mark.parametrize("name", ["12.feature.md", "+retry-after.bugfix.md", "12.feature.1.md"])
def test_a_right_name_is_accepted(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    assert _wrong_names(tmp_path) == []


@pytest.mark.parametrize("name", ["12.md", "12.fix.md", "retry.bugfix.md", "12.feature.txt", "12.feature"])
def test_a_wrong_name_is_found(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    assert _wrong_names(tmp_path) == [name]


def test_a_fragment_is_sentences_without_heading_or_list() -> None:
    for file in FRAGMENTS.glob("*.*.md"):
        text = file.read_text().strip()
        assert text.endswith("."), file.name
        assert not text.startswith(("#", "-", "*")), file.name


def test_the_readme_of_the_fragments_lists_every_kind() -> None:
    assert re.findall(r"^\| `(\w+)` \|", (FRAGMENTS / "README.md").read_text(), re.MULTILINE) == KINDS


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what a release of the changelog reads, with one fragment."""
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    files = ("airflow_provider_encord/__init__.py", "emulator/encord_emulator/__init__.py", "newsfragments/README.md")
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "newsfragments" / "77.feature.md").write_text("`EncordExampleOperator` is an example.\n")
    return tmp_path


def _towncrier(project: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "towncrier", "build", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout


def test_a_draft_shows_the_fragments_and_changes_nothing(project: Path) -> None:
    before = (project / "CHANGELOG.md").read_text()
    draft = _towncrier(project, "--draft")

    assert f"## {__version__} (" in draft
    assert "### Features" in draft
    assert f"- `EncordExampleOperator` is an example. ([#77]({_url('Issues')}/77))" in draft
    assert (project / "CHANGELOG.md").read_text() == before


def test_a_release_puts_the_section_above_the_others_which_stay(project: Path) -> None:
    before = (project / "CHANGELOG.md").read_text()
    subprocess.run(["git", "init", "--quiet", project], check=True)  # towncrier removes the fragments through git
    _towncrier(project, "--yes", "--date", "2027-01-02", "--version", "0.2.0")
    after = (project / "CHANGELOG.md").read_text()

    assert re.findall(r"^## (.+)$", after, re.MULTILINE)[0] == "0.2.0 (2027-01-02)"
    assert after.endswith(before[before.index("\n## ") :])
    assert [file.name for file in (project / "newsfragments").iterdir()] == ["README.md"]


def _url(name: str) -> str:
    urls: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
    return urls[name]


def test_every_address_of_the_repository_is_that_of_the_project() -> None:
    written = (file for file in (ROOT / ".github").rglob("*.*") if file.suffix in (".md", ".py", ".yml"))
    files = [*written, ROOT / "CONTRIBUTING.md", ROOT / "pyproject.toml"]
    named = {url for file in files for url in re.findall(r"https://github\.com/[\w-]+/[\w-]+", file.read_text())}

    assert named == {_url("Source")}
    assert all(_url(name).startswith(_url("Source")) for name in ("Changelog", "Issues"))


@pytest.fixture(scope="module")
def check_release() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_release", ROOT / ".github" / "check_release.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def ready(project: Path) -> Path:
    """A copy that may be released as its version."""
    (project / "newsfragments" / "77.feature.md").unlink()
    (project / "CHANGELOG.md").write_text(f"# Changelog\n\n## {__version__} (2027-01-02)\n\nFirst version.\n")
    changelog = f"# Changelog\n\n## {encord_emulator.__version__} (2026-12-31)\n\nFirst version.\n"
    (project / "emulator" / "CHANGELOG.md").write_text(changelog)
    return project


def test_a_tag_that_is_the_version_may_be_released(ready: Path, check_release: ModuleType) -> None:
    assert list(check_release.problems(f"v{__version__}", ready)) == []


@pytest.mark.parametrize("tag", [__version__, "v9.9.9", f"v{__version__}.1", f"v{__version__}rc1", "", "main"])
def test_a_tag_that_is_not_the_version_is_refused(tag: str, ready: Path, check_release: ModuleType) -> None:
    (problem,) = check_release.problems(tag, ready)
    assert problem == f"The tag {tag!r} is not v{__version__}, the version in airflow_provider_encord/__init__.py."


@pytest.mark.parametrize("title", ["0.0.9 (2027-01-02)", f"{__version__} (unreleased)", __version__])
def test_a_changelog_without_a_dated_section_of_the_version_is_refused(
    title: str, ready: Path, check_release: ModuleType
) -> None:
    (ready / "CHANGELOG.md").write_text(f"# Changelog\n\n## {title}\n")
    (problem,) = check_release.problems(f"v{__version__}", ready)
    assert problem.startswith(f"The first section of CHANGELOG.md is '{title}'")


@pytest.mark.parametrize("title", ["Not released yet", "0.0.9 (2026-12-31)"])
def test_a_version_of_the_emulator_without_a_dated_section_is_refused(
    title: str, ready: Path, check_release: ModuleType
) -> None:
    (ready / "emulator" / "CHANGELOG.md").write_text(f"# Changelog\n\n## {title}\n")
    (problem,) = check_release.problems(f"v{__version__}", ready)
    version = encord_emulator.__version__
    assert problem == (
        f"The first section of emulator/CHANGELOG.md is '{title}', not '{version} (<year>-<month>-<day>)'."
    )


def test_the_emulator_may_have_another_version_than_the_provider(ready: Path, check_release: ModuleType) -> None:
    (ready / "emulator" / "encord_emulator" / "__init__.py").write_text('__version__ = "0.9.3"\n')
    (ready / "emulator" / "CHANGELOG.md").write_text("# Changelog\n\n## 0.9.3 (2026-12-31)\n")
    assert list(check_release.problems(f"v{__version__}", ready)) == []


def test_fragments_that_are_left_are_refused_by_name(ready: Path, check_release: ModuleType) -> None:
    (ready / "newsfragments" / "78.bugfix.md").touch()
    assert list(check_release.problems(f"v{__version__}", ready)) == [
        "newsfragments/ still has 78.bugfix.md. Run towncrier build."
    ]


def test_the_command_fails_with_the_reason_on_its_output() -> None:
    command = [sys.executable, ROOT / ".github" / "check_release.py", "v9.9.9"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "The tag 'v9.9.9' is not" in done.stdout
