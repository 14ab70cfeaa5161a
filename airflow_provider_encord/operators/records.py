"""Convert records of the client to dictionaries for XCom."""

from __future__ import annotations

from typing import Any

_NAMES = {
    "project_hash": "project_id",
    "dataset_hash": "dataset_id",
    "ontology_hash": "ontology_id",
    "ontology_uuid": "ontology_id",
    "backing_folder_uuid": "folder_id",
}
"""Names of ids in Encord's API, and our names for them in arguments and XCom."""


def as_dictionary(record: Any, fields: tuple[str, ...] | None = None) -> dict[str, Any]:
    """Convert a record to a dictionary. Ids get the names that the arguments of operators have.

    :param record: A `msgspec.Struct`, which may contain others.
    :param fields: The fields to include. Default: all.
    """
    names = record.__struct_fields__ if fields is None else fields
    return {_NAMES.get(name, name): _plain(getattr(record, name)) for name in names}


def _plain(value: Any) -> Any:
    if hasattr(value, "__struct_fields__"):
        return as_dictionary(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
