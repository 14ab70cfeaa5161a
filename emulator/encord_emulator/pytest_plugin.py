"""The pytest fixture ``encord_emulator``: a fresh emulator for one test, as a process of its own.

Every pytest run in an environment with this package imports this module, so it imports nothing else when it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .process import Emulator


@pytest.fixture
def encord_emulator() -> Iterator[Emulator]:
    """A running emulator with nothing in it; see :class:`encord_emulator.process.Emulator`.

    The interpreter is the one that runs the tests, or the one that the variable ``ENCORD_EMULATOR_PYTHON`` names.
    If what the emulator depends on is missing there, the test fails and says so. Other tests never notice.
    """
    from .process import Emulator, EmulatorError

    try:
        emulator = Emulator.start()
    except EmulatorError as problem:
        pytest.fail(str(problem), pytrace=False)
    with emulator:
        yield emulator
