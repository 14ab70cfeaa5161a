"""Sources with a small file for each image or frame: what all files of a data unit say becomes one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from airflow_provider_encord.prelabels.forms.converting import Converter
from airflow_provider_encord.prelabels.forms.files import contents_of
from airflow_provider_encord.prelabels.forms.items import Entry
from airflow_provider_encord.prelabels.forms.names import Spot
from airflow_provider_encord.prelabels.forms.units import Units
from airflow_provider_encord.prelabels.sources import Prelabel
from airflow_provider_encord.storage_paths import StoragePath

NamedFile: TypeAlias = tuple[str, StoragePath]
"""The name of a file in its source, and its path."""


def lines_of_small_files(
    files: Iterable[NamedFile],
    find: Callable[[NamedFile], Spot],
    entries_of: Callable[[str, bytes, Spot], Iterable[Entry]],
    converter: Converter,
) -> Iterator[Prelabel]:
    """A line for each data unit, after the lines about files whose data unit is not found.

    :param find: Finds the data unit of a file; raises `WrongLabelsError`.
    :param entries_of: Reads the content of a file.
    """
    units = Units(files, find, lambda file: file[0])
    yield from units.wrong
    contents = contents_of(path for _, parts in units for (_, path), _ in parts)
    for place, parts in units:
        entries: list[Entry] = []
        size = 0
        for (name, _), spot in parts:
            content = next(contents)
            size += len(content)
            entries += entries_of(name, content, spot)
        yield converter.line(place, parts[0][1].row, entries, size=size)
