"""Recorded requests of ontologies."""

from __future__ import annotations

from typing import Any

from airflow_provider_encord.client.api.ontologies import OntologyRecord
from tests.wire.subjects.reading import (
    UUID,
    Arguments,
    Key,
    Read,
    given,
    groups_to_add,
    groups_to_remove,
    id_in_path,
    listed_below,
    listing_filter,
    listing_filter_v1,
    parameter,
    payload_of,
    resource_of,
    uid_of,
)


def _ontology_create(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(body["title"], structure=body["editor"], description=body["description"])


def _ontology_update(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    named = {"title": body["title"], "description": body["description"], "structure": body["editor"]}
    return given(id_in_path(request), **named)


def _get_v1(request: dict[str, Any]) -> Arguments:
    by_project = request["headers"].get("ResourceType") == "project"
    return given(uid_of(request), project=resource_of(request) if by_project else None)


def _create_v1(request: dict[str, Any]) -> Arguments:
    payload = payload_of(request)
    return given(payload["title"], structure=payload["editor"], description=payload["description"])


def _update_v1(request: dict[str, Any]) -> Arguments:
    payload = dict(payload_of(request))
    return given(OntologyRecord(ontology_uuid=payload.pop("ontology_hash"), **payload))


ARGUMENTS: dict[Key, Read] = {
    ("ontology.get", "v1"): _get_v1,
    ("ontology.list", "v1"): listing_filter_v1,
    ("ontology.create", "v1"): _create_v1,
    ("ontology.update", "v1"): _update_v1,
    ("ontology.list", "v2"): lambda request: given(
        listing_filter(request, "desc"), page=parameter(request, "pageToken")
    ),
    ("ontology.get", "v2"): lambda request: given(id_in_path(request)),
    ("ontology.create", "v2"): _ontology_create,
    ("ontology.update", "v2"): _ontology_update,
    ("ontology.list_groups", "v2"): listed_below,
    ("ontology.add_group", "v2"): groups_to_add,
    ("ontology.remove_group", "v2"): groups_to_remove,
}

V1_SHAPES: dict[tuple[str, str], str] = {
    ("ontology", "GET"): "ontology.get",
    ("ontologywithuserrole", "GET"): "ontology.list",
    ("ontology", "POST"): "ontology.create",
    ("ontology", "PUT"): "ontology.update",
}

V2_SHAPES: list[tuple[str, str, str]] = [
    ("GET", "ontologies", "ontology.list"),
    ("POST", "ontologies", "ontology.create"),
    ("GET", f"ontologies/{UUID}", "ontology.get"),
    ("PUT", f"ontologies/{UUID}", "ontology.update"),
    ("GET", f"ontologies/{UUID}/groups", "ontology.list_groups"),
    ("POST", f"ontologies/{UUID}/groups", "ontology.add_group"),
    ("DELETE", f"ontologies/{UUID}/groups", "ontology.remove_group"),
]

NOT_YET: set[str] = set()

NOT_SERVED_YET: set[Key] = set()
