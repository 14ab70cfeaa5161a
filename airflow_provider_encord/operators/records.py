"""Records on their way to XCom."""

from __future__ import annotations

from typing import Any


def as_dictionary(record: Any) -> dict[str, Any]:
    """A record as XCom takes it: plain types, by the names that the record has in Python.

    :param record: A `msgspec.Struct`, which may hold others.
    """
    return {name: _plain(getattr(record, name)) for name in record.__struct_fields__}


def _plain(value: Any) -> Any:
    if hasattr(value, "__struct_fields__"):
        return as_dictionary(value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
