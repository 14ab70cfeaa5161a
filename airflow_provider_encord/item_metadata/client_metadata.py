"""The user's own data about each file: from a mapping, from a file beside it, or from one file about all.

A unit is found by its URI, or by its title. One file about all is JSON (``{"a.png": {...}}``), JSON Lines or CSV; in
the latter two each line names its file in ``source`` or ``title``, and all other columns are the metadata; an empty
cell of CSV is left out.
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
_NAMED = 5  # names that fit no file, in the log
_NAMES = ("source", "title")
ClientMetadata: TypeAlias = Mapping[str, Mapping[str, Any]] | str


def add_client_metadata(
    files: Sequence[SourceFile], what: ClientMetadata | None, open_uri: Callable[[str], Any]
) -> list[SourceFile]:
    """The files, each with what is known of it; those of which nothing is known stay as they are.

    :param what: A mapping of URI or title to metadata; ``"sidecar"`` for a JSON file beside each, of its name with
        ``.json`` after it; or the path or URI of one file about all.
    :param open_uri: Makes a path object of a path or URI.
    :raises InvalidArgumentError: It cannot be read, is not what is expected, or is about none of the files; the message
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
            "client_metadata: %d of its %d names fit no file of source, such as %s.",
            len(unused),
            len(table),
            ", ".join(repr(name[:80]) for name in unused[:_NAMED]),
        )
    return [_with(file, table.get(composed(file.uri), table.get(composed(file.title)))) for file in files]


def _by_composed_name(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The table with its names composed: macOS writes names of files decomposed."""
    found: dict[str, Mapping[str, Any]] = {}
    for name, value in table.items():
        key = composed(str(name))
        if key in found and not same_json(found[key], value):
            raise InvalidArgumentError(
                f"client_metadata: {key[:80]!r} is named twice, composed and decomposed, with other metadata. Keep one."
            )
        found[key] = value
    return found


def read_table(
    what: Mapping[str, Any] | str, open_uri: Callable[[str], Any], argument: str
) -> Mapping[str, Mapping[str, Any]]:
    """Metadata by name, from a dictionary or a file.

    :param argument: What it comes from; for messages.
    :raises InvalidArgumentError: It cannot be read, or is not what is expected.
    """
    table = what if isinstance(what, Mapping) else _table(str(what), open_uri, argument)
    unfit = next((name for name, value in table.items() if not isinstance(value, Mapping)), None)
    if unfit is not None:
        raise InvalidArgumentError(f"{argument}: that of {str(unfit)[:200]!r} must be a dictionary.")
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
            f"{where} is neither .json, .jsonl nor .csv; or write 'sidecar' for a file beside each."
        )
    table: dict[str, Mapping[str, Any]] = {}
    for line in lines:
        place = f"{where}, {line.where}"
        name, metadata = _named(dict(rows.require_object(line.fields, place)), place)
        if name in table and not same_json(table[name], metadata):
            raise InvalidArgumentError(f"{place}: {name[:200]!r} is named a second time, with other metadata.")
        table[name] = metadata
    return table


def _named(line: dict[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    given = [line.pop(name, None) for name in _NAMES]
    names = [name for name in given if name is not None and name != ""]
    if not names:
        raise InvalidArgumentError(f"{where} names no file: it needs a field 'source' or 'title'.")
    if not isinstance(names[0], str):
        raise InvalidArgumentError(f"{where}: the name of the file must be a text.")
    return names[0], line
