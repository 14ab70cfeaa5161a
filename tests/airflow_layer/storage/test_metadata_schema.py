"""Setting the metadata schema of the organisation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.operators.storage import EncordSetMetadataSchemaOperator
from tests.airflow_layer.bench import Account, changes

SITE = {"site": {"ty": "enum", "values": ["north", "south"]}}
SPEED = {"speed": {"ty": "number"}}


@pytest.fixture(autouse=True)
def _an_administrator(account: Account) -> None:
    """All accounts of an emulator have one organisation; its schema begins empty."""
    account.emulator.authorize(account.public_key, email=account.email, role="ADMIN")
    with account.client() as client:
        client.organisation.save_metadata_schema({})


def set_schema(schema: Any, **arguments: Any) -> dict[str, int]:
    result: dict[str, int] = EncordSetMetadataSchemaOperator(task_id="set", schema=schema, **arguments).execute({})
    return result


def schema_of(account: Account) -> dict[str, Any]:
    with account.client() as client:
        return client.organisation.metadata_schema()


def test_keys_are_added_to_those_that_are_there(account: Account) -> None:
    assert set_schema(SITE) == {"created": 1, "updated": 0, "unchanged": 0, "removed": 0}
    assert set_schema({**SITE, **SPEED}) == {"created": 1, "updated": 0, "unchanged": 1, "removed": 0}
    wider = {"site": {"ty": "enum", "values": ["north", "south", "west"]}}
    assert set_schema(wider) == {"created": 0, "updated": 1, "unchanged": 0, "removed": 0}
    assert schema_of(account) == {**wider, "speed": {"ty": "number", "format": "F64"}}


def test_nothing_is_sent_if_nothing_changes_and_by_a_preview(account: Account) -> None:
    set_schema(SITE)
    account.emulator.clear_journal()
    set_schema(SITE)
    assert set_schema(SPEED, mode="replace", preview=True) == {"created": 1, "updated": 0, "unchanged": 0, "removed": 1}
    assert changes(account) == []
    assert schema_of(account) == SITE


def test_replacing_removes_the_other_keys(account: Account) -> None:
    set_schema(SITE)
    assert set_schema(SPEED, mode="replace") == {"created": 1, "updated": 0, "unchanged": 0, "removed": 1}
    assert schema_of(account).keys() == SPEED.keys()


def test_a_default_that_encord_writes_out_is_no_change(account: Account) -> None:
    set_schema(SPEED)
    account.emulator.clear_journal()
    assert set_schema(SPEED) == {"created": 0, "updated": 0, "unchanged": 1, "removed": 0}
    assert changes(account) == []


@pytest.mark.parametrize("as_text", [True, False])
def test_a_schema_may_be_a_file_or_json(account: Account, tmp_path: Path, as_text: bool) -> None:
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(SITE))
    set_schema(json.dumps(SITE) if as_text else str(path))
    assert schema_of(account) == SITE


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"site": {"ty": "colour"}}, "schema: ty of 'site' is 'colour'. Pass one of boolean"),
        ({"site": {"ty": "enum", "values": ["a", "a"]}}, "values has a text twice"),
        ({"site": "text"}, "the type of 'site' is not an object"),
        ({}, "schema: it has no keys"),
        ("", "schema: it has no keys"),
        ("/no/such/file.json", r"schema: .*file.json cannot be used"),
        ('{"site": {"ty": "text"}, "site": {"ty": "text"}}', "site"),
    ],
)
def test_a_wrong_schema_is_refused_before_anything_is_sent(account: Account, schema: Any, message: str) -> None:
    account.emulator.clear_journal()
    with pytest.raises(AirflowFailException, match=message):
        set_schema(schema)
    assert changes(account) == []
