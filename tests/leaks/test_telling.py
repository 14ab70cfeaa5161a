"""What was said on purpose is taken out of a console that several processes write to."""

from __future__ import annotations

import pytest

from tests.leaks.telling import BEGINS, ENDS, without_said


def test_nothing_else_is_taken_out() -> None:
    assert without_said(f"a\n{BEGINS}one{ENDS}\nb {BEGINS}two\nthree{ENDS} c") == "a\n\nb  c"


def test_what_two_processes_say_at_once_is_taken_out_whole() -> None:
    console = ["before", f"{BEGINS}one", f"{BEGINS}three{ENDS}", "two" + ENDS, "after"]
    assert without_said("\n".join(console)) == "before\n\nafter"


def test_two_that_cross_are_taken_out_whole() -> None:
    console = ["before", f"{BEGINS}one", f"{BEGINS}three", "two" + ENDS, "four" + ENDS, "after"]
    assert without_said("\n".join(console)) == "before\n\nafter"


@pytest.mark.parametrize("console", [f"{BEGINS}one", f"one{ENDS}", f"{ENDS}{BEGINS}"])
def test_half_of_one_is_refused(console: str) -> None:
    with pytest.raises(ValueError, match=r"A secret ends|secrets begin"):
        without_said(console)
