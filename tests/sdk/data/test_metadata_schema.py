"""The metadata schema of the organisation, with the newest SDK."""

from typing import Any

import pytest

from tests.sdk.conftest import Account
from tests.sdk.environments import SSH_SDK

pytestmark = pytest.mark.sdk


@pytest.fixture(scope="module")
def schema(owner: Account) -> Any:
    return owner.run(SSH_SDK, "metadata_schema")


def test_an_organisation_has_no_schema_until_one_is_saved(schema: Any) -> None:
    assert schema["empty"] == []


def test_keys_keep_their_types_and_details(schema: Any) -> None:
    assert schema["types"] == {
        "brightness": "number",
        "old": "text",
        "site": "enum",
        "clip": "embedding",
        "gps": "geospatial",
    }
    assert schema["options"] == [["A", "B", "C"], 3]


def test_a_deleted_key_can_be_restored(schema: Any) -> None:
    assert schema["is_deleted"] == [True, False]


def test_the_first_form_is_the_same_schema_in_words(schema: Any) -> None:
    assert schema["words"] == {
        "brightness": "number",
        "old": "long_string",
        "site": "enum",
        "clip": "embedding",
        "gps": "geospatial",
    }
    assert schema["replaced"] == {"brightness": "number", "site": "enum", "note": "text"}
    assert schema["kept_options"] == ["A", "B", "C"]
