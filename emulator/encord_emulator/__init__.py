"""A local server that behaves like Encord, for tests, demos and DAG authors without an account.

It is not Encord and no part of Encord: it is a second, independent reading of the wire facts that the client holds as
well, and imports nothing of the client (nor Airflow). What it serves is one table, in
:mod:`encord_emulator.routes`; its own controls live under ``/_emulator/``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .process import Emulator, EmulatorError, SeededProject

__all__ = ["Emulator", "EmulatorError", "SeededProject"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import process  # here, as every pytest run in an environment with this package imports this one

    return getattr(process, name)
