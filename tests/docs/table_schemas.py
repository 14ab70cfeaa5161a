"""The schemas of the table of annotations for warehouses, and its page of the reference, made from its fields."""

from __future__ import annotations

import json
from typing import Any

from airflow_provider_encord.exports.formats.table import (
    BOOLEAN,
    FIELDS,
    INTEGER,
    JSON,
    NUMBER,
    TEXT,
    TIME,
    Field,
)
from tests.docs.blocks import DOCS

PAGE = DOCS / "reference" / "annotations.md"
TABLE = "encord_annotations"
_BIGQUERY = {
    TEXT: "STRING",
    INTEGER: "INTEGER",
    NUMBER: "FLOAT",
    BOOLEAN: "BOOLEAN",
    TIME: "TIMESTAMP",
    JSON: "JSON",
}
_SQL = {
    "duckdb": {
        TEXT: "VARCHAR",
        INTEGER: "BIGINT",
        NUMBER: "DOUBLE",
        BOOLEAN: "BOOLEAN",
        TIME: "TIMESTAMPTZ",
        JSON: "JSON",
    },
    "postgresql": {
        TEXT: "text",
        INTEGER: "bigint",
        NUMBER: "double precision",
        BOOLEAN: "boolean",
        TIME: "timestamptz",
        JSON: "jsonb",
    },
    "snowflake": {
        TEXT: "VARCHAR",
        INTEGER: "NUMBER(19, 0)",
        NUMBER: "FLOAT",
        BOOLEAN: "BOOLEAN",
        TIME: "TIMESTAMP_TZ",
        JSON: "VARIANT",
    },
}
_JSON_SCHEMA: dict[str, dict[str, Any]] = {
    TEXT: {"type": ["string", "null"]},
    INTEGER: {"type": ["integer", "null"]},
    NUMBER: {"type": ["number", "null"]},
    BOOLEAN: {"type": ["boolean", "null"]},
    TIME: {"type": ["string", "null"], "format": "date-time"},
    JSON: {"type": ["object", "null"]},
}
_HEAD = """# The table of annotations

The formats `annotations.jsonl` and `parquet` of [exports](../formats.md#export) have these columns: one row for each
object or classification on each of its frames or ranges. New columns are added at the end, so take columns by name. In
Parquet, `json` is text. This page is generated from the code (`make reference`).

| column | type | meaning |
|---|---|---|
"""


def made() -> dict[str, str]:
    """The text of each schema, by the name of its file."""
    return {"annotations.bigquery.json": _bigquery(), **{f"annotations.{name}.sql": _ddl(name) for name in _SQL}}


def line_schema(dialect: str) -> str:
    """The JSON Schema of a line."""
    schema = {
        "$schema": dialect,
        "title": "A line of the table of annotations",
        "type": "object",
        "properties": {field.name: {**_JSON_SCHEMA[field.type], "description": _plain(field)} for field in FIELDS},
        "required": [field.name for field in FIELDS],
    }
    return json.dumps(schema, indent=2) + "\n"


def page() -> str:
    """The page of the reference."""
    return _HEAD + "".join(f"| `{field.name}` | {field.type} | {field.meaning} |\n" for field in FIELDS)


def _bigquery() -> str:
    columns = [
        {"name": field.name, "type": _BIGQUERY[field.type], "mode": "NULLABLE", "description": _plain(field)}
        for field in FIELDS
    ]
    return json.dumps(columns, indent=2) + "\n"


def _ddl(warehouse: str) -> str:
    types = _SQL[warehouse]
    lines = [f"CREATE TABLE IF NOT EXISTS {TABLE} ("]
    for number, field in enumerate(FIELDS, start=1):
        comma = "," if number < len(FIELDS) else ""
        lines += [f"    -- {_plain(field)}", f"    {field.name} {types[field.type]}{comma}"]
    return "\n".join([*lines, ");"]) + "\n"


def _plain(field: Field) -> str:
    return field.meaning.replace("`", "")


if __name__ == "__main__":
    PAGE.write_text(page())
