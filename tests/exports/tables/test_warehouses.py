"""The table of annotations in a warehouse: DuckDB takes both forms as they are, with the types of the schema."""

from __future__ import annotations

import datetime
import io
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from airflow_provider_encord.exports.formats import FORMATS, Origin
from airflow_provider_encord.exports.formats.table import FIELDS
from airflow_provider_encord.schemas import read_table_schema
from tests.exports.documents import BOX, EVERY_SHAPE, RECORDED, STRUCTURE, image, label_row, recorded

NAMES = sorted(json.loads(RECORDED.read_text()))
TABLE = "encord_annotations"
EMPTY = image()
FORMS = {"annotations.jsonl": "json", "annotations.jsonl.gz": "json", "parquet": "parquet"}


@pytest.fixture
def warehouse() -> Any:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(read_table_schema("duckdb"))
    yield connection
    connection.close()


def _load(warehouse: Any, folder: Path, format_: str, *documents: dict[str, Any]) -> None:
    file = io.BytesIO()
    encoder = FORMATS[format_](file, Origin(project_id="the project", structure=STRUCTURE))
    for document in documents:
        encoder.write(label_row(document))
    encoder.finish()
    path = folder / f"labels.{format_}"
    path.write_bytes(file.getvalue())
    warehouse.execute(f"COPY {TABLE} FROM '{path}' (FORMAT {FORMS[format_]})")


def _rows(warehouse: Any, columns: str = "*") -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = warehouse.execute(f"SELECT {columns} FROM {TABLE} ORDER BY ALL").fetchall()
    return rows


def test_the_columns_have_the_types_of_the_fields(warehouse: Any) -> None:
    described = {name: type_ for name, type_, *_ in warehouse.execute(f"DESCRIBE {TABLE}").fetchall()}
    types = {
        "text": "VARCHAR",
        "integer": "BIGINT",
        "number": "DOUBLE",
        "boolean": "BOOLEAN",
        "time": "TIMESTAMP WITH TIME ZONE",
        "json": "JSON",
    }
    assert described == {field.name: types[field.type] for field in FIELDS}


@pytest.mark.parametrize("format_", FORMS)
def test_every_recorded_row_is_loaded_with_its_values(warehouse: Any, tmp_path: Path, format_: str) -> None:
    _load(warehouse, tmp_path, format_, *map(recorded, NAMES), image(*EVERY_SHAPE))
    counts = dict(warehouse.execute(f"SELECT data_type, count(*) FROM {TABLE} GROUP BY ALL").fetchall())
    assert counts == {
        "audio": 3,
        "dicom": 3,
        "group": 21,
        "image": 10 + len(EVERY_SHAPE),
        "img_group": 1,
        "nifti": 1,
        "pdf": 4,
        "plain_text": 4,
        "scene": 11,
        "time_series": 2,
        "video": 25,
    }
    seconds = f"SELECT sum(range_end - range_start) / 1000.0 FROM {TABLE} WHERE range_unit = 'milliseconds'"
    assert warehouse.execute(f"{seconds} AND data_type = 'audio'").fetchone() == (2.7,)
    speed = "CAST(answers ->> '$.speed' AS DOUBLE)"
    found = _rows(warehouse, f"DISTINCT frame, {speed}")
    assert {(0, 12.5), (5, 20.0)} <= set(found)
    assert (0.1,) in _rows(warehouse, "DISTINCT CAST(geometry -> '$.boundingBox.h' AS DOUBLE)")


def test_both_forms_give_the_same_table(tmp_path: Path) -> None:
    tables = []
    for format_ in FORMS:
        with duckdb.connect() as connection:
            connection.execute(read_table_schema("duckdb"))
            _load(connection, tmp_path, format_, *map(recorded, NAMES), image(*EVERY_SHAPE))
            columns = [f"epoch_us({one.name})" if one.type == "time" else one.name for one in FIELDS]
            rows = _rows(connection, ", ".join(columns))
            tables.append([tuple(map(_parsed, row)) for row in rows])
    assert tables[0]
    assert tables[0] == tables[1] == tables[2]


def _parsed(value: Any) -> Any:
    """JSON, whose spaces mean nothing, as what it says."""
    return json.loads(value) if isinstance(value, str) and value.startswith("{") else value


@pytest.mark.parametrize("format_", FORMS)
def test_times_are_the_moments_that_encord_sent(warehouse: Any, tmp_path: Path, format_: str) -> None:
    _load(warehouse, tmp_path, format_, image({**BOX, "createdAt": "2026-11-23T08:59:47.123456+02:00"}))
    moment = datetime.datetime(2026, 11, 23, 6, 59, 47, 123456, tzinfo=datetime.UTC)
    assert _rows(warehouse, "epoch_us(created_at)") == [(int(moment.timestamp() * 1_000_000),)]


@pytest.mark.parametrize("format_", FORMS)
def test_rows_without_annotations_add_nothing(warehouse: Any, tmp_path: Path, format_: str) -> None:
    _load(warehouse, tmp_path, format_, EMPTY)
    assert _rows(warehouse) == []


@pytest.mark.parametrize("format_", FORMS)
@pytest.mark.parametrize("text", ['quo"te', "back\\slash", "line\nbreak", "a\t,b", "żółć ✓ 😀", "\u2028", "NULL", ""])
def test_texts_come_through_unchanged(warehouse: Any, tmp_path: Path, format_: str, text: str) -> None:
    _load(warehouse, tmp_path, format_, image({**BOX, "name": text}))
    assert _rows(warehouse, "name") == [(text,)]
