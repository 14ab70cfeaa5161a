"""Every operation by its name: the way from a recorded exchange, or a page of documentation, to the function.

Names are those of the recorded vectors, without what stands in brackets there. One name may have two wire forms, v1 and
v2; together they are the key.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from airflow_provider_encord.client.call import Call

P = ParamSpec("P")
T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """A registered operation.

    :param name: As in the vectors: ``"label_rows.list"``.
    :param api: ``"v1"`` or ``"v2"``.
    :param function: Makes the `Call`.
    """

    name: str
    api: str
    function: Callable[..., Call[Any]]


_OPERATIONS: dict[tuple[str, str], Operation] = {}


def operation(name: str, api: str) -> Callable[[Callable[P, Call[T]]], Callable[P, Call[T]]]:
    """Register a function that makes calls; its calls carry the name."""

    def register(function: Callable[P, Call[T]]) -> Callable[P, Call[T]]:
        @functools.wraps(function)
        def make(*args: P.args, **kwargs: P.kwargs) -> Call[T]:
            return dataclasses.replace(function(*args, **kwargs), operation=name)

        if (name, api) in _OPERATIONS:
            raise ValueError(f"Two operations are called {name} ({api}).")
        _OPERATIONS[name, api] = Operation(name, api, make)
        return make

    return register


def operations() -> dict[tuple[str, str], Operation]:
    """All operations, keyed by name and API. Imports every module of this package, so that none is missing."""
    package = importlib.import_module(__package__)
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{__package__}.{module.name}")
    return dict(_OPERATIONS)
