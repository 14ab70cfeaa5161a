"""Rows of the table: ontologies."""

from __future__ import annotations

from ..projects import ontologies
from ..requests.filters import Listing, V1FilterPayload
from ..requests.operations import Operation
from .rows import CHANGES, ONTOLOGY, PROJECT, READS, USER, v1, v2

# fmt: off
OPERATIONS: tuple[Operation, ...] = (
    v2(READS, "ontology.get", "GET ontologies/{ontology}", ontologies.get),
    v2(READS, "ontology.list", "GET ontologies", ontologies.list_all, Listing),
    v2(CHANGES, "ontology.create", "POST ontologies", ontologies.create, body=ontologies.OntologyBody),
    v2(CHANGES, "ontology.update", "PUT ontologies/{ontology}", ontologies.update, body=ontologies.OntologyBody),
    v1(READS, "ontology.get (v1)", "ontology GET", ontologies.get_v1, ONTOLOGY, PROJECT, uid=str),
    v1(READS, "ontology.list (v1)", "ontologywithuserrole GET", ontologies.list_v1, USER, payload=V1FilterPayload),
    v1(CHANGES, "ontology.create (v1)", "ontology POST", ontologies.create_v1, USER,
        payload=ontologies.OntologyRequest),
    v1(CHANGES, "ontology.update (v1)", "ontology PUT", ontologies.update_v1, ONTOLOGY, PROJECT, USER,
        uid=str, payload=ontologies.WholeOntology),
)
# fmt: on
