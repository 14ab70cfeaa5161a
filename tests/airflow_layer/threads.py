"""Operators executed in threads of a test, as two workers would at the same time."""

from __future__ import annotations

import threading

import pytest

from tests.airflow_layer.lines import running_line


class _Callers(threading.local):
    """What Airflow 2.11 keeps of calls of `execute`, which by itself only the main thread has."""

    def __init__(self) -> None:
        self.callers: dict[str, str] = {}


@pytest.fixture(scope="session", autouse=True)
def _threads_may_execute() -> None:
    if running_line() == "2.11":
        from airflow.models.baseoperator import ExecutorSafeguard

        ExecutorSafeguard._sentinel = _Callers()
