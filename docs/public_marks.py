"""Marks each class and function of the API reference: where to import it from, or that it is internal.

A Sphinx extension. What is public stands in one table, `airflow_provider_encord.public`.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from typing import Any

from airflow_provider_encord.public import MODULES, PROVISIONAL

INTERNAL = "*Internal: may change in any version.*"
MAY_CHANGE = "*Provisional: may change in a minor version.*"
_MARKED = ("class", "exception", "function")


@functools.cache
def _homes() -> dict[int, str]:
    """The public module of each public class and function, by the id of the object."""
    found: dict[int, str] = {}
    for public in MODULES:
        module = importlib.import_module(public.path)
        found |= {id(getattr(module, name)): public.path for name in public.names}
    return found


def mark(what: str, documented: Any) -> str | None:
    """The mark of something that is documented.

    :param what: Its kind, as Sphinx calls it.
    :param documented: The module, class or function.
    :return: A line of reST; None for anything else.
    """
    if what == "module":
        return _mark_of_module(documented)
    if what not in _MARKED:
        return None
    home = _homes().get(id(documented))
    if home is not None:
        return f"*Import it from* ``{home}``."
    return MAY_CHANGE if _is_in(documented.__module__, PROVISIONAL) else INTERNAL


def _mark_of_module(module: Any) -> str | None:
    name = module.__name__
    own = (
        thing
        for thing in vars(module).values()
        if inspect.isclass(thing) or inspect.isfunction(thing)
    )
    has_public = any(
        thing.__module__ == name and id(thing) in _homes() for thing in own
    )
    if has_public or name in _homes().values():
        return None
    return MAY_CHANGE if _is_in(name, PROVISIONAL) else INTERNAL


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _add_mark(
    _app: Any,
    what: str,
    _name: str,
    documented: Any,
    options: Any,
    lines: list[str],
) -> None:
    text_alone = what == "module" and options.get(
        "no-members"
    )  # about a file format
    line = None if text_alone else mark(what, documented)
    if line is not None:
        lines[:0] = [line, ""]


def setup(app: Any) -> dict[str, Any]:
    """Register the extension."""
    app.connect("autodoc-process-docstring", _add_mark)
    return {"parallel_read_safe": True}
