"""Where pre-labels come from: files of JSON Lines, read line by line.

A line is a label row as an export has it, or the short form, which `build` describes. Either says which data unit it is
about.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.strict_json import RepeatedKeyError, loads
from airflow_provider_encord.packed_lines import DamagedFileError, lines_of
from airflow_provider_encord.storage_paths import StoragePath, is_local, storage_errors

SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst")
_OF_EXPORTS = re.compile(r"(listing|removed)(-[0-9a-f]{8})?\.jsonl\.gz")
"""Lists of rows beside the shards of an export; no labels."""


class Prelabel(msgspec.Struct, frozen=True, kw_only=True):
    """One line.

    :param place: File and line, for messages.
    :param content: The JSON object.
    :param problem: Why the line cannot be read, if it cannot.
    :param size: In bytes; 0 if it is not from a file.
    """

    place: str
    content: dict[str, Any]
    problem: str | None = None
    size: int = 0

    @property
    def annotations(self) -> int:
        """About how many it holds; of label rows, only what has answers is counted."""
        names = ("object_answers", "classification_answers") if self.is_label_row else ("objects", "classifications")
        parts = (self.content.get(name) for name in names)
        return sum(len(part) for part in parts if isinstance(part, list | dict))

    @property
    def is_label_row(self) -> bool:
        """Whether it is a label row as Encord has it, and not the short form."""
        return "data_units" in self.content


def prelabels_of(source: StoragePath, files: Sequence[StoragePath] | None = None) -> Iterator[Prelabel]:
    """The lines of a file, or of the files of a directory in the order of their names.

    :param files: Those of an export, if the source is one: it may have no lines.
    :raises InvalidArgumentError: There is no file, none has a line, or one is damaged.
    """
    empty = files is None
    for path in _files(source) if files is None else files:
        for prelabel in _prelabels(path):
            empty = False
            yield prelabel
    if empty:
        raise InvalidArgumentError(f"source: {source} is empty: it has no lines. Check the task that writes it.")


def require_apart(source: Any, report: Any) -> None:
    """Make sure that the report is not read as a part of the source.

    :raises InvalidArgumentError: It would be.
    """
    with storage_errors("source", source):
        place, target = _place(source), _place(report)
        inside = source.is_dir() and _place(report.parent) == place and report.name.endswith(SUFFIXES)
    if place == target or inside:
        raise InvalidArgumentError(
            f"report: {report} is among the files of the source {source}, and would be read as labels. Name a file "
            "in another directory."
        )


def _place(path: Any) -> tuple[str, str]:
    """The same for all spellings of a path."""
    protocol, plain = str(getattr(path, "protocol", "")), str(getattr(path, "path", None) or path)
    return ("", os.path.realpath(plain)) if is_local(path) else (protocol, plain.rstrip("/"))


def _files(source: StoragePath) -> list[StoragePath]:
    with storage_errors("source", source):
        if not source.is_dir():
            return [source]
        found = sorted((path for path in source.iterdir() if path.name.endswith(SUFFIXES)), key=lambda one: one.name)
    if not found:
        raise InvalidArgumentError(f"source: there is no file of {', '.join(SUFFIXES)} in {source}.")
    listed = next((path.name for path in found if _OF_EXPORTS.fullmatch(path.name)), None)
    if listed is not None:
        raise InvalidArgumentError(
            f"source: {source} has {listed} of an export and no manifest.json, which names the files of the export. "
            "Copy the whole export, or name the files."
        )
    return found


def _prelabels(path: StoragePath) -> Iterator[Prelabel]:
    try:
        for number, line in enumerate(lines_of(path, "source"), start=1):
            if line.strip():
                yield _prelabel(f"{path.name}, line {number}", line)
    except DamagedFileError as error:
        raise InvalidArgumentError(f"source: {error.message}") from None


def _prelabel(place: str, line: bytes) -> Prelabel:
    content: dict[str, Any] = {}
    problem = None
    try:
        content = msgspec.convert(loads(line), dict[str, Any])
    except RepeatedKeyError as error:
        problem = f"{error}. Remove one."
    except UnicodeDecodeError:
        problem = "it is not UTF-8."
    except RecursionError:
        problem = "it is nested too deeply."
    except msgspec.DecodeError as error:
        problem = f"it is not a JSON object: {error}."
    return Prelabel(place=place, content=content, problem=problem, size=len(line))
