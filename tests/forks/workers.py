"""Functions that run in a process of their own, to be killed.

Each process is a fork of one that has imported Airflow and our operators, once for all. It is never a fork of the
test's own process: that has threads.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from typing import Any

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "tests.moves.attempts",
        "airflow_provider_encord.operators.labels",
        "airflow_provider_encord.operators.storage",
        "airflow_provider_encord.operators.media",
        "airflow_provider_encord.operators.training",
        "airflow_provider_encord.hooks.encord",
        "airflow_provider_encord.client.client",
    ]
)


def start_worker(work: Callable[..., None], *arguments: Any) -> BaseProcess:
    """Run a function of a module with the environment of the test; what it prints is not shown.

    :param arguments: What can be pickled, and ends of pipes.
    """
    process = FORKS.Process(target=_run, args=(dict(os.environ), work, arguments))
    process.start()
    return process


def _run(environment: Mapping[str, str], work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    os.environ.clear()
    os.environ.update(environment)
    work(*arguments)
