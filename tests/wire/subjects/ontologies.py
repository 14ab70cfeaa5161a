"""Recorded requests of ontologies."""

from __future__ import annotations

from typing import Any

from tests.wire.subjects.reading import UUID, Arguments, Key, Read, given, id_in_path, listing_filter


def _ontology_create(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(body["title"], structure=body["editor"], description=body["description"])


ARGUMENTS: dict[Key, Read] = {
    ("ontology.list", "v2"): lambda request: given(listing_filter(request, "desc")),
    ("ontology.get", "v2"): lambda request: given(id_in_path(request)),
    ("ontology.create", "v2"): _ontology_create,
}

V1_SHAPES: dict[tuple[str, str], str] = {}

V2_SHAPES: list[tuple[str, str, str]] = [
    ("GET", "ontologies", "ontology.list"),
    ("POST", "ontologies", "ontology.create"),
    ("GET", f"ontologies/{UUID}", "ontology.get"),
]

NOT_YET: set[str] = {
    "ontology.update",
}

NOT_SERVED_YET: set[Key] = set()
