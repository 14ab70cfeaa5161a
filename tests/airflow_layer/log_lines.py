"""What a test reads as logged: every line of a task from INFO on, once, wherever Airflow sends it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from tests.airflow_layer.lines import running_line


@pytest.fixture(autouse=True)
def log_lines_once() -> None:
    """Airflow 2.11 prints log lines of its own process: its import and its web app see to that, a migration undoes it.

    Tests that read both what is logged and what is printed would find a line once or twice, or, of INFO, not at all,
    depending on who came before.
    """
    root = logging.getLogger()
    for handler in [one for one in root.handlers if type(one).__name__ == "RedirectStdHandler"]:
        root.removeHandler(handler)
    for name in ("airflow.task", "airflow_provider_encord"):
        logging.getLogger(name).setLevel(logging.INFO)


@pytest.fixture
def logged(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """What was logged since the last call: Airflow 3 prints it outside of a task, Airflow 2.11 logs it as usual.

    Airflow 2.11 may print it as well, depending on which tests came before.
    """

    def text() -> str:
        printed = capfd.readouterr()
        recorded = caplog.text
        caplog.clear()
        places = [recorded] if running_line() == "2.11" else [printed.out, printed.err, recorded]
        return "\n".join(place for place in places if place)

    return text
