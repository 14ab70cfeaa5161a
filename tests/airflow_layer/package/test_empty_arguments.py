"""What a template rendered to nothing, or what JSON cannot hold, is refused by name; what was left out is allowed."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.operators.datasets import EncordLinkItemsOperator, EncordListDatasetsOperator
from airflow_provider_encord.operators.literals import InvalidLiteralError
from airflow_provider_encord.operators.ontologies import EncordCreateOntologyOperator, EncordGetOntologyOperator
from airflow_provider_encord.operators.projects import (
    EncordAttachDatasetsOperator,
    EncordCreateProjectOperator,
    EncordDetachDatasetsOperator,
    EncordListProjectsOperator,
)
from airflow_provider_encord.operators.storage import EncordCreateFolderOperator
from tests.airflow_layer.bench import Account, changes, run

DATASETS = (EncordAttachDatasetsOperator, EncordDetachDatasetsOperator)
BLANK = ("", " ", "None")


def rendered(operator: Any, name: str, value: Any, **arguments: Any) -> Any:
    """Run a task whose argument was a template, which rendered to this value."""
    task = operator(task_id="task", **{name: "{{ ti.xcom_pull('before') }}"}, **arguments)
    setattr(task, name, value)
    return task.execute({})


def project_with_a_dataset(account: Account) -> tuple[str, str]:
    with account.client() as client:
        dataset = client.create_dataset("Attached", if_exists="new").id
        project = client.create_project("Streets", dataset_ids=[dataset], if_exists="new").id
    account.emulator.clear_journal()
    return project, dataset


@pytest.mark.parametrize("value", ["", "None", "null", "{}", None])
def test_no_ontology_is_made_of_a_structure_that_rendered_to_nothing(account: Account, value: Any) -> None:
    with pytest.raises(AirflowFailException, match=r"^structure: it is "):
        rendered(EncordCreateOntologyOperator, "structure", value, title="Streets")
    assert not changes(account)


def test_no_ontology_is_made_of_a_structure_that_names_its_objects_twice(account: Account) -> None:
    structure = '{"objects":[{"name":"Car","shape":"bounding_box"}],"objects":[]}'
    with pytest.raises(AirflowFailException, match=r"^structure: .*'objects' is given twice"):
        run(EncordCreateOntologyOperator, title="Streets", structure=structure)
    assert not changes(account)


def test_an_ontology_without_a_structure_is_empty(account: Account) -> None:
    made = run(EncordCreateOntologyOperator, title="Empty")
    assert run(EncordGetOntologyOperator, ontology_id=made)["editor"]["objects"] == []


@pytest.mark.parametrize("value", ["None", ["There"]])
@pytest.mark.parametrize("name", ["title", "title_like"])
@pytest.mark.parametrize("operator", [EncordListDatasetsOperator, EncordListProjectsOperator])
@pytest.mark.usefixtures("account")
def test_a_list_is_not_filtered_by_a_value_that_is_not_there(operator: Any, name: str, value: Any) -> None:
    with pytest.raises(AirflowFailException, match=rf"^{name}: it "):
        rendered(operator, name, value)


@pytest.mark.parametrize("value", ["None", True])
def test_a_title_that_is_wrong_without_a_template_is_found_when_the_dag_is_parsed(value: Any) -> None:
    with pytest.raises(InvalidLiteralError, match=r"^title: it "):
        EncordListDatasetsOperator(task_id="task", title=value)


@pytest.mark.parametrize("value", ["None", ["a", "None"], "['None']", "[null]"])
@pytest.mark.usefixtures("account")
def test_projects_are_not_listed_by_a_tag_that_is_not_there(value: Any) -> None:
    with pytest.raises(AirflowFailException, match=r"^tags: "):
        run(EncordListProjectsOperator, tags=value)


@pytest.mark.parametrize("value", [*BLANK, None])
@pytest.mark.parametrize("operator", DATASETS)
def test_datasets_that_rendered_to_nothing_are_refused(account: Account, operator: Any, value: Any) -> None:
    project, _ = project_with_a_dataset(account)
    with pytest.raises(AirflowFailException, match=r"^dataset_ids: it is "):
        run(operator, project_id=project, dataset_ids=value)
    assert not changes(account)


@pytest.mark.parametrize("value", [[], (), "[]"])
@pytest.mark.parametrize("operator", DATASETS)
def test_an_empty_list_of_datasets_changes_nothing(account: Account, operator: Any, value: Any) -> None:
    project, _ = project_with_a_dataset(account)
    assert run(operator, project_id=project, dataset_ids=value) == []
    assert not changes(account)


def test_detaching_only_datasets_that_are_not_attached_is_warned_of(
    account: Account, logged: Callable[[], str]
) -> None:
    project, dataset = project_with_a_dataset(account)
    unknown = str(uuid.uuid4())
    warning = f"None of the 1 datasets (such as {unknown}) is attached to project {project}"

    assert run(EncordDetachDatasetsOperator, project_id=project, dataset_ids=[unknown, dataset]) == [dataset]
    assert "None of the" not in logged()
    assert run(EncordDetachDatasetsOperator, project_id=project, dataset_ids=unknown) == []
    assert warning in logged()


def test_the_error_about_an_unknown_dataset_names_the_dataset(account: Account) -> None:
    project, dataset = project_with_a_dataset(account)
    unknown = str(uuid.uuid4())
    with pytest.raises(AirflowFailException, match=rf"^Datasets {unknown}, for project {project}: .* does not have"):
        run(EncordAttachDatasetsOperator, project_id=project, dataset_ids=[dataset, unknown])
    with pytest.raises(AirflowFailException, match=rf"^Datasets {unknown}: .* does not have all of these"):
        run(EncordCreateProjectOperator, title="Other streets", dataset_ids=unknown)
    with pytest.raises(AirflowFailException, match=rf"^Ontology {unknown}: .* does not have all of these"):
        run(EncordCreateProjectOperator, title="Other streets", ontology_id=unknown)


def test_the_error_about_an_unknown_item_names_the_item(account: Account) -> None:
    _, dataset = project_with_a_dataset(account)
    unknown = str(uuid.uuid4())
    with pytest.raises(AirflowFailException, match=rf"^Storage items {unknown}, for dataset {dataset}: "):
        run(EncordLinkItemsOperator, dataset_id=dataset, item_ids=[unknown])


@pytest.mark.parametrize("name", ["dataset_ids", "ontology_id", "workflow_template_id"])
def test_no_project_is_made_without_what_a_template_should_have_named(account: Account, name: str) -> None:
    with pytest.raises(AirflowFailException, match=rf"^{name}: "):
        rendered(EncordCreateProjectOperator, name, "None", title="Streets")
    assert not changes(account)


@pytest.mark.parametrize("name", ["parent_folder_id", "integration", "remote_url", "client_metadata"])
def test_no_folder_is_made_without_what_a_template_should_have_named(account: Account, name: str) -> None:
    with pytest.raises(AirflowFailException, match=rf"^{name}: "):
        rendered(EncordCreateFolderOperator, name, "None", title="Images")
    assert not changes(account)


@pytest.mark.parametrize(
    "value",
    [
        {"a": float("nan")},
        '{"a": NaN}',
        {"a": [float("inf")]},
        {"a": object},
        {"a": "\ud83d"},
        {1: "a", "1": "b"},
        {"a": decimal.Decimal("sNaN")},
    ],
    ids=str,
)
def test_metadata_of_a_folder_that_json_cannot_hold_is_refused(account: Account, value: Any) -> None:
    with pytest.raises(AirflowFailException, match=r"^client_metadata"):
        run(EncordCreateFolderOperator, title="Images", client_metadata=value)
    assert not changes(account)


def test_metadata_of_a_folder_is_written_as_that_of_files(account: Account) -> None:
    value = {"at": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), "share": decimal.Decimal("0.5"), "id": (1, 2)}
    folder = run(EncordCreateFolderOperator, title="Images", client_metadata=value)
    with account.client() as client:
        written = json.loads(client.folder(folder).get().client_metadata or "")
    assert written == {"at": "2026-01-02T00:00:00+00:00", "share": 0.5, "id": [1, 2]}


@pytest.mark.parametrize("value", [{"a": float("nan")}, {"a": object}], ids=str)
def test_the_client_refuses_metadata_of_a_folder_that_json_cannot_hold(account: Account, value: Any) -> None:
    with account.client() as client, pytest.raises(Exception, match=r"^client_metadata: it cannot be written as JSON"):
        client.create_folder("Images", client_metadata=value)
    assert not changes(account)
