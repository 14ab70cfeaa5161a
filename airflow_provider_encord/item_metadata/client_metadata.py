"""Reading the client metadata of files: from a mapping, from a sidecar file of each file, or from one file for all.

Metadata is assigned by URI or title of the unit. One file for all files is JSON (``{"a.png": {...}}``), JSON Lines or
CSV. In JSON Lines and CSV, each line names its file in ``source`` or ``title``, and all other fields are the metadata.
Empty cells of CSV are ignored.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.plain_json import plain_json, same_json
from airflow_provider_encord.sources import rows
from airflow_provider_encord.sources.files import SourceFile, composed
from airflow_provider_encord.storage_paths import storage_errors

log = logging.getLogger(__name__)

SIDECAR = "sidecar"
_NAMED = 5  # how many names without a file the log shows
_NAMES = ("source", "title")
ClientMetadata: TypeAlias = Mapping[str, Mapping[str, Any]] | str


def add_client_metadata(
    files: Sequence[SourceFile], what: ClientMetadata | None, open_uri: Callable[[str], Any]
) -> list[SourceFile]:
    """Add client metadata to the files. Files without metadata are returned unchanged.

    :param what: A mapping from URI or title to metadata; ``"sidecar"`` for a JSON file in the same directory with the
        name of the file and ``.json`` added; or the path or URI of one file for all files.
    :param open_uri: Makes a path object from a path or URI.
    :raises InvalidArgumentError: The metadata cannot be read, is not valid, or matches none of the files. The message
        names file and line.
    """
    if what is None:
        return list(files)
    if what == SIDECAR:
        return [_with(file, _sidecar(file)) for file in files]
    table = _by_composed_name(read_table(what, open_uri, "client_metadata"))
    used = {composed(name) for file in files for name in (file.uri, file.title)} & table.keys()
    if table and files and not used:
        raise InvalidArgumentError(
            f"client_metadata: none of its {len(table)} names, such as {str(next(iter(table)))[:80]!r}, is the title "
            f"or URI of a file, such as {files[0].title[:80]!r}. Correct the names, or leave client_metadata out."
        )
    if unused := [name for name in table if name not in used]:
        log.warning(
            "client_metadata: %d of its %d names match no file of source, such as %s.",
            len(unused),
            len(table),
            ", ".join(repr(name[:80]) for name in unused[:_NAMED]),
        )
    return [_with(file, table.get(composed(file.uri), table.get(composed(file.title)))) for file in files]


def _by_composed_name(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The table with its names in the composed Unicode form (NFC), because macOS writes file names decomposed."""
    found: dict[str, Mapping[str, Any]] = {}
    for name, value in table.items():
        key = composed(str(name))
        if key in found and not same_json(found[key], value):
            raise InvalidArgumentError(
                f"client_metadata: {key[:80]!r} is there twice, in composed and decomposed Unicode form, with "
                "different metadata. Keep one."
            )
        found[key] = value
    return found


def read_table(
    what: Mapping[str, Any] | str, open_uri: Callable[[str], Any], argument: str
) -> Mapping[str, Mapping[str, Any]]:
    """Read metadata by name from a dictionary or a file.

    :param argument: Name of the argument, for messages.
    :raises InvalidArgumentError: The metadata cannot be read, or is not valid.
    """
    table = what if isinstance(what, Mapping) else _table(str(what), open_uri, argument)
    unfit = next((name for name, value in table.items() if not isinstance(value, Mapping)), None)
    if unfit is not None:
        raise InvalidArgumentError(f"{argument}: the metadata of {str(unfit)[:200]!r} is not a dictionary.")
    return table


def _with(file: SourceFile, known: Mapping[str, Any] | None) -> SourceFile:
    if known is None:
        return file
    return dataclasses.replace(file, client_metadata=plain_json(known, f"client_metadata of {file.title[:80]!r}"))


def _sidecar(file: SourceFile) -> Mapping[str, Any] | None:
    path = file.files[0].path
    beside = path.parent / (path.name + ".json")
    with storage_errors("client_metadata", beside):
        if not beside.exists():
            return None
    return rows.require_object(rows.json_whole(beside, "client_metadata"), f"client_metadata: {beside}")


def _table(uri: str, open_uri: Callable[[str], Any], argument: str) -> dict[str, Mapping[str, Any]]:
    path, where = open_uri(uri), f"{argument}: {uri}"
    suffix = rows.format_of(uri)
    if suffix == rows.JSON:
        return dict(rows.require_object(rows.json_whole(path, argument), where))
    if suffix in rows.JSON_LINES:
        lines = rows.json_lines(path, argument)
    elif suffix == rows.CSV:
        lines = rows.csv_rows(path, argument)
    else:
        raise InvalidArgumentError(
            f"{where} is neither .json, .jsonl nor .csv. Pass such a file, or 'sidecar' for one JSON file per file."
        )
    table: dict[str, Mapping[str, Any]] = {}
    for line in lines:
        place = f"{where}, {line.where}"
        name, metadata = _named(dict(rows.require_object(line.fields, place)), place)
        if name in table and not same_json(table[name], metadata):
            raise InvalidArgumentError(f"{place}: {name[:200]!r} is there a second time, with different metadata.")
        table[name] = metadata
    return table


def _named(line: dict[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    given = [line.pop(name, None) for name in _NAMES]
    names = [name for name in given if name is not None and name != ""]
    if not names:
        raise InvalidArgumentError(f"{where} names no file. Add a field 'source' or 'title'.")
    if not isinstance(names[0], str):
        raise InvalidArgumentError(f"{where}: the name of the file is not text.")
    return names[0], line
