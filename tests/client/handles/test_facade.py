"""The facade `airflow_provider_encord.client`: complete, cheap to import, and the same for type checkers."""

from __future__ import annotations

import ast
import collections.abc
import importlib
import inspect
import pkgutil
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import encord_emulator
from airflow_provider_encord import client
from airflow_provider_encord.client import errors

PREFIX = f"{client.__name__}."
INTERNAL = {
    # what calls and flows are made of
    "Envelope", "Request", "ItemStream", "Transfer", "Writer", "Pause", "Gather", "Now",
    # tables that classes of handles carry
    "GroupCalls", "MemberCalls",
    # steps of an upload
    "SignedUrl",
}  # fmt: skip


@pytest.mark.parametrize("package", [client, encord_emulator], ids=lambda one: one.__name__)
def test_type_checkers_see_the_names_that_can_be_imported(package: Any) -> None:
    tree = ast.parse(Path(package.__file__).read_text())
    (checked,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = [alias.name for node in checked.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(seen) == sorted(package.__all__)
    for node in checked.body:
        assert isinstance(node, ast.ImportFrom)
        module = importlib.import_module("." * node.level + (node.module or ""), package.__name__)
        for alias in node.names:
            assert getattr(package, alias.name) is getattr(module, alias.name)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = package.nothing


def test_importing_the_facade_loads_no_module_but_itself() -> None:
    program = (
        "import sys; before = {*sys.modules}; from airflow_provider_encord import client\n"
        "print(*sorted(name for name in {*sys.modules} - before if name.startswith('airflow_provider_encord')))\n"
        "print(*sorted({'requests', 'httpx', 'msgspec', 'cryptography', 'airflow'} & {*sys.modules}))\n"
        "from airflow_provider_encord.client import NotFoundError\n"
        "print(*sorted({'requests', 'httpx', 'msgspec', 'cryptography', 'airflow'} & {*sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split("\n")[:3] == ["airflow_provider_encord airflow_provider_encord.client", "", ""]


def test_the_facade_lists_its_names() -> None:
    assert set(client.__all__) <= set(dir(client))


def test_all_errors_are_exported() -> None:
    defined = {name for name, one in vars(errors).items() if inspect.isclass(one) and issubclass(one, Exception)}
    assert defined
    assert defined <= set(client.__all__)


def test_every_class_that_a_public_method_takes_or_returns_is_exported() -> None:
    modules = [importlib.import_module(one.name) for one in pkgutil.walk_packages(client.__path__, PREFIX)]
    names = {**vars(typing), **vars(collections.abc)}
    for module in modules:
        names |= {name: one for name, one in vars(module).items() if not name.startswith("__")}
    reached = {name: getattr(client, name) for name in client.__all__}
    waiting = [value for value in reached.values() if inspect.isclass(value)]
    while waiting:
        for one in _classes_of(waiting.pop(), names):
            if one.__name__ not in reached:
                reached[one.__name__] = one
                if one.__name__ not in INTERNAL:
                    waiting.append(one)
    assert len(reached) > 100
    missing = {name for name in reached if not name.startswith("_")} - set(client.__all__)
    assert missing == INTERNAL & missing


def _classes_of(class_: type, names: dict[str, Any]) -> Iterator[type]:
    """Our classes in the annotations of a class's fields and public methods."""
    public = [inspect.getattr_static(class_, name) for name in dir(class_) if not name.startswith("_")]
    functions = [getattr(one, "fget", None) or getattr(one, "__func__", one) for one in public]
    ours = [
        function for function in functions if inspect.isfunction(function) and function.__module__.startswith(PREFIX)
    ]
    for one in (class_, *ours):
        if not one.__module__.startswith(PREFIX):
            continue
        known = {**names, **vars(sys.modules[one.__module__])}
        for name, hint in typing.get_type_hints(one, globalns=known, localns=names).items():
            if not name.startswith("_"):
                yield from _ours_in(hint)


def _ours_in(hint: Any) -> Iterator[type]:
    for inner in typing.get_args(hint):
        yield from _ours_in(inner)
    origin = typing.get_origin(hint) or hint
    if inspect.isclass(origin) and origin.__module__.startswith(PREFIX):
        yield origin
