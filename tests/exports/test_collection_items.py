"""Rows whose items are in a collection."""

from __future__ import annotations

import uuid

import pytest

from airflow_provider_encord.client.api.label_row_stamps import LabelRowItemStamp
from airflow_provider_encord.client.errors import UnexpectedResponseError
from airflow_provider_encord.exports.collection_items import rows_of

ITEM = "aaaaaaaa-0000-4000-8000-000000000001"


def row(item: str | None) -> LabelRowItemStamp:
    return LabelRowItemStamp(label_hash=None, data_hash="d", backing_item_uuid=item)


def test_an_item_is_found_however_its_id_is_written() -> None:
    rows = [row(ITEM.upper()), row(None), row(ITEM.replace("1", "2"))]
    assert rows_of(rows, {uuid.UUID(ITEM).bytes}) == rows[:1]


def test_an_id_of_an_item_that_is_none_is_named() -> None:
    with pytest.raises(UnexpectedResponseError, match="no UUID: 'seven'"):
        rows_of([row("seven")], set())
