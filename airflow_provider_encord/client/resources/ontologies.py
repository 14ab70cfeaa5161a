"""An ontology. SSH keys only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_encord.client.api import ontologies
from airflow_provider_encord.client.api.ontologies import OntologyRecord
from airflow_provider_encord.client.client_protocol import ClientProtocol
from airflow_provider_encord.client.flows import members
from airflow_provider_encord.client.flows.ontologies import update
from airflow_provider_encord.client.identifiers import require_id
from airflow_provider_encord.client.resources.members import HasGroups


class Ontology(HasGroups):
    """Handle on one ontology. Creating the handle sends no request.

    :param client: Sends the requests of the methods.
    :param id: The ontology's id.
    """

    member_calls = members.OF_ONTOLOGY

    def __init__(self, client: ClientProtocol, id: str):  # noqa: A002 - the word for it
        self._client = client
        self.id = require_id(id, "ontology_id")

    def __repr__(self) -> str:
        return f"Ontology({self.id!r})"

    def get(self) -> OntologyRecord:
        """The ontology with its structure."""
        return self._client.send(ontologies.get_ontology(self.id))

    def update(
        self,
        *,
        title: str | None = None,
        description: str | None = None,
        structure: Mapping[str, Any] | None = None,
    ) -> None:
        """Change the ontology; safe to repeat. Arguments that are None leave their part unchanged.

        :param structure: The new structure; see `complete_structure`. If it leaves a feature out, existing labels of
            this feature lose it.
        """
        self._client.run(update(self.id, title=title, description=description, structure=structure))
