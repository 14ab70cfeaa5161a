"""Fault 8.4: the demo runs in any directory, writes nowhere else, and ends with a message instead of a traceback."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import CHECKOUT

pytestmark = [pytest.mark.airflow, pytest.mark.system]
MADE_BY_MAKE = shutil.ignore_patterns(".git", ".venv*", ".work", ".*_cache", "__pycache__", "build", "dist")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the checkout whose path has a space and an accent, with the environments of this one."""
    if not (CHECKOUT / ".venvs/emulator").exists():
        pytest.skip("The emulator's environment is missing; `make test` makes it.")
    copy = tmp_path / "a b é" / "checkout"
    shutil.copytree(CHECKOUT, copy, ignore=MADE_BY_MAKE)
    (copy / ".venvs").symlink_to(CHECKOUT / ".venvs")
    return copy


def _start(checkout: Path) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTEST"))}
    return subprocess.Popen(
        [sys.executable, "-m", "demo"],
        cwd=checkout,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=kept,
        start_new_session=True,
        preexec_fn=_heed_ctrl_c,
    )


def _heed_ctrl_c() -> None:
    """In the new process: what a shell starts in the background ignores Ctrl-C, and so does all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_the_demo_runs_in_a_path_with_a_space_and_an_accent_and_writes_nowhere_else(checkout: Path) -> None:
    output, errors = (demo := _start(checkout)).communicate(timeout=280)
    assert demo.returncode == 0, errors
    assert "takes about" in output.splitlines()[0]
    assert "9 exported with the SSH key, 9 with the API key" in output
    assert [path.name for path in checkout.parents[1].iterdir()] == ["a b é"]
    assert [path.name for path in checkout.parent.iterdir()] == ["checkout"]


def test_ctrl_c_ends_the_demo_without_a_traceback(checkout: Path) -> None:
    demo = _start(checkout)
    assert demo.stdout is not None
    assert "takes about" in demo.stdout.readline()
    assert "The emulator listens" in demo.stdout.readline()
    os.killpg(demo.pid, signal.SIGINT)
    _, errors = demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert errors.strip() == "The demo was stopped."


def test_a_work_directory_that_cannot_be_written_is_named(checkout: Path) -> None:
    (checkout / ".work").write_text("a file")
    _, errors = (demo := _start(checkout)).communicate(timeout=60)
    assert demo.returncode == 1
    (line,) = errors.splitlines()
    assert ".work" in line
