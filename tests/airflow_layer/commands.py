"""Commands: of Airflow, in this process or as one of their own, and other programs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forks.client import Forks

ROOT = Path(__file__).parents[2]


def run_program(*command: str, **variables: str) -> str:
    """Run a program in the checkout; what it writes."""
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def airflow_command(*arguments: str, **variables: str) -> str:
    """Run ``airflow`` as a process of its own."""
    return run_program(str(Path(sys.executable).with_name("airflow")), *arguments, **variables)


def forked(forks: Forks, module: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a module as a program, in a fork that has Airflow imported already."""
    done = forks.run(module, arguments, environment={**os.environ, **variables}, directory=ROOT, seconds=180)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def airflow_in_process(*arguments: str) -> None:
    """Run ``airflow`` with these arguments, as its entry point does."""
    from airflow.__main__ import main

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["airflow", *arguments])
        main()  # type: ignore[no-untyped-call]
