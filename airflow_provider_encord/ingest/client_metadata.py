"""The user's own data about each file: from a mapping, from a file beside it, or from one file about all.

A unit is found by its URI, or by its title. One file about all is JSON (``{"a.png": {...}}``), JSON Lines or CSV; in
the latter two each line names its file in ``source`` or ``title``, and all other columns are the metadata.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from airflow_provider_encord.client.errors import InvalidRequestError
from airflow_provider_encord.ingest import rows
from airflow_provider_encord.ingest.sources import SourceFile
from airflow_provider_encord.plain_json import plain_json
from airflow_provider_encord.storage_paths import storage_errors

SIDECAR = "sidecar"
_NAMES = ("source", "title")
ClientMetadata: TypeAlias = Mapping[str, Mapping[str, Any]] | str


def add_client_metadata(
    files: Sequence[SourceFile], what: ClientMetadata | None, open_uri: Callable[[str], Any]
) -> list[SourceFile]:
    """The files, each with what is known of it; those of which nothing is known stay as they are.

    :param what: A mapping of URI or title to metadata; ``"sidecar"`` for a JSON file beside each, of its name with
        ``.json`` after it; or the path or URI of one file about all.
    :param open_uri: Makes a path object of a path or URI.
    :raises InvalidRequestError: It cannot be read, is not what is expected, or is about none of the files; the message
        names file and line.
    """
    if what is None:
        return list(files)
    if what == SIDECAR:
        return [_with(file, _sidecar(file)) for file in files]
    table = read_table(what, open_uri, "client_metadata")
    if table and files and not any(file.uri in table or file.title in table for file in files):
        raise InvalidRequestError(
            f"client_metadata: none of its {len(table)} names, such as {str(next(iter(table)))[:80]!r}, is the title "
            f"or URI of a file, such as {files[0].title[:80]!r}. Correct the names, or leave client_metadata out."
        )
    return [_with(file, table.get(file.uri, table.get(file.title))) for file in files]


def read_table(
    what: Mapping[str, Any] | str, open_uri: Callable[[str], Any], argument: str
) -> Mapping[str, Mapping[str, Any]]:
    """Metadata by name, from a dictionary or a file.

    :param argument: What it comes from; for messages.
    :raises InvalidRequestError: It cannot be read, or is not what is expected.
    """
    table = what if isinstance(what, Mapping) else _table(str(what), open_uri, argument)
    unfit = next((name for name, value in table.items() if not isinstance(value, Mapping)), None)
    if unfit is not None:
        raise InvalidRequestError(f"{argument}: that of {str(unfit)[:200]!r} must be a dictionary.")
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
        raise InvalidRequestError(
            f"{where} is neither .json, .jsonl nor .csv; or write 'sidecar' for a file beside each."
        )
    table: dict[str, Mapping[str, Any]] = {}
    for line in lines:
        place = f"{where}, {line.where}"
        name, metadata = _named(dict(rows.require_object(line.fields, place)), place)
        if name in table and table[name] != metadata:
            raise InvalidRequestError(f"{place}: {name[:200]!r} is named a second time, with other metadata.")
        table[name] = metadata
    return table


def _named(line: dict[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    names = [line.pop(name) for name in _NAMES if line.get(name)]
    if not names:
        raise InvalidRequestError(f"{where} names no file: it needs a field 'source' or 'title'.")
    if not isinstance(names[0], str):
        raise InvalidRequestError(f"{where}: the name of the file must be a text.")
    return names[0], line
