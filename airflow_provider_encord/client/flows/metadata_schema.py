"""Saving the metadata schema: check what changes before it is sent, and send nothing if nothing changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from airflow_provider_encord.client.api import metadata_schema
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.errors import InvalidArgumentError

Type: TypeAlias = Mapping[str, Any]

_KEY = re.compile(r"[\w. -]*[a-zA-Z0-9][\w. -]*", re.ASCII)
_RESERVED = "keyframes"
_DEFAULTS: Mapping[str, Type] = {
    "variant": {"hint": "text"},
    "number": {"format": "F64"},
    "datetime": {"timezone": "UTC"},
}
_HINTS = ("number", "varchar", "text", "boolean", "datetime", "uuid", "string", "long_string")
_MOST_VALUES = 255  # one less than Encord stores, as in the vendor's SDK
_LARGEST_EMBEDDING = 4096
_LONGEST_TEXT = 8192


class SavedSchema(msgspec.Struct, frozen=True, kw_only=True):
    """What saving a metadata schema changed, as lists of keys.

    :param removed: Keys that the schema had and that were not in the new one.
    """

    created: list[str]
    updated: list[str]
    unchanged: list[str]
    removed: list[str]


def save(schema: Mapping[str, Type], *, keep_others: bool = False, preview: bool = False) -> Flow[SavedSchema]:
    """Replace the whole schema.

    :param keep_others: Keep the keys that are not in `schema`.
    :param preview: Save nothing.
    :raises InvalidArgumentError: A key, or a type that is new or changed, is not valid. Nothing was saved.
    """
    for key, type_ in schema.items():
        _check_form(key, type_)
    now = yield from metadata_schema.get_metadata_schema()
    changed = [key for key in schema if key not in now or _with_defaults(schema[key]) != _with_defaults(now[key])]
    for key in changed:  # what is unchanged may have a type that this version does not know
        _check(key, schema[key])
    saved = SavedSchema(
        created=[key for key in changed if key not in now],
        updated=[key for key in changed if key in now],
        unchanged=[key for key in schema if key not in changed],
        removed=[] if keep_others else [key for key in now if key not in schema],
    )
    if (changed or saved.removed) and not preview:
        yield from metadata_schema.save_metadata_schema({**now, **schema} if keep_others else schema)
    return saved


def _with_defaults(type_: Type) -> dict[str, Any]:
    """A type with what it means where it says nothing: Encord may give back what was left out."""
    return {**_DEFAULTS.get(str(type_.get("ty")), {}), **type_}


def _check_form(key: object, type_: object) -> None:
    if not isinstance(key, str):
        raise InvalidArgumentError(f"schema: the key {key!r} is not text.")
    if not isinstance(type_, Mapping):
        raise InvalidArgumentError(
            f"schema: the type of {key[:80]!r} is not an object. Pass one such as {{'ty': 'variant', 'hint': 'text'}}."
        )


def _check(key: str, type_: Type) -> None:
    if not _KEY.fullmatch(key) or key == _RESERVED:
        raise InvalidArgumentError(
            f"schema: {key[:80]!r} cannot be a key. Use letters, digits, '-', '_', '.' and blanks, with at least one "
            f"letter or digit. {_RESERVED!r} is reserved."
        )
    check = _CHECKS.get(str(type_.get("ty")))
    if check is None:
        raise InvalidArgumentError(
            f"schema: ty of {key!r} is {type_.get('ty')!r}. Pass one of {', '.join(sorted(_CHECKS))}."
        )
    if problem := check(type_):
        raise InvalidArgumentError(f"schema: {key!r} of type {type_['ty']!r}: {problem}")


def _check_variant(type_: Type) -> str | None:
    return None if type_.get("hint", "text") in _HINTS else f"hint must be one of {', '.join(_HINTS)}."


def _check_enum(type_: Type) -> str | None:
    values = type_.get("values")
    fine = isinstance(values, list) and all(isinstance(value, str) and value for value in values)
    if not fine or not 1 <= len(values or ()) <= _MOST_VALUES:
        return f"values must be a list of 1 to {_MOST_VALUES} texts."
    return "values has a text twice." if len(set(values or ())) != len(values or ()) else None


def _check_embedding(type_: Type) -> str | None:
    return _check_number(type_, "size", 1, _LARGEST_EMBEDDING)


def _check_varchar(type_: Type) -> str | None:
    return _check_number(type_, "max_length", 0, _LONGEST_TEXT)


def _check_number(type_: Type, field: str, least: int, most: int) -> str | None:
    value = type_.get(field)
    fine = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
    return None if fine else f"{field} must be a whole number from {least} to {most}."


def _check_format(type_: Type) -> str | None:
    return None if type_.get("format", "F64") in ("F32", "F64") else "format must be F32 or F64."


def _check_timezone(type_: Type) -> str | None:
    return None if type_.get("timezone", "UTC") == "UTC" else "timezone must be UTC."


def _check_tombstone(type_: Type) -> str | None:
    before = type_.get("deleted_ty")
    if before is None:
        return None
    known = isinstance(before, Mapping) and before.get("ty") in _CHECKS and before.get("ty") != "tombstone"
    return None if known else "deleted_ty must be the type before the deletion, or None if it cannot be restored."


def _check_nothing(_: Type) -> str | None:
    return None


_CHECKS: dict[str, Callable[[Type], str | None]] = {
    "variant": _check_variant,
    "number": _check_format,
    "varchar": _check_varchar,
    "datetime": _check_timezone,
    "enum": _check_enum,
    "embedding": _check_embedding,
    "tombstone": _check_tombstone,
    **dict.fromkeys(("text", "boolean", "uuid", "geospatial", "user"), _check_nothing),
}
