"""The workflows, forms and hooks are valid, and agree with the Makefile, pyproject.toml and the supported lines."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.airflow_layer.lines import LINES
from tests.packaging.environments import CONSTRAINTS, ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTION = GITHUB / "actions" / "set-up" / "action.yml"
FORMS = GITHUB / "ISSUE_TEMPLATE"
SCHEMAS = {
    **dict.fromkeys(WORKFLOWS, "github-workflows"),
    ACTION: "github-actions",
    FORMS / "bug_report.yml": "github-issue-forms",
    FORMS / "feature_request.yml": "github-issue-forms",
    FORMS / "config.yml": "github-issue-config",
    GITHUB / "dependabot.yml": "dependabot",
    ROOT / ".readthedocs.yaml": "readthedocs",
}
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PYTHONS = [name.rpartition(" ")[2] for name in PROJECT["classifiers"] if re.search(r":: Python :: 3\.\d+$", name)]
PINNED = re.compile(r"[\w-]+/[\w-]+@(v\d+|release/v\d+)|\./\.github/[\w/.-]+")


@functools.cache
def _read(file: Path) -> Any:
    content = yaml.safe_load(file.read_text())
    if file in WORKFLOWS:
        content["on"] = content.pop(True)  # YAML 1.1 reads the key "on" as a boolean
    return content


def _jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for file in WORKFLOWS:
        for name, job in _read(file)["jobs"].items():
            yield file.stem, name, job


def _steps(job: dict[str, Any]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = job.get("steps", [])
    return steps


def _combinations(job: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Every combination of a job's matrix that runs."""
    matrix = dict(job.get("strategy", {}).get("matrix", {}))
    excluded = matrix.pop("exclude", [])
    for values in itertools.product(*matrix.values()):
        one = dict(zip(matrix, values, strict=True))
        if not any(left_out.items() <= one.items() for left_out in excluded):
            yield one


def _made(workflow: str) -> Iterator[tuple[str, ...]]:
    """The arguments of every ``make`` that a workflow runs."""
    for file, _, job in _jobs():
        for step, one in itertools.product(_steps(job), _combinations(job)):
            command = re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda found, one=one: one[found[1]], step.get("run", ""))
            if file == workflow and command.startswith("make "):
                yield tuple(shlex.split(command)[1:])


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", *arguments]
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}  # of `make wheel`
    return subprocess.run(command, cwd=ROOT, env=outside, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("file", SCHEMAS, ids=lambda file: file.name)
def test_a_file_keeps_to_the_public_schema_of_its_kind(file: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{SCHEMAS[file]}", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_no_file_for_github_goes_without_a_schema() -> None:
    assert {file for file in GITHUB.rglob("*") if file.suffix in (".yml", ".yaml")} <= set(SCHEMAS)


@pytest.mark.parametrize("workflow", ["ci", "release"])
def test_every_make_target_of_a_workflow_is_one_of_the_makefile(workflow: str) -> None:
    made = set(_made(workflow))

    assert made
    assert {arguments: done.stderr for arguments in made if (done := _make("--dry-run", *arguments)).returncode} == {}


def test_a_target_that_is_not_in_the_makefile_would_be_found() -> None:
    assert _make("--dry-run", "matrix-3.0").returncode != 0


def test_ci_makes_every_target_of_the_script_for_one_clone() -> None:
    targets = _make("ci-targets").stdout.split()

    assert {"check", "test"} < set(targets)
    assert set(targets) <= {arguments[0] for arguments in _made("ci")}


def _script(folder: Path, make: str) -> subprocess.CompletedProcess[str]:
    """Run the script with another program in the place of make."""
    program = folder / "make"
    program.write_text(f"#!/bin/sh\n{make}\n")
    program.chmod(0o755)
    variables = {"PATH": f"{folder}{os.pathsep}{os.defpath}"}
    return subprocess.run([ROOT / ".ci" / "run"], env=variables, capture_output=True, text=True, check=False)


def test_the_script_makes_the_targets_of_the_makefile_in_order(tmp_path: Path) -> None:
    done = _script(tmp_path, 'case "$*" in *ci-targets) echo check test;; *) echo "made $*";; esac')

    assert re.findall(r"^made (.+)$", done.stdout, re.MULTILINE) == ["check", "test"]
    assert done.returncode == 0


@pytest.mark.parametrize("failing", ["ci-targets", "test"])
def test_the_script_fails_where_make_fails(failing: str, tmp_path: Path) -> None:
    make = f'case "$*" in *{failing}) exit 2;; *ci-targets) echo check test docs;; *) echo "made $*";; esac'
    done = _script(tmp_path, make)

    assert done.returncode != 0
    assert "made docs" not in done.stdout


def test_ci_runs_every_line_on_every_python_but_the_one_pair_that_airflow_excludes() -> None:
    job = _read(GITHUB / "workflows" / "ci.yml")["jobs"]["airflow"]
    pairs = {(one["line"], one["python"]) for one in _combinations(job)}

    assert pairs == set(itertools.product(LINES, PYTHONS)) - {("2.11", "3.13")}


def test_the_release_tests_its_wheel_on_every_line() -> None:
    lines = [argument for arguments in _made("release") for argument in arguments if argument.startswith("LINES=")]

    assert lines == [f"LINES={line}" for line in LINES]


def test_the_tests_that_are_left_out_with_coverage_exist() -> None:
    named = re.findall(r"^  (tests/[\w/]+\.py)::(\w+)", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert named
    assert [test for file, test in named if f"def {test}(" not in (ROOT / file).read_text()] == []


def test_the_makefile_has_the_supported_lines() -> None:
    (line,) = re.findall(r"^LINES := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert tuple(line.split()) == LINES


def _named_paths() -> Iterator[str]:
    for file in (*WORKFLOWS, ACTION, ROOT / ".readthedocs.yaml"):
        text = re.sub(r"^\s*#.*", "", file.read_text(), flags=re.MULTILINE)
        yield from re.findall(r"(?<![\w/.])(?:\./)?(?:\.github|constraints|docs|tests)/[\w./*-]+", text)


def test_every_path_that_a_workflow_names_exists() -> None:
    named = set(_named_paths())

    assert {"./.github/actions/set-up", ".github/check_release.py", "constraints/*.txt"} <= named
    assert [path for path in named if not list(ROOT.glob(path.removeprefix("./")))] == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_may_read_the_code_and_nothing_more_and_does_not_overtake_itself(file: Path) -> None:
    workflow = _read(file)

    assert workflow["permissions"] == {"contents": "read"}
    assert "github.ref" in workflow["concurrency"]["group"]


def test_only_the_last_jobs_of_a_release_have_a_permission_to_write() -> None:
    granted = {(file, name): job["permissions"] for file, name, job in _jobs() if "permissions" in job}

    assert granted == {("release", "publish"): {"id-token": "write"}, ("release", "announce"): {"contents": "write"}}


def test_nothing_is_published_before_its_tests_and_an_approval() -> None:
    jobs = _read(GITHUB / "workflows" / "release.yml")["jobs"]

    assert set(jobs["publish"]["needs"]) == {"ci", "wheel"}
    assert jobs["wheel"]["needs"] == "build"
    assert jobs["publish"]["environment"]["name"] == "pypi"
    assert [step["run"] for step in jobs["build"]["steps"] if "run" in step][-1] == "make dist"


def test_every_action_is_pinned_to_a_major_version() -> None:
    used = [step["uses"] for _, _, job in _jobs() for step in _steps(job) if "uses" in step]
    used += [job["uses"] for _, _, job in _jobs() if "uses" in job]
    used += [step["uses"] for step in _read(ACTION)["runs"]["steps"]]

    assert [name for name in used if not PINNED.fullmatch(name)] == []


def test_every_job_ends_after_some_time() -> None:
    assert [name for _, name, job in _jobs() if "uses" not in job and "timeout-minutes" not in job] == []


def test_a_checkout_leaves_no_credentials_behind() -> None:
    kept = [
        name
        for _, name, job in _jobs()
        for step in _steps(job)
        if "actions/checkout" in step.get("uses", "") and step.get("with", {}).get("persist-credentials") is not False
    ]

    assert kept == []


def test_no_command_is_put_together_from_what_a_stranger_writes() -> None:
    # A title or branch that stands in a command is run by the shell. An environment variable is not.
    commands = [
        re.sub(r"\$\{\{ matrix\.\w+ \}\}", "", step.get("run", "")) for _, _, job in _jobs() for step in _steps(job)
    ]

    assert [command for command in commands if "${{" in command] == []


def test_the_job_that_sums_up_waits_for_all_others() -> None:
    jobs = _read(GITHUB / "workflows" / "ci.yml")["jobs"]

    assert set(jobs["passed"]["needs"]) == set(jobs) - {"passed"}


def _choices(form: str, field: str) -> list[str]:
    (found,) = (part for part in _read(FORMS / form)["body"] if part.get("id") == field)
    choices: list[str] = found["attributes"]["options"]
    return choices


def test_the_form_for_bugs_offers_the_supported_versions() -> None:
    assert sorted(_choices("bug_report.yml", "airflow")) == sorted(LINES)
    assert sorted(_choices("bug_report.yml", "python")) == sorted(PYTHONS)


def test_the_form_for_bugs_names_a_smoke_command_that_exists() -> None:
    named = re.findall(r"python -m ([\w.]+)", (FORMS / "bug_report.yml").read_text())

    assert named == ["airflow_provider_encord.smoke"]
    assert importlib.util.find_spec(f"{named[0]}.__main__")


def test_dependabot_updates_tools_that_this_project_declares_and_pins() -> None:
    updates = _read(GITHUB / "dependabot.yml")["updates"]
    (pip,) = (update for update in updates if update["package-ecosystem"] == "pip")
    names = {one["dependency-name"] for one in pip["allow"]}
    extras = PROJECT["optional-dependencies"]
    declared = {re.split(r"[\[<>=]", name)[0] for extra in ("dev", "docs", "test") for name in extras[extra]}
    pinned = {row.partition("==")[0] for row in (CONSTRAINTS / "airflow-3.3.txt").read_text().splitlines()}

    assert names <= declared & pinned
    assert set(pip["exclude-paths"]) == {file.name for file in CONSTRAINTS.glob("*.txt")} - {
        "airflow-3.3.txt",
        "emulator.txt",
    }


def test_the_hooks_run_programs_and_modules_of_this_project() -> None:
    (repository,) = _read(ROOT / ".pre-commit-config.yaml")["repos"]
    modules = [name for hook in repository["hooks"] for name in re.findall(r"-m ([\w.]+)", hook["entry"])]

    assert repository["repo"] == "local"
    assert {hook["language"] for hook in repository["hooks"]} == {"system"}
    assert {hook["entry"].split()[0] for hook in repository["hooks"]} == {
        ".venv/bin/ruff",
        ".venv/bin/mypy",
        ".venv/bin/python",
    }
    assert modules
    assert all(importlib.util.find_spec(module) for module in modules)


def test_the_documentation_is_built_from_pins_of_the_newest_line() -> None:
    assert f"constraints/airflow-{LINES[-1]}.txt" in (ROOT / ".readthedocs.yaml").read_text()
