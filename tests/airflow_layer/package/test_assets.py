"""Asset URIs: one spelling for each thing, wherever they are made; and events that carry what a task did."""

from __future__ import annotations

import importlib
import string
import urllib.parse
import uuid
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Asset, AssetAlias
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord import assets
from airflow_provider_encord.get_provider_info import get_provider_info
from airflow_provider_encord.operators.projects import EncordGetProjectOperator

ID = "0d3c2b1a-0000-4000-8000-00000000000a"
OTHER = "11111111-2222-4333-8444-555555555555"
API = "https://api.encord.com"


@pytest.mark.parametrize(
    ("made", "uri"),
    [
        (assets.project_uri(API, ID), f"encord://api.encord.com/projects/{ID}"),
        (assets.labels_uri(API, ID), f"encord://api.encord.com/projects/{ID}/branches/main/labels"),
        (assets.labels_uri(API, ID, "a/b c"), f"encord://api.encord.com/projects/{ID}/branches/a%2Fb%20c/labels"),
        (assets.stage_uri(API, ID, OTHER), f"encord://api.encord.com/projects/{ID}/stages/{OTHER}"),
        (assets.dataset_uri("https://API.us.encord.com:443/", ID), f"encord://api.us.encord.com/datasets/{ID}"),
        (assets.folder_uri("127.0.0.1:8765", ID.upper()), f"encord://127.0.0.1:8765/folders/{ID}"),
    ],
)
def test_a_uri_is_made_of_host_and_ids(made: str, uri: str) -> None:
    assert made == uri
    assert Asset(uri=made).uri == uri


@pytest.mark.parametrize(
    ("arguments", "uri"),
    [
        ({"project_id": ID}, assets.project_uri(API, ID)),
        ({"project_id": ID, "branch": "dev"}, assets.labels_uri(API, ID, "dev")),
        ({"project_id": ID, "stage_id": OTHER}, assets.stage_uri(API, ID, OTHER)),
        ({"dataset_id": ID, "host": "api.us.encord.com"}, assets.dataset_uri("https://api.us.encord.com", ID)),
        ({"folder_id": ID}, assets.folder_uri(API, ID)),
    ],
)
def test_the_factory_makes_what_the_functions_make(arguments: dict[str, str], uri: str) -> None:
    assert assets.create_asset(**arguments).uri == uri


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"project_id": ID, "dataset_id": ID},
        {"branch": "main", "dataset_id": ID},
        {"project_id": ID, "branch": "x", "stage_id": ID},
    ],
)
def test_the_factory_refuses_what_contradicts_itself(arguments: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        assets.create_asset(**arguments)


@pytest.mark.parametrize("value", ["", "{{ params.project }}", "my project", "123"])
def test_an_id_that_is_none_is_refused_by_name(value: str) -> None:
    with pytest.raises(ValueError, match="project_id: "):
        assets.project_uri(API, value)


@pytest.mark.parametrize(
    "uri",
    [
        "encord:///projects/" + ID,
        f"encord://user@api.encord.com/projects/{ID}",
        f"encord://api.encord.com/projects/{ID}?x=1",
        f"encord://api.encord.com/projects/{ID}/branches//labels",
        f"encord://api.encord.com/projects/{ID}/branches/main",
        "encord://api.encord.com/projects/one",
        "encord://api.encord.com/",
    ],
)
def test_the_handler_refuses_other_shapes(uri: str) -> None:
    with pytest.raises(ValueError, match=r"encord|credentials"):
        assets.sanitize_uri(urllib.parse.urlsplit(uri))


@given(st.uuids(), st.text(string.printable, min_size=1, max_size=30))
def test_the_handler_leaves_what_we_make_as_it_is(project: uuid.UUID, branch: str) -> None:
    made = urllib.parse.urlsplit(assets.labels_uri(API, str(project), branch))
    assert assets.sanitize_uri(made) == made
    assert urllib.parse.unquote(made.path.split("/")[4]) == branch


def test_ids_and_host_in_capitals_are_the_same_asset() -> None:
    shouted = urllib.parse.urlsplit(f"encord://API.ENCORD.COM/projects/{ID.upper()}/branches/Main/labels/")
    assert assets.sanitize_uri(shouted).geturl() == assets.labels_uri(API, ID, "Main")


def test_the_functions_that_the_provider_declares_exist() -> None:
    for entry in [*get_provider_info()["asset-uris"], *get_provider_info()["dataset-uris"]]:
        for name in ("handler", "factory", "to_openlineage_converter"):
            module, _, function = entry[name].rpartition(".")
            assert callable(getattr(importlib.import_module(module), function))


def test_lineage_knows_the_labels_by_host_and_path() -> None:
    dataset = assets.to_openlineage(assets.labels_asset(ID), None)
    assert (dataset.namespace, dataset.name) == ("encord://api.encord.com", f"projects/{ID}/branches/main/labels")


def _accessors() -> Any:
    try:
        from airflow.sdk.execution_time.context import OutletEventAccessors
    except ImportError:
        from airflow.utils.context import OutletEventAccessors
    return OutletEventAccessors()


def _alias_events(accessor: Any) -> list[Any]:
    return getattr(accessor, "asset_alias_events", None) or getattr(accessor, "dataset_alias_events", [])


class TestEvents:
    def _operator(self, *outlets: Any) -> EncordGetProjectOperator:
        return EncordGetProjectOperator(task_id="get", project_id=ID, outlets=list(outlets))

    def test_the_outlet_of_this_uri_gets_the_extra_and_no_other(self) -> None:
        mine, other = assets.project_asset(ID), assets.project_asset(OTHER)
        events = _accessors()
        self._operator(mine, other).record_asset_event(
            {"outlet_events": events}, assets.project_uri(API, ID), {"rows": 3}
        )
        assert events[mine].extra == {"rows": 3}
        assert events[other].extra == {}

    def test_an_alias_gets_an_event_of_the_asset(self) -> None:
        alias = AssetAlias("made-by-the-dag")
        events = _accessors()
        uri = assets.project_uri(API, ID)
        self._operator(alias).record_asset_event({"outlet_events": events}, uri, {"rows": 3})
        (event,) = _alias_events(events[alias])
        assert uri in str(event)
        assert (event["extra"] if isinstance(event, dict) else event.extra) == {"rows": 3}

    def test_a_task_without_outlets_creates_no_event(self) -> None:
        self._operator().record_asset_event({"outlet_events": _accessors()}, assets.project_uri(API, ID), {"rows": 3})
        self._operator().record_asset_event({}, assets.project_uri(API, ID), {"rows": 3})
