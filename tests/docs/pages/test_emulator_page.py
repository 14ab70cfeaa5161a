"""The page of what the emulator serves is what its table says."""

from __future__ import annotations

from encord_emulator.routes import OPERATIONS
from tests.docs.pages.emulator_page import PAGE, page


def test_the_page_of_the_emulator_is_what_its_table_says() -> None:
    assert PAGE.read_text() == page(), "run `make reference`"


def test_the_page_has_a_row_for_every_operation() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert len(rows) == len(OPERATIONS) > 100
