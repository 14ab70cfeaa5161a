"""Recorded requests of ontologies."""

from __future__ import annotations

from typing import Any

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
    parameter,
)


def _ontology_create(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(body["title"], structure=body["editor"], description=body["description"])


def _ontology_update(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    named = {"title": body["title"], "description": body["description"], "structure": body["editor"]}
    return given(id_in_path(request), **named)


ARGUMENTS: dict[Key, Read] = {
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

V1_SHAPES: dict[tuple[str, str], str] = {}

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
