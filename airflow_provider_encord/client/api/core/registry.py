"""The registry of operations. It maps the name of a recorded exchange, or of a documented operation, to its function.

The names are those of the recorded vectors, without their part in brackets. An operation may exist in v1 and in v2, so
the key is the name and the API version.
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

    :param name: The name in the vectors, such as ``"label_rows.list"``.
    :param api: ``"v1"`` or ``"v2"``.
    :param function: Makes the `Call`.
    """

    name: str
    api: str
    function: Callable[..., Call[Any]]


_OPERATIONS: dict[tuple[str, str], Operation] = {}


def operation(name: str, api: str) -> Callable[[Callable[P, Call[T]]], Callable[P, Call[T]]]:
    """Register a function that makes calls. Its calls get the name of the operation."""

    def register(function: Callable[P, Call[T]]) -> Callable[P, Call[T]]:
        @functools.wraps(function)
        def make(*args: P.args, **kwargs: P.kwargs) -> Call[T]:
            return dataclasses.replace(function(*args, **kwargs), operation=name)

        if (name, api) in _OPERATIONS:
            raise ValueError(f"Two operations are named {name} ({api}).")
        _OPERATIONS[name, api] = Operation(name, api, make)
        return make

    return register


def operations() -> dict[tuple[str, str], Operation]:
    """All operations by name and API version. Imports all modules of `client.api`, so that none is missing."""
    _import_all()
    return dict(_OPERATIONS)


@functools.cache
def _import_all() -> None:
    api = __package__.rpartition(".")[0]
    for module in pkgutil.walk_packages(importlib.import_module(api).__path__, f"{api}."):
        importlib.import_module(module.name)
