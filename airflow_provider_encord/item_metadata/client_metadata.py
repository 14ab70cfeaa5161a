"""Reading the client metadata of files: from a mapping, from a sidecar file of each file, or from one file for all.

Metadata is assigned by URI or title of the unit. For the one file for all files, see `by_name`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.item_metadata.by_name import by_composed_name, read_table, warn_of_unused
from airflow_provider_encord.plain_json import plain_json
from airflow_provider_encord.sources import rows
from airflow_provider_encord.sources.files import SourceFile, composed
from airflow_provider_encord.storage_paths import storage_errors

SIDECAR = "sidecar"
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
    table = by_composed_name(read_table(what, open_uri, "client_metadata"), "client_metadata")
    used = {composed(name) for file in files for name in (file.uri, file.title)} & table.keys()
    if table and files and not used:
        raise InvalidArgumentError(
            f"client_metadata: none of its {len(table)} names, such as {str(next(iter(table)))[:80]!r}, is the title "
            f"or URI of a file, such as {files[0].title[:80]!r}. Correct the names, or leave client_metadata out."
        )
    warn_of_unused("client_metadata", table, used)
    return [_with(file, table.get(composed(file.uri), table.get(composed(file.title)))) for file in files]


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
