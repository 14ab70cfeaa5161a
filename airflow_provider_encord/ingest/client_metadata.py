"""The user's own data about each file: from a mapping, from a file beside it, or from one file about all.

A unit is found by its URI, or by its title. One file about all is JSON (``{"a.png": {...}}``), JSON Lines or CSV; in
the latter two each line names its file in ``source`` or ``title``, and all other columns are the metadata.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from airflow_provider_encord.client.errors import InvalidRequestError
from airflow_provider_encord.ingest.sources import SourceFile
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
    :raises InvalidRequestError: It cannot be read, or is not what is expected; the message names file and line.
    """
    if what is None:
        return list(files)
    if what == SIDECAR:
        return [_with(file, _sidecar(file)) for file in files]
    table = read_table(what, open_uri, "client_metadata")
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
    return file if known is None else dataclasses.replace(file, client_metadata=dict(known))


def _sidecar(file: SourceFile) -> Mapping[str, Any] | None:
    path = file.files[0].path
    beside = path.parent / (path.name + ".json")
    with storage_errors("client_metadata", beside):
        if not beside.exists():
            return None
        content = beside.read_bytes()
    return _object(content, f"client_metadata: {beside}")


def _table(uri: str, open_uri: Callable[[str], Any], argument: str) -> dict[str, Mapping[str, Any]]:
    path, where = open_uri(uri), f"{argument}: {uri}"
    with storage_errors(argument, path):
        content = path.read_bytes()
    suffix = uri.lower().rpartition(".")[2]
    if suffix == "json":
        return dict(_object(content, where))
    if suffix in ("jsonl", "ndjson"):
        lines = ((number, _object(line, f"{where}, line {number}")) for number, line in _lines(content))
    elif suffix == "csv":
        lines = ((number, row) for number, row in enumerate(csv.DictReader(io.StringIO(_text(content, where))), 2))
    else:
        raise InvalidRequestError(
            f"{where} is neither .json, .jsonl nor .csv; or write 'sidecar' for a file beside each."
        )
    return dict(_named(dict(line), f"{where}, line {number}") for number, line in lines)


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    yield from ((number, line) for number, line in enumerate(content.split(b"\n"), 1) if line.strip())


def _named(line: dict[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    names = [str(line.pop(name)) for name in _NAMES if line.get(name)]
    if not names:
        raise InvalidRequestError(f"{where} names no file: it needs a field 'source' or 'title'.")
    return names[0], line


def _object(content: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except ValueError as error:
        raise InvalidRequestError(f"{where} is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise InvalidRequestError(f"{where} must be a JSON object.")
    return value


def _text(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidRequestError(f"{where} is not UTF-8.") from None
