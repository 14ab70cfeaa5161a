"""A fresh emulator for each test, and a person with a key who may use it.

Each is a fork of a process that has imported the emulator: several hundred starts would take longer than the tests.
`test_process.py` starts it as users do, and tests/packaging tries the fixture of the package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from encord_emulator.process import Emulator
from tests.emulator.callers import Person
from tests.forks.client import Forks
from tests.forks.emulators import fresh_emulator

OWNER = "owner@example.com"


@pytest.fixture
def encord_emulator(emulator_forks: Forks) -> Iterator[Emulator]:
    with fresh_emulator(emulator_forks) as emulator:
        yield emulator


@pytest.fixture
def newcomer(encord_emulator: Emulator) -> Callable[[str], Person]:
    """Makes people whom the emulator knows."""

    def make(email: str) -> Person:
        person = Person(encord_emulator.url, email)
        encord_emulator.authorize(person.public_key, email=email)
        return person

    return make


@pytest.fixture
def owner(newcomer: Callable[[str], Person]) -> Person:
    return newcomer(OWNER)
