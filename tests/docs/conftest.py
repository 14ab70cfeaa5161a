"""One emulator and one database of Airflow for all documents; each document has a person of its own on the emulator."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from encord_emulator.process import Emulator
from tests.airflow_layer.bench import Account
from tests.client.network import plain_network
from tests.docs.world import World
from tests.forks.shell import Commands, airflow_for_shells

__all__ = ["plain_network"]


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with Emulator.start() as emulator:
        yield emulator


@pytest.fixture(scope="package")
def dags_folder() -> Iterator[Path]:
    """Airflow's folder of DAGs, and its database. The folder is left as it was found."""
    from airflow.utils.db import initdb

    initdb()
    folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    found = folder.exists()
    folder.mkdir(exist_ok=True)
    yield folder
    if not found:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def airflow_commands() -> Iterator[Commands]:
    """The command ``airflow`` of blocks of bash."""
    with airflow_for_shells() as commands:
        yield commands


@pytest.fixture
def world(
    emulator: Emulator, tmp_path: Path, plain_network: None, dags_folder: Path, airflow_commands: Commands
) -> World:
    """What the blocks of a document find."""
    return World(Account(emulator), tmp_path, dags_folder, airflow_commands.bin)
