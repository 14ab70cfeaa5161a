"""Schemas of the files that operators write.

``report.schema.json`` describes one line of a report, ``manifest.schema.json`` the manifest of an export, and
``annotations.schema.json`` one line of an export as ``annotations.jsonl``. For each warehouse, a file such as
``annotations.postgresql.sql`` describes the table that takes these lines. ``make reference`` generates all of them from
the code that writes the files.
"""

from __future__ import annotations

import importlib.resources

from airflow_provider_encord.client.errors import InvalidArgumentError

NAMES = ("report", "manifest", "annotations")
TABLE_SCHEMAS = {
    "bigquery": "annotations.bigquery.json",
    "duckdb": "annotations.duckdb.sql",
    "postgresql": "annotations.postgresql.sql",
    "snowflake": "annotations.snowflake.sql",
}
"""The file of each warehouse: a schema of BigQuery, or a ``CREATE TABLE IF NOT EXISTS`` statement."""


def read_schema(name: str) -> str:
    """Return the text of a JSON Schema.

    :param name: One of `NAMES`.
    :raises FileNotFoundError: There is no schema with this name.
    """
    return _text(f"{name}.schema.json")


def read_table_schema(warehouse: str) -> str:
    """Return the schema of the table of annotations, whose name is ``encord_annotations``.

    :param warehouse: One of `TABLE_SCHEMAS`.
    :raises InvalidArgumentError: There is no schema for this warehouse.
    """
    if warehouse not in TABLE_SCHEMAS:
        raise InvalidArgumentError(f"warehouse: {warehouse!r} is not one of {', '.join(TABLE_SCHEMAS)}.")
    return _text(TABLE_SCHEMAS[warehouse])


def _text(name: str) -> str:
    return (importlib.resources.files(__name__) / name).read_text(encoding="utf-8")
