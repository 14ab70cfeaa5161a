"""An ontology. SSH keys only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.api import ontologies
from airflow_provider_encord.client.api.listing import Filter
from airflow_provider_encord.client.api.ontologies import OntologyRecord
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.resources.creation import Created, create_once
from airflow_provider_encord.client.resources.identifiers import require_id
from airflow_provider_encord.client.resources.sender import Sender
from airflow_provider_encord.client.structure import complete_structure


class Ontology:
    """Handle on one ontology. Making it sends nothing.

    :param client: Sends what the methods need.
    :param id: The ontology's id.
    """

    def __init__(self, client: Sender, id: str):  # noqa: A002 - the word for it
        self._client = client
        self.id = require_id(id, "ontology")

    def __repr__(self) -> str:
        return f"Ontology({self.id!r})"

    def get(self) -> OntologyRecord:
        """The ontology with its structure."""
        return self._client.send(ontologies.get_ontology(self.id))


def _id(created: OntologyRecord) -> str:
    return created.ontology_uuid


def create_ontology_once(
    title: str, *, structure: Mapping[str, Any] | None, description: str = "", if_exists: str
) -> Flow[Created]:
    """Create an ontology unless there is one of its title; see `create_once` and `complete_structure`."""
    create = ontologies.create_ontology(title, structure=complete_structure(structure), description=description)

    def find() -> Flow[Sequence[str]]:
        page = yield from ontologies.list_ontologies(Filter(title_eq=title))
        return [one.ontology_uuid for one in page.results if one.title == title]

    return (yield from create_once("ontology", title, find=find, create=create, id_of=_id, if_exists=if_exists))
