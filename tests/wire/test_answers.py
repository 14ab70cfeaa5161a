"""Our records read the recorded answers, and put up with what servers may add or rename."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest

from airflow_provider_encord.client.api.core.reading import Page
from airflow_provider_encord.client.api.labels import LabelRow
from airflow_provider_encord.client.errors import NotFoundError, RefusedError, UnexpectedResponseError
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.client.transport.results import result
from tests.wire.answers import answer_of, make_answer, outcome
from tests.wire.arguments import call_of
from tests.wire.scope import FLOWS, replayed
from tests.wire.subjects.reading import Key
from tests.wire.vectors import Exchange

ANSWERED = [(exchange, key) for exchange, key in replayed() if exchange.vector.raises is None]
ANSWERS = [pytest.param(exchange, key, id=exchange.label) for exchange, key in ANSWERED]

SDK_NAMES = {
    "id": ("integration_uuid",),
    "ontology_hash": ("ontology_uuid", "ontology_hash"),
    "dataset_hash": ("dataset_hash", "dataset_uuid"),
    "process_hash": (),
    "type": (),
}
"""Fields that the SDK calls otherwise than Encord does on the wire; empty: it made them up."""

WHAT_THE_SDK_MADE_OF_IT = {
    "api_key.lookup": "the class of a client",
    "collections.create": "what it read afterwards",
    "dataset.create": "what it sent",
    "label_rows.save": "nothing",
    "label_rows.validation_state": "the errors alone",
    "presets.create": "what it read afterwards",
    "ml_models.trainings.result": "the iteration of the last answer",
    "dicom_deidentification.result": "the URLs alone, of the last answer",
    "scene.get": "what an upload of it would send, or its own records",
    "project.collections.create": "what it read afterwards",
    "project.presets.create": "what it read afterwards",
    "project.get_data": "a pair of two of its fields",
}
"""Operations for which `parsed` is not read from the answer."""

OPEN = {
    "streams",
    "timeseriesSettings",
    "viewSettings",
    "groupLayout",
    "metadataSchema",
    "featuresMapping",
    "lossLog",
    "editor",
    "editorOntology",
    "editor_ontology",
    "data_units",
    "object_answers",
    "classification_answers",
    "classificationAnswers",
    "uploadHeaders",
}
"""Objects without fixed keys: content of users, headers by name."""


def read(exchange: Exchange, key: Key, body: Any = None) -> Any:
    """What our function for it reads from the answer, or from another one."""
    content = None if body is None else json.dumps(body).encode()
    return result(call_of(exchange, key), answer_of(exchange, content))


def plain(value: Any) -> Any:
    """A record as lists and dictionaries."""
    if isinstance(value, LabelRow):
        return value.decoded()
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return value


def _same(ours: Any, theirs: Any) -> bool:
    if ours == theirs or (isinstance(ours, str) and ours.isupper() and ours.lower() == theirs):
        return True  # the SDK writes data types in lower case
    try:
        return parse_time(ours) == parse_time(theirs)
    except (ValueError, AttributeError):
        return False


def differences(ours: Any, parsed: Any, where: str = "$") -> list[str]:
    """Where a record of ours contradicts what the SDK made of the same answer; only what both have counts."""
    if isinstance(parsed, list):
        if len(ours) != len(parsed):
            return [f"{where}: {len(ours)} instead of {len(parsed)}"]
        pairs = zip(ours, parsed, strict=True)
        return [line for i, (our, their) in enumerate(pairs) for line in differences(our, their, f"{where}[{i}]")]
    if isinstance(parsed, dict):
        return _object_differences(ours, parsed, where)
    if isinstance(ours, dict):  # the SDK's result was reduced to one field
        return [] if parsed in ours.values() else [f"{where}: {parsed!r} is in none of {ours!r}"]
    return [] if _same(ours, parsed) else [f"{where}: {ours!r} instead of {parsed!r}"]


def _object_differences(ours: Any, parsed: dict[str, Any], where: str) -> list[str]:
    shared = [
        (our, their)
        for their in parsed
        for our in SDK_NAMES.get(their, (their,))
        if our in ours and parsed[their] is not None
    ]
    found = [line for our, their in shared for line in differences(ours[our], parsed[their], f"{where}.{their}")]
    return found if shared or not parsed else [f"{where}: nothing in common: {sorted(ours)} and {sorted(parsed)}"]


@pytest.mark.parametrize(("exchange", "key"), ANSWERS)
def test_a_recorded_answer_can_be_read(exchange, key):
    read(exchange, key)


WHOLE = [
    pytest.param(exchange.vector, key, id=exchange.vector.name)
    for exchange, key in ANSWERED
    if exchange.number == 0
    and exchange.vector.parsed not in (None, True)
    and key[0] not in WHAT_THE_SDK_MADE_OF_IT
    and exchange.vector.key not in FLOWS
]


@pytest.mark.parametrize(("vector", "key"), WHOLE)
def test_what_we_read_agrees_with_what_the_sdk_read(vector, key):
    ours = [read(exchange, key) for exchange in vector.exchanges if not exchange.to_object_store and _is(exchange, key)]
    if vector.name in ("collection-items-add-by-title-batches", "cvat-import-start"):
        return  # the SDK's result is the sum of both answers; the answer to its last request
    if isinstance(ours[0], Page):
        value: Any = [one for page in ours for one in page.results]
    else:
        value = ours[-1]
    if isinstance(value, list) and len(value) == 1 and not isinstance(vector.parsed, list):
        value = value[0]
    if vector.name in ("label-rows-list-signed-metadata", "storage-items-list-signed-metadata"):
        return  # the SDK's result is what it then fetched from the object store
    assert not differences(plain(value), vector.parsed)


def _is(exchange: Exchange, key: Key) -> bool:
    return any(one is exchange and its == key for one, its in ANSWERED)


def test_the_registered_file_of_an_upload_is_the_one_that_the_sdk_returned():
    uploads = [
        (exchange, key)
        for exchange, key in ANSWERED
        if exchange.vector.key in FLOWS and exchange.last and key[0].endswith("_data result")
    ]
    assert uploads
    for exchange, key in uploads:
        (file,) = read(exchange, key).data_hashes_with_titles
        parsed = exchange.vector.parsed
        if isinstance(parsed, str):  # into a folder: the SDK returns the item's id alone
            assert file.backing_item_uuid == parsed
            continue
        wanted = parsed[0] if isinstance(parsed, list) else parsed
        assert (file.data_hash, file.title) == (wanted["data_hash"], wanted["title"])


EMPTY = [None, "", {}, [], 0, False]


@pytest.mark.parametrize("operation", ["project.get", "dataset.get", "api_key.lookup"])
def test_an_empty_answer_to_a_read_is_a_resource_that_is_not_there(operation):
    exchange, key = next((exchange, key) for exchange, key in ANSWERED if key == (operation, "v1"))
    got = [outcome(exchange, key, make_answer({"status": 200, "response": empty})) for empty in EMPTY]
    assert [type(one) for one in got] == [NotFoundError] * len(EMPTY)


@pytest.mark.parametrize(
    "operation", ["project.create", "api_key.project.create", "api_key.dataset.create", "upload.start"]
)
def test_an_empty_answer_to_a_creation_is_an_error_but_not_one_of_something_that_is_not_there(operation):
    exchange, key = next((exchange, key) for exchange, key in ANSWERED if key == (operation, "v1"))
    got = [outcome(exchange, key, make_answer({"status": 200, "response": empty})) for empty in EMPTY]
    assert {type(one) for one in got} == {RefusedError, UnexpectedResponseError}
    assert type(got[0]) is RefusedError


@pytest.mark.parametrize("operation", ["dataset.list_data_rows", "label_rows.list", "api_key.project.list"])
def test_an_empty_list_is_a_list_and_null_is_something_that_is_not_there(operation):
    exchange, key = next((exchange, key) for exchange, key in ANSWERED if key == (operation, "v1"))
    assert outcome(exchange, key, make_answer({"status": 200, "response": []})) == []
    assert type(outcome(exchange, key, make_answer({"status": 200, "response": None}))) is NotFoundError


def test_a_detachment_is_done_whatever_is_answered_and_an_attachment_fails_at_null():
    both = {key[0]: (exchange, key) for exchange, key in ANSWERED}
    for answered in (None, False, True, [], "x"):
        assert outcome(*both["project.remove_datasets"], make_answer({"status": 200, "response": answered})) is None
    assert outcome(*both["project.add_datasets"], make_answer({"status": 200, "response": False})) is None
    failed = outcome(*both["project.add_datasets"], make_answer({"status": 200, "response": None}))
    assert type(failed) is RefusedError


MADE_UP = {"storage-folder-config-set"}
"""Recordings with keys that no server is known to send: they are handed on as they come."""
V2 = [
    pytest.param(exchange, key, id=exchange.label)
    for exchange, key in ANSWERED
    if key[1] == "v2" and exchange.vector.name not in MADE_UP
]


def snake(name: str) -> str:
    return re.sub("([A-Z])", lambda match: "_" + match[1].lower(), name)


def in_snake_case(value: Any) -> Any:
    if isinstance(value, dict):
        return {snake(name): one if name in OPEN else in_snake_case(one) for name, one in value.items()}
    return [in_snake_case(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("exchange", "key"), V2)
def test_v2_keys_may_come_in_snake_case(exchange, key):
    assert read(exchange, key, in_snake_case(exchange.json)) == read(exchange, key)


def test_a_page_token_in_snake_case_is_not_the_end_of_the_listing():
    exchange, key = next((exchange, key) for exchange, key in ANSWERED if key == ("projects.list", "v2"))
    assert read(exchange, key, {"results": [], "next_page_token": "more"}).next_page_token == "more"
