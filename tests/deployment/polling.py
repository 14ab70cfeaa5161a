"""Waiting for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class DeploymentError(AssertionError):
    """The deployment did not do what it was asked; the message ends with what it said last."""


def poll(look: Callable[[], T | None], what: str, seconds: float, every: float = 0.5) -> T:
    """Look again and again, until there is something.

    :param look: Gives None while there is nothing.
    :param what: What is awaited, for the error.
    :param seconds: For how long.
    :param every: Seconds between two looks.
    :raises DeploymentError: There was nothing in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        if (seen := look()) is not None:
            return seen
        if time.monotonic() > deadline:
            raise DeploymentError(f"Waited {seconds} s in vain: {what}.")
        time.sleep(every)
