"""What a test reads as logged is not printed as well."""

from __future__ import annotations

import logging

import pytest


@pytest.fixture(autouse=True)
def log_lines_once() -> None:
    """Airflow 2.11 prints log lines of its own process: its import and its web app see to that, a migration undoes it.

    Tests that read both what is logged and what is printed would find a line once or twice, depending on who came
    before.
    """
    root = logging.getLogger()
    for handler in [one for one in root.handlers if type(one).__name__ == "RedirectStdHandler"]:
        root.removeHandler(handler)
