"""What makes operators fail, permanently or until a retry; and what an API key can do."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.datasets import (
    EncordCreateDatasetOperator,
    EncordGetDatasetOperator,
    EncordListDatasetsOperator,
)
from airflow_provider_encord.operators.ontologies import EncordCreateOntologyOperator, EncordGetOntologyOperator
from airflow_provider_encord.operators.projects import (
    EncordAttachDatasetsOperator,
    EncordCreateProjectOperator,
    EncordDetachDatasetsOperator,
    EncordGetProjectOperator,
    EncordListProjectsOperator,
)
from tests.airflow_layer.bench import API_KEY_CONNECTION, SSH_CONNECTION, Account, connection, run
from tests.client import keys

AT_ONCE = {"status": 503, "headers": {"Retry-After": "0"}}  # a failure that is tried again without a wait


WRONG: dict[str, tuple[type[EncordBaseOperator], dict[str, Any], str]] = {
    "no title": (EncordCreateProjectOperator, {"title": " "}, "title"),
    "a title of nothing": (EncordCreateDatasetOperator, {"title": None}, "title"),
    "an unknown if_exists": (EncordCreateDatasetOperator, {"title": "A", "if_exists": "maybe"}, "if_exists"),
    "a flag in other words": (EncordCreateDatasetOperator, {"title": "A", "create_backing_folder": "perhaps"}, "true"),
    "an id that is none": (EncordGetProjectOperator, {"project_id": "Street"}, "project_id: 'Street' is not an id"),
    "no id": (EncordGetProjectOperator, {}, "project_id: it is missing"),
    "an empty id": (EncordGetDatasetOperator, {"dataset_id": ""}, "dataset_id: it is missing"),
    "dataset ids that are none": (
        EncordCreateProjectOperator,
        {"title": "A", "dataset_ids": ["B"]},
        "dataset_ids: 'B'",
    ),
    "a broken list of ids": (
        EncordCreateProjectOperator,
        {"title": "A", "dataset_ids": "[a, b"},
        "dataset_ids: .*tojson",
    ),
    "a structure that is not JSON": (
        EncordCreateOntologyOperator,
        {"title": "A", "structure": "{'a'"},
        "structure: .*JSON",
    ),
    "a structure that is a list": (EncordCreateOntologyOperator, {"title": "A", "structure": []}, "structure: .*list"),
    "a structure of unknown parts": (EncordCreateOntologyOperator, {"title": "A", "structure": {"x": 1}}, "structure"),
    "a time that is none": (EncordListProjectsOperator, {"created_after": "yesterday"}, "created_after: 'yesterday'"),
    "a project that does not exist": (
        EncordGetProjectOperator,
        {"project_id": str(uuid.uuid4())},
        "no such|cannot see|access",
    ),
    "an ontology that does not exist": (
        EncordGetOntologyOperator,
        {"ontology_id": str(uuid.uuid4())},
        "no such|access",
    ),
}


@pytest.mark.parametrize(("operator", "arguments", "named"), WRONG.values(), ids=WRONG)
def test_what_a_retry_cannot_help_fails_permanently(
    operator: type[EncordBaseOperator], arguments: dict[str, Any], named: str, account: Account
) -> None:
    with pytest.raises(AirflowFailException, match=named):
        run(operator, **arguments)
    assert not any(entry["changes"] for entry in account.emulator.journal())


def test_a_key_that_is_not_registered_fails_permanently(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = connection(account.emulator.url, private_key=keys.openssh(keys.new_key()))
    monkeypatch.setenv(SSH_CONNECTION, stranger)

    with pytest.raises(AirflowFailException, match="Register its public half"):
        run(EncordListProjectsOperator)


def test_a_server_that_stays_down_is_tried_several_times_and_left_to_a_retry(account: Account) -> None:
    account.emulator.clear_journal()
    account.emulator.faults([{"match": {}, "do": AT_ONCE}])

    with pytest.raises(AirflowException, match="HTTP 503") as failure:
        run(EncordListProjectsOperator)
    assert not isinstance(failure.value, AirflowFailException)
    assert len(account.emulator.journal()) == 5


def test_a_server_that_comes_back_is_not_noticed(account: Account) -> None:
    account.emulator.faults([{"match": {}, "when": {"times": 3}, "do": AT_ONCE}])
    assert run(EncordListProjectsOperator) == []


def test_a_long_wait_that_encord_asks_for_is_left_to_a_retry(account: Account) -> None:
    account.emulator.faults([{"match": {}, "do": {"status": 429, "headers": {"Retry-After": "3600"}}}])

    with pytest.raises(AirflowException, match="429") as failure:
        run(EncordListProjectsOperator)
    assert not isinstance(failure.value, AirflowFailException)


WITH_A_PROJECTS_KEY: dict[str, Callable[[str, str], Any]] = {
    "get": lambda project, _: run(EncordGetProjectOperator, encord_conn_id="encord_api_key")["project_id"] == project,
    "get by template": lambda project, _: (
        run(EncordGetProjectOperator, project_id="{{ params.nothing }}", encord_conn_id="encord_api_key")["title"]
        == "Street"
    ),
    "detach": lambda _, dataset: (
        run(EncordDetachDatasetsOperator, dataset_ids=dataset, encord_conn_id="encord_api_key") == [dataset]
    ),
    "attach": lambda _, dataset: (
        run(EncordAttachDatasetsOperator, dataset_ids=dataset, encord_conn_id="encord_api_key") == []
    ),
}


@pytest.mark.parametrize("works", WITH_A_PROJECTS_KEY.values(), ids=WITH_A_PROJECTS_KEY)
def test_a_projects_api_key_needs_no_project_id(works: Any, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    seeded = account.project(title="Street")
    monkeypatch.setenv(API_KEY_CONNECTION, account.api_key_connection(seeded["project_id"]))
    monkeypatch.delenv(SSH_CONNECTION)

    assert works(seeded["project_id"], seeded["dataset_id"])


def test_a_datasets_api_key_needs_no_dataset_id(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = account.project()["dataset_id"]
    monkeypatch.setenv(API_KEY_CONNECTION, account.api_key_connection(dataset, "dataset"))

    assert run(EncordGetDatasetOperator, encord_conn_id="encord_api_key")["dataset_id"] == dataset


@pytest.mark.parametrize(
    ("operator", "arguments"),
    [
        (EncordCreateProjectOperator, {"title": "A"}),
        (EncordCreateDatasetOperator, {"title": "A"}),
        (EncordCreateOntologyOperator, {"title": "A"}),
        (EncordListProjectsOperator, {}),
        (EncordListDatasetsOperator, {}),
        (EncordGetOntologyOperator, {"ontology_id": str(uuid.uuid4())}),
        (EncordGetDatasetOperator, {}),
        (EncordGetProjectOperator, {"project_id": str(uuid.uuid4())}),
    ],
)
def test_what_needs_a_user_fails_permanently_under_an_api_key_and_sends_nothing(
    operator: type[EncordBaseOperator], arguments: dict[str, Any], account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(API_KEY_CONNECTION, account.api_key_connection(account.project()["project_id"]))
    account.emulator.clear_journal()

    with pytest.raises(AirflowFailException, match="SSH key"):
        run(operator, encord_conn_id="encord_api_key", **arguments)
    assert {entry["query_type"] for entry in account.emulator.journal()} <= {"apikeymeta"}
