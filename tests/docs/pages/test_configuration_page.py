"""The page of the configuration is the one that its generator makes."""

from __future__ import annotations

from tests.docs.pages.configuration_page import PAGE, page


def test_the_page_is_what_the_options_say() -> None:
    assert PAGE.read_text() == page(), "make reference writes it"
