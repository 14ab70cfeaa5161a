"""Every report and every manifest that a test leaves behind is checked against the JSON Schemas of the package.

A file that our own classes cannot read was damaged on purpose, and is left out. All others must fit.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

_MOST_LINES = 50  # of a file; the lines of one file are written by one class


_FEW_VALUES = ("operation", "outcome")  # the only fields of which the schema of reports lists the values
_KNOWN: dict[Any, list[str]] = {}
"""The errors of lines, by their form."""


def misfits(directory: Path) -> list[str]:
    """The files below a directory that do not fit the schema."""
    found = [*_of_manifests(directory), *_of_reports(directory)]
    return [f"{path}: {error}" for path, error in found]


def _of_manifests(directory: Path) -> Iterator[tuple[Path, str]]:
    from tests.docs.schemas import MANIFESTS

    for path in directory.rglob("manifest.json"):
        if _is_of(path.read_bytes(), "kind", MANIFESTS):
            yield from ((path, error) for error in _errors("manifest", path.read_bytes()))


def _of_reports(directory: Path) -> Iterator[tuple[Path, str]]:
    from tests.docs.schemas import REPORTS

    for path in directory.rglob("*.jsonl"):
        if path.is_dir():
            continue
        with path.open("rb") as file:
            lines = [line for line, _ in zip(file, range(_MOST_LINES), strict=False)]
        for line in lines:
            if _is_of(line, "operation", REPORTS):
                yield from ((path, error) for error in _errors_of_line(json.loads(line)))


def _is_of(content: bytes, tag: str, kinds: dict[str, type[msgspec.Struct]]) -> bool:
    try:
        read = json.loads(content)
        kind = kinds.get(read[tag])
        return kind is not None and bool(msgspec.convert(read, kind))
    except (ValueError, LookupError, TypeError, RecursionError, msgspec.MsgspecError):
        return False


def _form(value: Any) -> Any:
    """What a schema of reports looks at: names, types, and the values of the fields that have few."""
    if isinstance(value, dict):
        return tuple((name, field if name in _FEW_VALUES else _form(field)) for name, field in sorted(value.items()))
    return frozenset(map(_form, value)) if isinstance(value, list) else type(value)


def _errors_of_line(line: Any) -> list[str]:
    """Lines of one form fit the schema, or not, for the same reasons; a test run has very many lines, and few forms."""
    form = _form(line)
    if form not in _KNOWN:
        _KNOWN[form] = [error.message for error in _validator("report").iter_errors(line)]
    return _KNOWN[form]


def _errors(name: str, content: bytes) -> list[str]:
    return [error.message for error in _validator(name).iter_errors(json.loads(content))]


@functools.cache
def _validator(name: str) -> Any:
    import jsonschema

    from airflow_provider_encord.schemas import read_schema

    return jsonschema.Draft202012Validator(json.loads(read_schema(name)))
