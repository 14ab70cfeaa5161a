"""Reading pre-labels from JSON Lines files, line by line.

A line is a label row as in an export, or has the short form that `build` describes. Both contain the data unit.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.labels import LabelRowMetadata
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.strict_json import RepeatedKeyError, loads
from airflow_provider_encord.fresh_listings import forget_listing
from airflow_provider_encord.packed_lines import DamagedFileError, lines_of
from airflow_provider_encord.prelabels.features import Features
from airflow_provider_encord.storage_paths import StoragePath, is_local, storage_errors

SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst")
_OF_EXPORTS = re.compile(r"(listing|removed)(-[0-9a-f]{8})?\.jsonl\.gz")
"""Files in an export that list rows and contain no labels."""


class Prelabel(msgspec.Struct, frozen=True, kw_only=True):
    """One line.

    :param place: File and line, for messages.
    :param content: The JSON object.
    :param problem: Why the line cannot be read; None if it can.
    :param size: Size in bytes; 0 if it is not from a file.
    :param row: The row, if what reads the source has found it; otherwise it is looked up.
    :param dropped: Number of annotations of the source that are not in the content, by reason.
    :param unknown_classes: Number of annotations by class, for classes without a feature. Then the line is wrong.
    """

    place: str
    content: dict[str, Any]
    problem: str | None = None
    size: int = 0
    row: LabelRowMetadata | None = None
    dropped: Mapping[str, int] = {}
    unknown_classes: Mapping[str, int] = {}

    @property
    def annotations(self) -> int:
        """The approximate number of annotations. In label rows, only annotations with answers are counted."""
        names = ("object_answers", "classification_answers") if self.is_label_row else ("objects", "classifications")
        parts = (self.content.get(name) for name in names)
        return sum(len(part) for part in parts if isinstance(part, list | dict))

    @property
    def is_label_row(self) -> bool:
        """Whether it is a label row in Encord's format, and not the short form."""
        return "data_units" in self.content


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What the labels are for.

    :param rows: The label rows of the project.
    :param features: The ontology of the project.
    """

    rows: Sequence[LabelRowMetadata]
    features: Features


def prelabels_of(source: StoragePath, files: Sequence[StoragePath] | None = None) -> Iterator[Prelabel]:
    """The lines of a file, or of the files of a directory in the order of their names.

    :param files: The files of an export, if the source is an export. They may have no lines.
    :raises InvalidArgumentError: There are no files, the files have no lines, or a file is damaged.
    """
    empty = files is None
    for path in _files(source) if files is None else files:
        for prelabel in _prelabels(path):
            empty = False
            yield prelabel
    if empty:
        raise InvalidArgumentError(f"source: {source} has no lines. Check the task that writes it.")


def require_apart(source: Any, report: Any, *, suffixes: tuple[str, ...] = SUFFIXES) -> None:
    """Check that the report is not one of the files of the source.

    :param suffixes: The files of a directory that are read.
    :raises InvalidArgumentError: It is one of them.
    """
    with storage_errors("source", source):
        place, target = _place(source), _place(report)
        inside = source.is_dir() and _place(report.parent) == place and report.name.endswith(suffixes)
    if place == target or inside:
        raise InvalidArgumentError(
            f"report: {report} is one of the files of the source {source}, so it would be read as labels. Use a "
            "file in another directory."
        )


def _place(path: Any) -> tuple[str, str]:
    """A value that is the same for all spellings of a path."""
    protocol, plain = str(getattr(path, "protocol", "")), str(getattr(path, "path", None) or path)
    return ("", os.path.realpath(plain)) if is_local(path) else (protocol, plain.rstrip("/"))


def _files(source: StoragePath) -> list[StoragePath]:
    with storage_errors("source", source):
        forget_listing(source)
        if not source.is_dir():
            return [source]
        found = sorted((path for path in source.iterdir() if path.name.endswith(SUFFIXES)), key=lambda path: path.name)
    if not found:
        raise InvalidArgumentError(f"source: {source} contains no file with a suffix of {', '.join(SUFFIXES)}.")
    listed = next((path.name for path in found if _OF_EXPORTS.fullmatch(path.name)), None)
    if listed is not None:
        raise InvalidArgumentError(
            f"source: {source} has {listed} of an export but no manifest.json, which lists the files of the export. "
            "Copy the whole export, or pass the files."
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
        problem = f"{error}. Remove one of them."
    except UnicodeDecodeError:
        problem = "it is not UTF-8."
    except RecursionError:
        problem = "it is nested too deeply."
    except msgspec.DecodeError as error:
        problem = f"it is not a JSON object: {error}."
    return Prelabel(place=place, content=content, problem=problem, size=len(line))
