"""Ontologies: list, read, create, update.

SSH keys only; an API key can read an ontology only as part of its project.
"""

from __future__ import annotations

from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.listing import NO_FILTER, Filter, every_page
from airflow_provider_encord.client.api.core.reading import Page, ignored, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import Call, Flow, Request


class OntologyRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An ontology.

    :param editor: The structure as Encord stores it: ``objects``, ``classifications`` and possibly
        ``skeleton_templates``. Keys inside are not renamed.
    """

    ontology_uuid: str
    title: str
    description: str | None = ""
    editor: dict[str, Any] = {}
    created_at: str | None = None
    last_edited_at: str | None = None
    user_role: int | None = None


_ONTOLOGY = v2_reader(OntologyRecord)
_ONTOLOGIES = v2_reader(Page[OntologyRecord])


@operation("ontology.list", "v2")
def list_ontologies(which: Filter = NO_FILTER, *, page: str | None = None) -> Call[Page[OntologyRecord]]:
    """List one page of the ontologies that the user can see. The vendor's SDK reads only the first page.

    :param page: Token of the page; None for the first.
    """
    query = {**which.query(description="desc"), "pageToken": page}
    return Call(request=Request("GET", "ontologies", query), read=_ONTOLOGIES)


def all_ontologies(which: Filter) -> Flow[list[OntologyRecord]]:
    """List all ontologies that the user can see and that match the filter."""
    return (yield from every_page(lambda page: list_ontologies(which, page=page)))


@operation("ontology.get", "v2")
def get_ontology(ontology: str) -> Call[OntologyRecord]:
    """Read an ontology by its id."""
    return Call(request=Request("GET", f"ontologies/{ontology}"), read=_ONTOLOGY)


@operation("ontology.create", "v2")
def create_ontology(title: str, *, structure: dict[str, Any], description: str = "") -> Call[OntologyRecord]:
    """Create an ontology.

    :param structure: A complete structure, as `complete_structure` returns it.
    """
    body = {"title": title, "description": description, "editor": structure}
    return Call(request=Request("POST", "ontologies", json=body), changes=True, repeatable=False, read=_ONTOLOGY)


@operation("ontology.update", "v2")
def update_ontology(ontology: str, *, title: str, description: str, structure: dict[str, Any]) -> Call[None]:
    """Replace the title, description and structure of an ontology, all three at once.

    :param structure: A complete structure, as `complete_structure` returns it.
    """
    body = {"title": title, "description": description, "editor": structure}
    return Call(request=Request("PUT", f"ontologies/{ontology}", json=body), changes=True, read=ignored)
