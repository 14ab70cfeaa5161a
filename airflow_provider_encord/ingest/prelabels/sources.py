"""Where pre-labels come from: files of JSON Lines, read line by line.

A line is a label row as an export has it, or the short form, which `build` describes. Either says which data unit it is
about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from airflow_provider_encord.client.errors import InvalidRequestError
from airflow_provider_encord.packed_lines import DamagedFileError, lines_of
from airflow_provider_encord.storage_paths import StoragePath, storage_errors

SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst")
_OF_EXPORTS = re.compile(
    r"(listing|left)(-[0-9a-f]{8})?\.jsonl\.gz"
)  # lists of rows beside the shards of an export; no labels


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
        found = (self.content.get(name) for name in names)
        return sum(len(one) for one in found if isinstance(one, list | dict))

    @property
    def is_label_row(self) -> bool:
        """Whether it is a label row as Encord has it, and not the short form."""
        return "data_units" in self.content


def prelabels_of(source: StoragePath) -> Iterator[Prelabel]:
    """The lines of a file, or of the files of a directory in the order of their names.

    :raises InvalidRequestError: There is no file, or it is damaged.
    """
    for path in _files(source):
        yield from _prelabels(path)


def _files(source: StoragePath) -> list[StoragePath]:
    with storage_errors("source", source):
        if not source.is_dir():
            return [source]
        found = sorted((one for one in source.iterdir() if one.name.endswith(SUFFIXES)), key=lambda one: one.name)
    if not found:
        raise InvalidRequestError(f"source: there is no file of {', '.join(SUFFIXES)} in {source}.")
    return [one for one in found if not _OF_EXPORTS.fullmatch(one.name)]


def _prelabels(path: StoragePath) -> Iterator[Prelabel]:
    try:
        for number, line in enumerate(lines_of(path, "source"), start=1):
            if line.strip():
                yield _prelabel(f"{path.name}, line {number}", line)
    except DamagedFileError as error:
        raise InvalidRequestError(f"source: {error.message}") from None


def _prelabel(place: str, line: bytes) -> Prelabel:
    try:
        return Prelabel(place=place, content=msgspec.json.decode(line, type=dict[str, Any]), size=len(line))
    except UnicodeDecodeError:
        problem = "it is not UTF-8."
    except RecursionError:
        problem = "it is nested too deeply."
    except msgspec.DecodeError as error:
        problem = f"it is not a JSON object: {error}."
    return Prelabel(place=place, content={}, problem=problem, size=len(line))
