"""The sample lines of the page about files are such lines."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import msgspec
import pytest

from airflow_provider_encord.exports.listing_file import DELETED, FILTERED_OUT, ListingLine
from airflow_provider_encord.registration.cloud import CloudObject
from airflow_provider_encord.registration.partition import lines_of_manifest
from airflow_provider_encord.reports import OUTCOMES
from airflow_provider_encord.schemas import read_schema
from airflow_provider_encord.sources.kinds import kind_named
from tests.docs.blocks import DOCS, blocks_of
from tests.docs.schemas import REPORTS

PAGE = DOCS / "reference" / "files.md"
SAMPLES: dict[str, Any] = {
    block.value: json.loads(block.text) for block in blocks_of(PAGE) if block.marker == "checked"
}


@pytest.mark.parametrize("name", [sample for sample in SAMPLES if sample.startswith("report of")])
def test_the_sample_of_a_report_fits_the_schema(name: str) -> None:
    jsonschema.validate(SAMPLES[name], json.loads(read_schema("report")))


def test_the_sample_of_a_manifest_fits_the_schema() -> None:
    jsonschema.validate(SAMPLES["analytics manifest"], json.loads(read_schema("manifest")))


def test_the_sample_of_a_manifest_of_objects_is_a_line_that_is_written() -> None:
    sample = SAMPLES["manifest of objects"]
    drawn = CloudObject(url=sample["url"], kind=kind_named(sample["kind"]), title=sample["title"])
    assert [json.loads(line) for line in lines_of_manifest([drawn])] == [sample]


def test_every_operation_has_a_sample() -> None:
    shown = {sample["operation"] for name, sample in SAMPLES.items() if name.startswith("report of")}
    assert shown | {"upload_files"} == set(REPORTS)  # that of uploads is on the page about formats


@pytest.mark.parametrize(("name", "about"), [("listing", [True, False]), ("removed", [DELETED, FILTERED_OUT])])
def test_the_samples_of_listings_can_be_read(name: str, about: list[Any]) -> None:
    assert msgspec.convert(SAMPLES[name], ListingLine).about in about


def test_the_outcomes_that_are_promised_are_those_of_the_code() -> None:
    promise = PAGE.read_text().partition("4. The values of `outcome` are ")[2].partition(".")[0]
    assert tuple(one.strip(" `\n") for one in promise.replace(" and ", ", ").split(",")) == OUTCOMES
