"""Ontologies with the older v1 API, for SSH keys. SDK 0.1.153 replaced them by v2. The records are the same.

A project's ontology is read with the headers of the project, any other with its own headers. A save sends back all
fields that were read.
"""

from __future__ import annotations

from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.listing import NO_FILTER, Filter
from airflow_provider_encord.client.api.core.reading import accepted, made, several, single, v1_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.api.ontologies import OntologyRecord
from airflow_provider_encord.client.call import Call, Envelope, Resource


class _OntologyV1(msgspec.Struct, frozen=True, kw_only=True):
    ontology_hash: str
    title: str
    description: str | None = ""
    editor: dict[str, Any] = {}
    created_at: str | None = None
    last_edited_at: str | None = None

    def record(self, user_role: int | None = None) -> OntologyRecord:
        return OntologyRecord(
            ontology_uuid=self.ontology_hash,
            title=self.title,
            description=self.description,
            editor=self.editor,
            created_at=self.created_at,
            last_edited_at=self.last_edited_at,
            user_role=user_role,
        )


class _ListedV1(msgspec.Struct, frozen=True, kw_only=True):
    ontology: _OntologyV1
    user_role: int | None = None


_READ = single(v1_reader(_OntologyV1))
_MADE = made(v1_reader(_OntologyV1))
_LISTED = several(v1_reader(list[_ListedV1]))


@operation("ontology.get", "v1")
def get_ontology_v1(ontology: str, *, project: str | None = None) -> Call[OntologyRecord]:
    """Read an ontology by its id.

    :param project: Id of a project that uses the ontology; for users who have a role only in the project.
    """
    resource = Resource("project", project) if project else Resource("ontology", ontology)
    request = Envelope("ontology", "GET", resource, uid=ontology)
    return Call(request=request, read=lambda answer: _READ(answer).record())


@operation("ontology.list", "v1")
def list_ontologies_v1(which: Filter = NO_FILTER) -> Call[list[OntologyRecord]]:
    """List all ontologies of which the user is a member, in one response.

    :param which: The filter, without `include_organisation`, which v1 does not support.
    """

    def read(answer: bytes) -> list[OntologyRecord]:
        return [listed.ontology.record(listed.user_role) for listed in _LISTED(answer)]

    return Call(request=Envelope("ontologywithuserrole", "GET", payload=which.payload()), read=read)


@operation("ontology.create", "v1")
def create_ontology_v1(title: str, *, structure: dict[str, Any], description: str = "") -> Call[OntologyRecord]:
    """Create an ontology.

    :param structure: A complete structure, as `complete_structure` returns it.
    """
    payload = {"title": title, "description": description, "editor": structure}
    request = Envelope("ontology", "POST", payload=payload)
    return Call(request=request, changes=True, repeatable=False, read=lambda answer: _MADE(answer).record())


@operation("ontology.update", "v1")
def update_ontology_v1(ontology: OntologyRecord) -> Call[None]:
    """Replace title, description and structure of an ontology.

    :param ontology: The record that was read, with the changes.
    """
    payload = {
        "ontology_hash": ontology.ontology_uuid,
        "title": ontology.title,
        "description": ontology.description,
        "editor": ontology.editor,
        "created_at": ontology.created_at,
        "last_edited_at": ontology.last_edited_at,
    }
    resource = Resource("ontology", ontology.ontology_uuid)
    request = Envelope("ontology", "PUT", resource, uid=ontology.ontology_uuid, payload=payload)
    return Call(request=request, changes=True, read=accepted)
