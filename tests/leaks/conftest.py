"""A deployment that ran every example, and DAGs that do their best to give secrets away; once for all tests here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from encord_emulator.process import PYTHON_VARIABLE, Emulator
from tests.deployment.polling import poll
from tests.deployment.processes import Deployment
from tests.leaks.remains import Remains, Run

CHECKOUT = Path(__file__).parents[2]


@contextmanager
def logged_emulator(folder: Path) -> Iterator[Emulator]:
    """An emulator whose database and output stay."""
    command = [os.environ.get(PYTHON_VARIABLE) or sys.executable, "-m", "encord_emulator"]
    output = folder / "emulator.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [*command, "serve", "--port", "0", "--db", str(folder / "emulator.db")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"},
        )
    try:
        ready = "encord-emulator listening on "
        line = poll(lambda: next((one for one in output.read_text().splitlines() if ready in one), None), ready, 60)
        yield Emulator(line.partition(ready)[2].strip())
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def remains(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remains]:
    """What such a deployment left behind. It has ended; the emulator has not."""
    folder = tmp_path_factory.mktemp("leaks")
    dags = folder / "dags"
    shutil.copytree(CHECKOUT / "example_dags", dags, ignore=shutil.ignore_patterns("__pycache__"))
    for file in Path(__file__).with_name("dags").glob("*.py"):
        shutil.copy(file, dags)
    fernet_key = Fernet.generate_key().decode()
    with logged_emulator(folder) as emulator:
        run = Run(folder, emulator, fernet_key)
        environment = {
            **run.connections.in_environment(),
            "AIRFLOW__CORE__FERNET_KEY": fernet_key,
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",  # what is logged on no other level is searched too
            # Airflow's five seconds are too few for two cores that run six processes.
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/home/airflow.db?timeout=60",
            "PYTHONPATH": str(CHECKOUT),
        }
        python = Path(sys.executable)
        with Deployment(python=python, home=folder / "home", dags=dags, environment=environment) as deployment:
            run.go(deployment)
        yield run.remains()
