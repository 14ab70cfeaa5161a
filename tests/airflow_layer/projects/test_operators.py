"""The operators on projects, datasets and ontologies: each against the emulator, as Airflow runs it."""

from __future__ import annotations

import concurrent.futures
import datetime
import importlib
import inspect
import json
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.get_provider_info import get_provider_info
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
from tests.airflow_layer.bench import Account, run

STRUCTURE = {"objects": [{"name": "Car", "shape": "bounding_box"}]}


def _operators() -> list[type[EncordBaseOperator]]:
    paths = [path for group in get_provider_info()["operators"] for path in group["python-modules"]]
    return [
        one
        for path in paths
        for name, one in sorted(vars(importlib.import_module(path)).items())
        if inspect.isclass(one)
        and issubclass(one, EncordBaseOperator)
        and one.__module__.startswith(path)
        and name[0] != "_"
    ]


FUNCTIONS = {"EncordImportLabelsOperator": {"python_callable"}}  # a function is not text, and is left as it is


@pytest.mark.parametrize("operator", _operators(), ids=lambda one: one.__name__)
def test_everything_that_a_user_passes_is_templated(operator: type[EncordBaseOperator]) -> None:
    passed: set[str] = set()
    for level in operator.__mro__[: operator.__mro__.index(EncordBaseOperator) + 1]:
        if "__init__" in vars(level) and level.__module__.startswith("airflow_provider_encord"):  # not Airflow's mixins
            # Airflow wraps __init__; the signature is kept.
            passed |= set(inspect.signature(vars(level)["__init__"]).parameters) - {"self", "kwargs"}

    assert isinstance(operator.template_fields, tuple)
    assert set(operator.template_fields) == passed - FUNCTIONS.get(operator.__name__, set())


@pytest.mark.parametrize("operator", _operators(), ids=lambda one: one.__name__)
def test_every_operator_says_what_its_arguments_are(operator: type[EncordBaseOperator]) -> None:
    text = "".join(
        inspect.getdoc(level) or "" for level in operator.__mro__[: operator.__mro__.index(EncordBaseOperator)]
    )

    missing = [name for name in operator.template_fields if name != "encord_conn_id" and name not in text]
    assert missing == []


class TestProjects:
    def test_a_project_is_created_with_all_that_was_given(self, account: Account) -> None:
        dataset, ontology = account.project()["dataset_id"], run(EncordCreateOntologyOperator, title="Parts")
        project = run(
            EncordCreateProjectOperator, title="Street", description="cars", dataset_ids=[dataset], ontology_id=ontology
        )
        read = run(EncordGetProjectOperator, project_id=project)

        assert (read["title"], read["description"], read["ontology_id"]) == ("Street", "cars", ontology)
        assert [stage["title"] for stage in read["workflow"]["stages"]] == ["Annotate", "Review", "Complete"]
        assert json.loads(json.dumps(read)) == read
        with account.client() as client:
            assert [one.dataset_hash for one in client.project(project).datasets()] == [dataset]

    def test_a_workflow_template_is_used(self, account: Account) -> None:
        template = account.emulator.template(
            "Quick",
            [{"stageType": "ANNOTATION", "title": "Look", "next": "Done"}, {"stageType": "DONE", "title": "Done"}],
        )
        project = run(EncordCreateProjectOperator, title="Street", workflow_template_id=template["uuid"])

        stages = run(EncordGetProjectOperator, project_id=project)["workflow"]["stages"]
        assert [stage["title"] for stage in stages] == ["Look", "Done"]

    def test_listing_filters(self, account: Account) -> None:
        made = {title: run(EncordCreateProjectOperator, title=title) for title in ("Street 1", "Street 2", "Park")}

        def listed(**filters: Any) -> list[str]:
            return sorted(one["title"] for one in run(EncordListProjectsOperator, **filters))

        past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
        assert listed() == sorted(made)
        assert listed(title="Park") == ["Park"]
        assert listed(title_like="Street%") == ["Street 1", "Street 2"]
        assert listed(created_before=past) == []
        assert listed(created_after=past) == sorted(made)
        assert listed(edited_before="2020-01-01") == []
        assert listed(edited_after="2020-01-01 00:00") == sorted(made)
        assert listed(tags=["no such tag"]) == []
        assert listed(title="{{ params.nothing }}", tags="{{ params.nothing }}", include_organisation="") == sorted(
            made
        )

    def test_attaching_and_detaching_show_what_changed(self, account: Account) -> None:
        first, second = (run(EncordCreateDatasetOperator, title=title) for title in ("A", "B"))
        project = run(EncordCreateProjectOperator, title="Street", dataset_ids=first)

        attach, detach = EncordAttachDatasetsOperator, EncordDetachDatasetsOperator
        assert run(attach, project_id=project, dataset_ids=[first, second]) == [second]
        assert run(attach, project_id=project, dataset_ids=[first, second]) == []
        assert run(detach, project_id=project, dataset_ids=first) == [first]
        assert run(detach, project_id=project, dataset_ids=[first]) == []
        assert run(attach, project_id=project, dataset_ids=f"['{first}', '{second}']") == [first]
        assert run(attach, project_id=project, dataset_ids=[]) == []

    @pytest.mark.parametrize("attach", [True, False])
    def test_a_lost_answer_to_a_change_of_datasets_is_looked_up(self, attach: bool, account: Account) -> None:
        dataset = run(EncordCreateDatasetOperator, title="A")
        project = run(EncordCreateProjectOperator, title="Street", dataset_ids=() if attach else dataset)
        account.emulator.faults(
            [{"match": {"query_type": "projectdataset"}, "when": {"nth": 1}, "do": {"cut": "after"}}]
        )
        operator = EncordAttachDatasetsOperator if attach else EncordDetachDatasetsOperator

        assert run(operator, project_id=project, dataset_ids=dataset) == [dataset]
        with account.client() as client:
            assert [one.dataset_hash for one in client.project(project).datasets()] == ([dataset] if attach else [])


class TestDatasetsAndOntologies:
    @pytest.mark.parametrize(("given", "mirror"), [(True, True), (False, False), ("False", False), ("true", True)])
    def test_a_dataset_has_a_backing_folder_if_wanted(self, given: Any, mirror: bool, account: Account) -> None:
        dataset = run(EncordCreateDatasetOperator, title="A", description="d", create_backing_folder=given)
        read = run(EncordGetDatasetOperator, dataset_id=dataset)

        assert (read["dataset_id"], read["title"], read["description"]) == (dataset, "A", "d")
        assert (read["folder_id"] is not None) is mirror

    def test_datasets_are_listed(self, account: Account) -> None:
        made = {title: run(EncordCreateDatasetOperator, title=title) for title in ("Day", "Night")}

        listed = run(EncordListDatasetsOperator)
        assert {one["title"]: one["dataset_id"] for one in listed} == made
        assert json.loads(json.dumps(listed)) == listed
        assert [one["title"] for one in run(EncordListDatasetsOperator, title_like="N%")] == ["Night"]

    @pytest.mark.parametrize("given", [STRUCTURE, json.dumps(STRUCTURE)])
    def test_an_ontology_has_the_structure_that_was_given(self, given: Any, account: Account) -> None:
        ontology = run(EncordCreateOntologyOperator, title="Parts", structure=given, description="of cars")
        read = run(EncordGetOntologyOperator, ontology_id=ontology)

        assert (read["title"], read["description"]) == ("Parts", "of cars")
        assert [(one["name"], one["shape"]) for one in read["editor"]["objects"]] == [("Car", "bounding_box")]
        assert json.loads(json.dumps(read)) == read


class TestTemplates:
    @pytest.mark.parametrize("kind", ["project", "dataset", "ontology"])
    def test_a_title_is_rendered(self, kind: str, account: Account) -> None:
        run(CREATE[kind], title="{{ params.title }} {{ params.many[1] }}")
        assert account.titles(kind) == ["Rendered two"]

    def test_an_ontologys_structure_is_rendered_in_depth(self, account: Account) -> None:
        ontology = run(
            EncordCreateOntologyOperator,
            title="Parts",
            structure={"objects": [{"name": "{{ params.title }}", "shape": "polygon"}]},
        )
        assert run(EncordGetOntologyOperator, ontology_id=ontology)["editor"]["objects"][0]["name"] == "Rendered"

    def test_a_title_that_native_rendering_made_a_number_is_a_title(self, account: Account) -> None:
        run(EncordCreateDatasetOperator, title=2026)
        assert account.titles("dataset") == ["2026"]

    def test_an_optional_id_that_renders_to_nothing_is_none(self, account: Account) -> None:
        project = run(
            EncordCreateProjectOperator,
            title="Street",
            ontology_id="{{ params.nothing }}",
            workflow_template_id="{{ params.nothing }}",
            dataset_ids="{{ params.nothing }}",
        )
        with account.client() as client:
            assert client.project(project).datasets() == []

    def test_the_connection_id_is_rendered(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AIRFLOW_CONN_RENDERED", account.connection())
        run(EncordCreateDatasetOperator, title="A", encord_conn_id="{{ params.title | lower }}")
        assert account.titles("dataset") == ["A"]


PLURAL = {"project": "projects", "dataset": "datasets", "ontology": "ontologies"}
CREATE: dict[str, type[EncordBaseOperator]] = {
    "project": EncordCreateProjectOperator,
    "dataset": EncordCreateDatasetOperator,
    "ontology": EncordCreateOntologyOperator,
}


@pytest.mark.parametrize("kind", CREATE)
class TestIfExists:
    def test_reuse_gives_the_one_that_is_there(self, kind: str, account: Account) -> None:
        assert run(CREATE[kind], title="Street") == run(CREATE[kind], title="Street", description="another")
        assert account.titles(kind) == ["Street"]

    def test_reuse_means_exactly_this_title(self, kind: str, account: Account) -> None:
        for title in ("Street", "street", "Street %", "Street_1"):
            run(CREATE[kind], title=title)
        assert account.titles(kind) == sorted(["Street", "street", "Street %", "Street_1"])

    def test_reuse_fails_permanently_if_several_exist_and_lists_them(self, kind: str, account: Account) -> None:
        account.emulator.clock(advance_s=-86_400)
        try:
            ids = [account.project(title="Street")[f"{kind}_id"]]
        finally:
            account.emulator.clock(now=None)
        (title,) = account.titles(kind)
        ids.append(run(CREATE[kind], title=title, if_exists="new"))

        with pytest.raises(AirflowFailException, match=f"2 {PLURAL[kind]} are titled '{title}'") as failure:
            run(CREATE[kind], title=title)
        assert all(one in str(failure.value) for one in ids)

    def test_several_that_were_created_together_are_one_mishap_and_the_oldest_is_reused(
        self, kind: str, account: Account, logged: Callable[[], str]
    ) -> None:
        """Fault 14.3: mapped tasks create one title at once."""
        ids = [run(CREATE[kind], title="Street", if_exists="new") for _ in range(3)]

        assert {run(CREATE[kind], title="Street") for _ in range(3)} == {ids[0]}
        text = logged()
        assert all(one in text for one in ids)

    def test_ten_tasks_that_create_one_title_at_once_all_use_the_same(self, kind: str, account: Account) -> None:
        """Fault 14.3."""
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            ids = list(pool.map(lambda _: run(CREATE[kind], title="Street"), range(10)))
        later = run(CREATE[kind], title="Street")

        assert set(ids) == {later}

    def test_fail_fails_permanently_if_one_exists(self, kind: str, account: Account) -> None:
        first = run(CREATE[kind], title="Street", if_exists="fail")

        with pytest.raises(AirflowFailException, match=first):
            run(CREATE[kind], title="Street", if_exists="fail")

    def test_new_makes_another_each_time(self, kind: str, account: Account) -> None:
        assert len({run(CREATE[kind], title="Street", if_exists="new") for _ in range(3)}) == 3
