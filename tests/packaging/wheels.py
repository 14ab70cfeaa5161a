"""What is in a wheel, and what its modules need from elsewhere."""

from __future__ import annotations

import ast
import email
import email.message
import re
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_BROUGHT_BY = {  # which requirement an import rests on, where the names differ
    "PIL": "pillow",
    "airflow": "apache-airflow",
    "urllib3": "requests",
}


def contents(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel, by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def metadata_of(files: Mapping[str, bytes]) -> email.message.Message:
    """What a wheel says of itself."""
    (name,) = (name for name in files if name.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(files[name])


def declared(folder: Path) -> dict[str, Any]:
    """What ``pyproject.toml`` says of the project."""
    project: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return project


def needed_by_module(files: Mapping[str, bytes], package: str) -> dict[str, set[str]]:
    """What each module of a package needs from elsewhere, by the requirement that must bring it.

    :param files: Of the wheel: contents, by name.
    """
    found: dict[str, set[str]] = {}
    for name, content in files.items():
        if not (name.startswith(f"{package}/") and name.endswith(".py")):
            continue
        for module in _imports(content):
            top = module.partition(".")[0]
            if top not in sys.stdlib_module_names | {package}:
                found.setdefault(name, set()).add(_BROUGHT_BY.get(top, top))
    return found


def required(requirements: Sequence[str]) -> set[str]:
    """The names in requirements."""
    return {re.split(r"[\[<>=!~; ]", requirement)[0] for requirement in requirements}


def _imports(source: bytes) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""
