"""The metadata schema of the organisation: the type of each key of client metadata in the data view.

A type is an object with the key ``ty``, such as ``{"ty": "enum", "values": ["day", "night"]}``. Saving replaces the
whole schema, and the last save wins: there is no version. The first form, which the vendor's SDK deprecates, names each
type by a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.reading import ignored, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import Call, Request

_PATH = "organisation/client-metadata-schema-v2"
_FIRST_PATH = "organisation/client-metadata-schema"


class _FirstForm(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    metadata_schema: dict[str, str]


_SCHEMA = v2_reader(dict[str, dict[str, Any]] | None)
_FIRST = v2_reader(_FirstForm | None)


def _read(answer: bytes) -> dict[str, dict[str, Any]]:
    return (_SCHEMA(answer) if answer.strip() else None) or {}  # without a schema: null, or no body


def _read_first(answer: bytes) -> dict[str, str]:
    found = _FIRST(answer) if answer.strip() else None
    return found.metadata_schema if found else {}


@operation("metadata_schema.get", "v2")
def get_metadata_schema() -> Call[dict[str, dict[str, Any]]]:
    """Read the schema: types by key. It is empty if the organisation has none."""
    return Call(request=Request("GET", _PATH), read=_read)


@operation("metadata_schema.save", "v2")
def save_metadata_schema(schema: Mapping[str, Mapping[str, Any]]) -> Call[None]:
    """Replace the whole schema."""
    body = {key: dict(type_) for key, type_ in schema.items()}
    return Call(request=Request("POST", _PATH, json=body), changes=True, read=ignored)


@operation("metadata_schema.get_first_form", "v2")
def get_first_metadata_schema() -> Call[dict[str, str]]:
    """Read the schema in its first form: a word for the type of each key."""
    return Call(request=Request("GET", _FIRST_PATH), read=_read_first)


@operation("metadata_schema.save_first_form", "v2")
def save_first_metadata_schema(schema: Mapping[str, str]) -> Call[None]:
    """Replace the whole schema, in its first form."""
    return Call(request=Request("POST", _FIRST_PATH, json=dict(schema)), changes=True, read=ignored)
