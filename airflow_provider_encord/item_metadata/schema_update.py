"""Setting the metadata schema of the organisation, as a task does it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.flows.metadata_schema import SavedSchema, save
from airflow_provider_encord.sources.rows import decode_json
from airflow_provider_encord.storage_paths import storage_errors

log = logging.getLogger(__name__)


def wanted_schema(schema: Mapping[str, Any] | str | None, open_uri: Callable[[str], Any]) -> Mapping[str, Any]:
    """Read a schema.

    :param schema: A dictionary, or the path or URI of a JSON file.
    :param open_uri: Makes a path object of a path or URI.
    :raises InvalidArgumentError: It is empty, or cannot be read.
    """
    if isinstance(schema, str) and schema:
        path = open_uri(schema)
        with storage_errors("schema", path):
            content = path.read_bytes()
        schema = decode_json(content, f"schema: {path}")
    if not isinstance(schema, Mapping) or not schema:
        raise InvalidArgumentError(
            'schema: it has no keys. Pass an object such as {"speed": {"ty": "number"}}, and check the template.'
        )
    return schema


def set_schema(client: EncordClient, schema: Mapping[str, Any], *, keep_others: bool, preview: bool) -> SavedSchema:
    """Set the types of keys, and log what changes.

    :param keep_others: Keep the keys that are not in `schema`.
    :param preview: Only find out what would change.
    """
    saved = client.run(save(schema, keep_others=keep_others, preview=preview))
    for verb, keys in (("created", saved.created), ("updated", saved.updated), ("removed", saved.removed)):
        if keys:
            log.info("%s%s: %s.", "Would be " if preview else "", verb if preview else verb.title(), ", ".join(keys))
    return saved
