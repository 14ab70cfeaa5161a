"""The same operators inside DAGs that Airflow runs: mapped, templated, retried."""

from __future__ import annotations

import pytest

from tests.airflow_layer.bench import API_KEY_CONNECTION, SSH_CONNECTION, Account, run_dag
from tests.airflow_layer.dags import operators_in_a_dag

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("airflow_database")]


def test_operators_feed_each_other_and_are_mapped(account: Account) -> None:
    run = run_dag(operators_in_a_dag.dag, prefix="Lane")
    results = run.results

    assert run.state == "success", run.tasks
    datasets = [results[f"create_datasets[{number}]"] for number in range(3)]
    assert account.titles("dataset") == ["Lane day", "Lane night", "Lane rain"]
    assert account.titles("project") == account.titles("ontology") == ["Lane"]
    assert results["attach"] == datasets
    assert [results[f"attach_each[{number}]"] for number in range(3)] == [[], [], []]
    assert results["get_project"]["ontology_id"] == results["create_ontology"]
    assert results["get_ontology"]["editor"]["objects"][0]["name"] == "Lane sign"
    assert [project["project_id"] for project in results["list_projects"]] == [results["create_project"]]
    assert [dataset["dataset_id"] for dataset in results["list_datasets"]] == [datasets[1]]
    assert results["detach"] == datasets


def test_api_keys_are_enough_for_what_concerns_their_resource(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeded = account.project(title="Street")
    monkeypatch.setenv(API_KEY_CONNECTION, account.api_key_connection(seeded["project_id"]))
    monkeypatch.setenv("AIRFLOW_CONN_ENCORD_DATASET_KEY", account.api_key_connection(seeded["dataset_id"], "dataset"))
    monkeypatch.delenv(SSH_CONNECTION)
    run = run_dag(operators_in_a_dag.dag_under_api_keys)

    assert run.state == "success", run.tasks
    assert run.results["get_project"]["title"] == "Street"
    assert run.results["detach"] == run.results["attach"] == [seeded["dataset_id"]]


def test_what_may_pass_is_retried_and_what_stays_is_not(account: Account) -> None:
    down = {"status": 503, "headers": {"Retry-After": "0"}}
    account.emulator.faults([{"match": {}, "when": {"times": 5}, "do": down}])  # all attempts of one try
    run = run_dag(operators_in_a_dag.dag_that_fails)

    assert run.tasks == {"for_good": "failed", "at_first": "success"}
    assert run.tries == {"for_good": 1, "at_first": 2}
