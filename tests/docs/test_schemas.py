"""The JSON Schemas describe the files that are written, and are those that the code makes."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.schemas import NAMES, TABLE_SCHEMAS, read_schema, read_table_schema
from tests.docs import table_schemas
from tests.docs.blocks import DOCS
from tests.docs.schemas import MANIFESTS, REPORTS, made
from tests.written_files import misfits


@pytest.mark.parametrize("name", NAMES)
def test_the_schema_in_the_package_is_the_one_that_the_code_makes(name: str) -> None:
    assert read_schema(name) == made()[f"{name}.schema.json"], "run: make reference"


@pytest.mark.parametrize("warehouse", TABLE_SCHEMAS)
def test_the_table_in_the_package_is_the_one_that_the_code_makes(warehouse: str) -> None:
    assert read_table_schema(warehouse) == made()[TABLE_SCHEMAS[warehouse]], "run: make reference"


def test_the_page_of_the_table_is_the_one_that_the_code_makes() -> None:
    assert table_schemas.PAGE.read_text() == table_schemas.page(), "run: make reference"


def test_another_warehouse_is_an_error_that_lists_those_with_a_schema() -> None:
    with pytest.raises(InvalidArgumentError, match="'oracle' is not one of bigquery, duckdb, postgresql, snowflake"):
        read_table_schema("oracle")


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(read_schema(name)))


def test_a_file_that_does_not_fit_is_found(tmp_path: Path) -> None:
    line = json.loads(_sample("report"))
    report = tmp_path / "report.jsonl"
    report.write_text(json.dumps(line) + "\n")
    assert misfits(tmp_path) == []
    del line["version"]  # which our own class can do without
    report.write_text(json.dumps(line) + "\n")
    (found,) = misfits(tmp_path)
    assert found.startswith(str(report))
    report.unlink()


def test_every_kind_of_report_and_manifest_has_fields_that_the_schema_requires() -> None:
    for name, tag, kinds in (("report", "operation", REPORTS), ("manifest", "kind", MANIFESTS)):
        schema = json.loads(read_schema(name))
        for value, class_ in kinds.items():
            definition = schema["$defs"][class_.__name__]
            assert definition["properties"][tag] == {"const": value}
            assert set(definition["required"]) == set(class_.__struct_fields__)


def _sample(marker: str) -> str:
    text = (DOCS / "formats.md").read_text()
    return text.partition(f"<!-- checked: {marker} -->\n```json\n")[2].partition("```")[0]
