"""A fresh emulator for each test, and a person with a key who may use it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from encord_emulator.process import Emulator
from tests.emulator.callers import Person

OWNER = "owner@example.com"


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
