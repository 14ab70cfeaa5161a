"""The page "Encord", which Airflow shows in a frame, and what axe finds in a page."""

from __future__ import annotations

import importlib.resources

from playwright.sync_api import Frame, Page, expect

AXE = "async () => (await axe.run()).violations.map(one => [one.id, one.nodes.map(node => node.html)])"


def open_by_menu(page: Page, airflow: str) -> Frame:
    """Find the page as a person does.

    :param airflow: Address of Airflow's web interface.
    """
    page.goto(airflow)
    page.get_by_role("button", name="Browse").first.click()
    page.get_by_role("menuitem", name="Encord").first.click()
    return framed(page)


def framed(page: Page) -> Frame:
    """What is in the frame of Airflow's page, once it is there."""
    shown = page.frame_locator("iframe[title='Encord']").get_by_role("heading", level=1)
    expect(shown).to_be_visible()
    (frame,) = [one for one in page.frames[1:] if "/encord-projects/" in one.url]
    return frame


def assert_accessible(frame: Frame) -> None:
    frame.evaluate(importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text())
    assert frame.evaluate(AXE) == []
