"""The table: every operation that the emulator serves, once. Routing, journal, landing page and tests read it.

To add an operation: a function in the module of its subject, and a row here. A row says whether it changes anything,
its name, its place on the wire, who does it; for v1 what it may be about, and which API keys may ask (``key``).
"""

from __future__ import annotations

import re
from typing import Any

from . import data_rows, datasets, label_listing, labels, ontologies, organisation, people, projects, uploads, workflow
from .filters import Listing, V1FilterPayload
from .operations import V1, V2, Handler, Operation, Scope
from .shapes import NoQuery, StrictCamel

READS, CHANGES = False, True
USER, PROJECT, DATASET, ONTOLOGY = Scope.USER, Scope.PROJECT, Scope.DATASET, Scope.ONTOLOGY
ANY_KEY: tuple[str, ...] = ()
LABEL_READ, LABEL_WRITE = ("label.read",), ("label.write",)
DATA_READ, DATA_WRITE, DATA_EITHER = ("dataset.read",), ("dataset.write",), ("dataset.read", "dataset.write")
ONE_OR_MANY = str | list[str]


def _v1(
    changes: bool,
    name: str,
    place: str,
    handler: Handler,
    *on: Scope,
    uid: Any = None,
    payload: Any = None,
    key: tuple[str, ...] | None = None,
) -> V1:
    """A row of the envelope family; ``place`` is query type and verb."""
    query_type, verb = place.split()
    return V1(
        name=name,
        changes=changes,
        handler=handler,
        api_key=key,
        query_type=query_type,
        verb=verb,
        scopes=on,
        uid=uid,
        payload=payload,
    )


def _v2(
    changes: bool, name: str, place: str, handler: Handler, query: type[StrictCamel] = NoQuery, body: Any = None
) -> V2:
    """A row of the REST family; ``place`` is method and path."""
    method, path = place.split()
    return V2(name=name, changes=changes, handler=handler, method=method, path=path, query=query, body=body)


# fmt: off
OPERATIONS: tuple[Operation, ...] = (
    # API keys
    _v1(READS, "api_key.lookup", "apikeymeta GET", people.api_key_meta, PROJECT, DATASET, key=ANY_KEY),
    _v1(CHANGES, "api_key.project.create", "projectapikey POST", people.create_project_key, USER,
        uid=str, payload=people.ProjectKeyRequest),
    _v1(READS, "api_key.project.list", "projectapikey GET", people.list_project_keys, USER, uid=str),
    _v1(CHANGES, "api_key.dataset.create", "datasetapikey POST", people.create_dataset_key, USER,
        payload=people.DatasetKeyRequest),
    _v1(READS, "api_key.dataset.list", "datasetapikey GET", people.list_dataset_keys, USER,
        payload=people.DatasetKeyQuestion),
    # User and organisation
    _v2(READS, "user.bearer_token", "GET user/bearer-token", people.bearer_token),
    _v2(READS, "organisation_tags.list", "GET organisation/organisation-tags", organisation.tags),
    _v2(READS, "cloud_integrations.list", "GET cloud-integrations", organisation.integrations,
        organisation.IntegrationQuery),
    _v1(READS, "cloud_integrations.list (v1)", "cloudintegration GET", organisation.integrations_v1,
        USER, PROJECT, DATASET, key=ANY_KEY),
    # Projects
    _v2(READS, "projects.list", "GET projects", projects.list_page, projects.ProjectListing),
    _v1(READS, "projects.list (v1)", "projectwithuserrole GET", projects.list_v1, USER, payload=V1FilterPayload),
    _v2(READS, "project.get", "GET projects/{project}", projects.get),
    _v1(READS, "project.get (v1)", "project GET", projects.get_v1, PROJECT,
        payload=projects.ProjectQuestion | None, key=ANY_KEY),
    _v1(CHANGES, "project.create", "project POST", projects.create, USER, payload=projects.ProjectRequest),
    _v1(CHANGES, "project.replace_ontology", "project POST", projects.replace_structure, PROJECT,
        payload=projects.EditorRequest, key=LABEL_WRITE),
    _v2(READS, "project.list_datasets", "GET projects/{project}/datasets", projects.list_datasets),
    _v1(CHANGES, "project.add_datasets", "projectdataset POST", projects.attach_datasets, PROJECT,
        payload=projects.DatasetHashes, key=LABEL_WRITE),
    _v1(CHANGES, "project.remove_datasets", "projectdataset DELETE", projects.detach_datasets, PROJECT,
        uid=list[str], key=LABEL_WRITE),
    # Ontologies
    _v2(READS, "ontology.get", "GET ontologies/{ontology}", ontologies.get),
    _v2(READS, "ontology.list", "GET ontologies", ontologies.list_all, Listing),
    _v2(CHANGES, "ontology.create", "POST ontologies", ontologies.create, body=ontologies.OntologyBody),
    _v2(CHANGES, "ontology.update", "PUT ontologies/{ontology}", ontologies.update, body=ontologies.OntologyBody),
    _v1(READS, "ontology.get (v1)", "ontology GET", ontologies.get_v1, ONTOLOGY, PROJECT, uid=str),
    _v1(READS, "ontology.list (v1)", "ontologywithuserrole GET", ontologies.list_v1, USER, payload=V1FilterPayload),
    _v1(CHANGES, "ontology.create (v1)", "ontology POST", ontologies.create_v1, USER,
        payload=ontologies.OntologyRequest),
    _v1(CHANGES, "ontology.update (v1)", "ontology PUT", ontologies.update_v1, ONTOLOGY, PROJECT, USER,
        uid=str, payload=ontologies.WholeOntology),
    # Label rows
    _v1(READS, "label_rows.list", "labelrowmetadata GET", label_listing.list_metadata, PROJECT,
        payload=label_listing.MetadataQuestion | None, key=LABEL_READ),
    _v1(READS, "label_rows.get", "labelrow GET", labels.read, PROJECT,
        uid=ONE_OR_MANY, payload=labels.ReadRequest | None, key=LABEL_READ),
    _v1(CHANGES, "label_rows.create", "labelrow PUT", labels.create, PROJECT,
        uid=ONE_OR_MANY, payload=labels.CreateRequest | None, key=LABEL_WRITE),
    _v1(CHANGES, "label_rows.save", "labelrow POST", labels.save, PROJECT,
        uid=ONE_OR_MANY, payload=dict[str, Any], key=LABEL_WRITE),
    _v1(CHANGES, "label_rows.workflow_move", "labelworkflowgraphnode POST", workflow.move_rows, PROJECT,
        uid=list[str], payload=workflow.GraphNodeAction, key=LABEL_WRITE),
    _v1(READS, "project.get_data", "datasetdata GET", data_rows.get_links, PROJECT,
        uid=data_rows.DataUid, key=LABEL_READ),
    # Datasets
    _v2(READS, "datasets.list", "GET datasets/list", datasets.list_all, datasets.DatasetListing),
    _v1(READS, "datasets.list (v1)", "datasetwithuserrole GET", datasets.list_v1, USER,
        payload=datasets.DatasetListRequest),
    _v2(CHANGES, "dataset.create", "POST datasets", datasets.create, body=datasets.DatasetBody),
    _v1(CHANGES, "dataset.create (v1)", "dataset POST", datasets.create_v1, USER, payload=datasets.DatasetRequest),
    _v1(READS, "dataset.get", "dataset GET", datasets.get, DATASET,
        payload=datasets.DatasetQuestion | None, key=DATA_READ),
    _v1(READS, "dataset.list_data_rows", "datarows GET", data_rows.list_rows, DATASET,
        payload=data_rows.DataRowsQuestion, key=DATA_READ),
    _v1(READS, "dataset.data_row.get", "datarow GET", data_rows.get, DATASET,
        uid=str, payload=data_rows.DataRowQuestion | None, key=DATA_READ),
    _v1(CHANGES, "dataset.delete_data", "video DELETE", data_rows.delete, DATASET, uid=list[str], key=DATA_WRITE),
    # Uploads
    _v2(READS, "upload.presigned_urls", "GET presigned-urls", uploads.presigned_urls, uploads.PresignedQuery),
    _v1(READS, "upload.signed_image_urls", "signedimagesurl GET", uploads.signed_urls_of_many, DATASET,
        uid=list[str], key=DATA_WRITE),
    _v1(READS, "upload.signed_dicom_urls", "signeddicomsurl GET", uploads.signed_urls_of_many, DATASET,
        uid=list[str], key=DATA_WRITE),
    _v1(READS, "upload.signed_video_url", "signedvideourl GET", uploads.signed_url_of_one, DATASET,
        uid=str, key=DATA_WRITE),
    _v1(READS, "upload.signed_audio_url", "signedaudiourl GET", uploads.signed_url_of_one, DATASET,
        uid=str, key=DATA_WRITE),
    _v1(CHANGES, "upload.start", "datasetdatalongpolling POST", uploads.start, DATASET,
        uid=str, payload=uploads.StartRequest, key=DATA_WRITE),
    _v1(READS, "upload.poll", "datasetdatalongpolling GET", uploads.poll, DATASET,
        uid=str, payload=uploads.PollRequest, key=DATA_EITHER),
    _v1(CHANGES, "upload.register_image (2022)", "singleimage POST", uploads.register_image, DATASET,
        payload=uploads.SignedUrl, key=DATA_WRITE),
    _v1(CHANGES, "upload.register_video (2022)", "video PUT", uploads.register_video, DATASET,
        uid=str, payload=uploads.SignedUrl, key=DATA_WRITE),
)
# fmt: on


def _by_type_and_verb() -> dict[tuple[str, str], list[V1]]:
    table: dict[tuple[str, str], list[V1]] = {}
    for operation in OPERATIONS:
        if isinstance(operation, V1):
            table.setdefault((operation.query_type, operation.verb), []).append(operation)
    return table


V1_OPERATIONS = _by_type_and_verb()
V2_OPERATIONS: list[tuple[re.Pattern[str], V2]] = [
    (operation.pattern(), operation) for operation in OPERATIONS if isinstance(operation, V2)
]
