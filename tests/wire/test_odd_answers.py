"""Answers of another form: unknown keys and values, missing fields, anything that JSON can hold, and what is none."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.errors import EncordError, RefusedError, UnexpectedResponseError
from airflow_provider_encord.client.transport.responses import Answer
from airflow_provider_encord.client.transport.results import result
from tests.wire.answers import answer_of, outcome
from tests.wire.arguments import call_of
from tests.wire.test_answers import ANSWERED, ANSWERS, OPEN, plain, read

ENUMERATED = {
    "projectType", "status", "stageType", "data_type", "label_status", "annotation_task_status", "dataset_type",
    "resource_type", "branch_name", "itemType", "folderType", "userRole", "storageLocation", "actionType",
    "actionCategory", "action", "labelType", "memberType", "roleMnemonicName", "type", "labelStatus",
}  # fmt: skip
NUMBERED = {"user_role", "userRole", "projectUserRole", "action", "storage_location", "storageLocation", "type"}
"""Enumerations that go as numbers."""


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every object in an answer, except those that are keyed by frame."""
    if isinstance(value, dict):
        below = [place for name, one in value.items() if name not in OPEN for place in _places(one, (*path, name))]
        by_frame = bool(value) and all(name.isdigit() for name in value)
        return below if by_frame else [path, *below]
    if isinstance(value, list):
        return [place for number, one in enumerate(value) for place in _places(one, (*path, number))]
    return []


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))


KEYED_BY_USERS = {"metadata_schema.get"}
"""Operations whose answer has no fields, but users' keys."""
WITH_KEYS = [(exchange, key) for exchange, key in ANSWERED if _places(exchange.json) and key[0] not in KEYED_BY_USERS]


@given(
    which=st.sampled_from(WITH_KEYS),
    where=st.integers(0, 1000),
    name=st.text(min_size=1).map(lambda text: "zz" + text),
    value=st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4),
)
def test_a_key_that_we_do_not_know_changes_nothing(which, where, name, value):
    exchange, key = which
    body = _copy(exchange.json)
    places = _places(body)
    _at(body, places[where % len(places)])[name] = value
    assert _without(plain(read(exchange, key, body)), name) == plain(read(exchange, key))


def _without(value: Any, name: str) -> Any:
    """Content that passes through keeps unknown keys, as it should."""
    if isinstance(value, dict):
        return {key: _without(one, name) for key, one in value.items() if key != name}
    return [_without(one, name) for one in value] if isinstance(value, list) else value


def _with_new_values(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _new_value(name, one) for name, one in value.items()}
    return [_with_new_values(one) for one in value] if isinstance(value, list) else value


def _new_value(name: str, value: Any) -> Any:
    if name in ENUMERATED and isinstance(value, str):
        return "BRAND_NEW"
    return 4711 if name in NUMBERED and type(value) is int else _with_new_values(value)


@pytest.mark.parametrize(("exchange", "key"), ANSWERS)
def test_an_enumerated_value_that_we_do_not_know_breaks_nothing(exchange, key):
    read(exchange, key, _with_new_values(exchange.json))


@pytest.mark.parametrize(("exchange", "key"), ANSWERS)
def test_a_missing_field_is_tolerated_or_an_error_that_names_operation_and_path(exchange, key):
    for place in _places(exchange.json):
        for name in _at(exchange.json, place):
            body = _copy(exchange.json)
            del _at(body, place)[name]
            got = outcome(exchange, key, answer_of(exchange, json.dumps(body).encode()))
            if isinstance(got, UnexpectedResponseError):
                assert got.operation == key[0]
                assert exchange.request["path"] in str(got)
                assert f"`{name}`" in str(got)
                assert str(got.trace_id) in str(got)
            elif isinstance(got, EncordError):  # on v1 an empty answer says that there is nothing
                assert isinstance(got, RefusedError)
                assert not body.get("response")


NEEDED = [
    ("api_key.lookup", "v1", "resource_type"),
    ("api_key.project.list", "v1", "api_key"),
    ("api_key.dataset.create", "v1", "scopes"),
    ("projects.list", "v2", "results"),
    ("projects.list", "v2", "projectHash"),
    ("project.get", "v2", "projectHash"),
    ("project.get", "v2", "title"),
    ("project.get", "v1", "project_hash"),
    ("project.list_datasets", "v2", "datasetHash"),
    ("dataset.create", "v2", "datasetUuid"),
    ("dataset.get", "v1", "dataset_hash"),
    ("dataset.list_data_rows", "v1", "data_hash"),
    ("ontology.get", "v2", "ontologyUuid"),
    ("label_rows.list", "v1", "data_hash"),
    ("label_rows.get", "v1", "label_hash"),
    ("label_rows.create", "v1", "data_hash"),
    ("user.get_bearer_token", "v2", "token"),
    ("cloud_integrations.list", "v2", "integrationUuid"),
    ("cloud_integrations.list", "v1", "id"),
    ("upload.signed_urls", "v2", "signedUrl"),
    ("upload.signed_urls", "v1", "file_link"),
    ("upload.start", "v1", "process_hash"),
    ("dataset.add_private_data result", "v1", "status"),
    ("label_rows.validation_state", "v2", "isValid"),
    ("label_rows.classifications", "v2", "labelUuid"),
    ("label_rows.copy_branch", "v2", "copiedCount"),
    ("label_logs.list", "v1", "log_hash"),
    ("editor_logs.list", "v2", "actionCategory"),
    ("analytics.time_spent", "v2", "timeSpentSeconds"),
    ("analytics.task_actions", "v2", "taskUuid"),
    ("workflow.tasks.list", "v2", "uuid"),
    ("workflow.task.label_reviews.list", "v2", "reviewUuid"),
    ("project.list_users", "v2", "userEmail"),
    ("groups.list", "v2", "groupHash"),
    ("organisation_tags.list", "v2", "uuid"),
    ("storage.folder.get", "v2", "uuid"),
    ("storage.item.get", "v2", "itemType"),
    ("storage.folder.items", "v2", "parent"),
    ("storage.add_private_data result", "v2", "status"),
]


@pytest.mark.parametrize(("operation", "api", "field"), NEEDED)
def test_an_answer_without_what_it_is_about_is_an_error(operation, api, field):
    exchange, key = next(
        (exchange, key)
        for exchange, key in ANSWERED
        if key == (operation, api) and f'"{field}"' in json.dumps(exchange.json)
    )
    body = _copy(exchange.json)
    inner = body["response"] if api == "v1" else body
    holders = [place for place in _places(inner) if field in _at(inner, place)]
    del _at(inner, holders[0])[field]
    with pytest.raises(UnexpectedResponseError, match=field):
        read(exchange, key, body)


OPTIONAL = {
    "userRole", "sourceProjects", "workflowManagerUuid", "workflow", "pathways", "skeleton_templates", "duration",
    "frames_per_second", "height", "width", "audio_sample_rate", "spaces", "group_hash", "task_uuid", "priority",
    "client_metadata", "images_data", "file_type", "is_valid", "backing_item_uuid", "assigned_user_email",
    "last_actioned_by_user_email", "workflow_graph_node", "is_shadow_data", "folderType", "integrationHash",
    "remoteUrl",
    "isTombstone", "isPlaceholder", "timeseriesSettings", "description", "storageLocation", "backingFolderUuid",
    "backing_folder_uuid", "data_rows", "signed_url", "exportUuid", "exportedAt", "dataTitle", "range", "createdBy",
    "lastEditedBy", "workflowTaskUuid", "workflowStage", "objectCurrentFrame", "objectId", "uploadHeaders", "fileName",
    "nextPageToken", "subtasks", "spaceId", "groupLayout", "is_optimised_image_group",
}  # fmt: skip
"""Keys that the protocol marks with a question mark, wherever they are."""
NOT_OPTIONAL = {
    "list_users": {"userRole"},
    "list_groups": {"userRole"},
    "signed_urls": {"signed_url"},
    "predict_objects": {"objectId"},
    "predict_segments": {"objectId"},
}
"""Where a key of that name is what the answer is about, by the last word of the operation."""


def _without_keys(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if name not in names}
        return {name: one if name in OPEN else _without_keys(one, names) for name, one in kept.items()}
    return [_without_keys(one, names) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("exchange", "key"), ANSWERS)
def test_an_answer_without_what_is_optional_is_read(exchange, key):
    names = OPTIONAL - NOT_OPTIONAL.get(key[0].rpartition(".")[2], set())
    read(exchange, key, _without_keys(exchange.json, names))


@given(which=st.sampled_from(ANSWERED), body=st.binary(max_size=60), status=st.integers(200, 599))
def test_whatever_comes_back_is_read_or_an_error_of_ours(which, body, status):
    exchange, key = which
    answer = _with_status(answer_of(exchange, body), status)
    got = outcome(exchange, key, answer)
    if isinstance(got, EncordError):
        assert (got.operation, got.trace_id) == (key[0], answer.trace_id)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["status", "response", "payload", "message", "detail", "results", "result", "title"]), inner
    ),
    max_leaves=12,
)  # fmt: skip
STATUSES = st.sampled_from([200, 204, 302, 400, 403, 413, 429, 500, 503])


@given(which=st.sampled_from(ANSWERED), body=JSON, status=STATUSES)
def test_whatever_json_comes_back_is_read_or_an_error_of_ours(which, body, status):
    exchange, key = which
    got = outcome(exchange, key, _with_status(answer_of(exchange, json.dumps(body).encode()), status))
    if isinstance(got, EncordError):
        assert got.operation == key[0]


def _with_status(answer: Answer, status: int) -> Answer:
    return dataclasses.replace(answer, status=status)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"status":400,"response":' + b"[" * 100_000])
@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_that_nests_without_end_is_an_error_of_ours(body, status):
    for exchange, key in (ANSWERED[0], next(one for one in ANSWERED if one[1][1] == "v2")):
        with pytest.raises(EncordError):
            result(call_of(exchange, key), _with_status(answer_of(exchange, body), status))
