"""Ontologies: creating one just once, and changing a part of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.api import ontologies
from airflow_provider_encord.client.api.core.listing import Filter
from airflow_provider_encord.client.api.ontologies import OntologyRecord
from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.flows.creation import (
    Created,
    Existing,
    another_description,
    existing,
    get_or_create,
    require_title,
)
from airflow_provider_encord.client.structure import complete_structure
from airflow_provider_encord.client.structure_differences import differences


def update(
    ontology: str, *, title: str | None, description: str | None, structure: Mapping[str, Any] | None
) -> Flow[None]:
    """Change an ontology. Encord replaces all three parts at once, so the present values are read first."""
    complete = None if structure is None else complete_structure(structure)
    there = yield from ontologies.get_ontology(ontology)
    yield from ontologies.update_ontology(
        ontology,
        title=there.title if title is None else require_title(title),
        description=(there.description or "") if description is None else description,
        structure=there.editor if complete is None else complete,
    )


def _id(created: OntologyRecord) -> str:
    return created.ontology_uuid


def create_ontology_once(
    title: str, *, structure: Mapping[str, Any] | None, description: str = "", if_exists: str
) -> Flow[Created]:
    """Create an ontology, or reuse one with the same title; see `get_or_create` and `complete_structure`."""
    complete = complete_structure(structure)

    def create(title: str) -> Call[Any]:
        return ontologies.create_ontology(title, structure=complete, description=description)

    def differs(there: OntologyRecord) -> list[str]:
        parts = [] if structure is None else differences(complete, there.editor)
        return parts + another_description(description, there.description)

    def find(title: str) -> Flow[Sequence[Existing]]:
        found = yield from ontologies.all_ontologies(Filter(title_eq=title))
        return existing(title, found, id_of=_id, differs=differs)

    return (yield from get_or_create("ontology", title, find=find, create=create, id_of=_id, if_exists=if_exists))
