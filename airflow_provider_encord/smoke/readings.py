"""Send the read operations of the registry, each at least once if the account has data for it.

`LEFT_OUT` lists the operations that are not sent, with the reason. A test checks that no read operation is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_encord.client.api import (
    data_rows,
    datasets,
    keys,
    labels,
    members,
    ontologies,
    organisation,
    projects,
)
from airflow_provider_encord.client.api.core.listing import NO_FILTER, Filter
from airflow_provider_encord.client.api.trained import project_models
from airflow_provider_encord.client.call import Resource
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.smoke.reads.collections import read_collections, read_collections_of_project
from airflow_provider_encord.smoke.reads.models import read_models
from airflow_provider_encord.smoke.reads.people import (
    read_organisation,
    read_people_of_dataset,
    read_people_of_project,
)
from airflow_provider_encord.smoke.reads.storage import read_storage
from airflow_provider_encord.smoke.reads.work import read_work, read_work_v1
from airflow_provider_encord.smoke.visit import Reply, Visit

MOST_PROJECTS = 2
MOST_DATASETS = 2
_ROWS_WITH_LABELS = 2

_JOB = "it needs a running job, and starting a job is a write"
_PREDICTION = "it computes something new"
_UPLOAD = "it prepares an upload: the answer contains permission to write"

LEFT_OUT = {
    ("dataset.re_encode_data_status", "v1"): _JOB,
    ("cvat_import.result", "v2"): _JOB,
    ("dicom_deidentification.result", "v2"): _JOB,
    ("label_rows.interpolate", "v1"): _PREDICTION,
    ("ml_models.trainings.result", "v2"): _JOB,
    ("ml_models.trainings.weights_link", "v2"): "the answer contains permission to read a whole model",
    ("project.models.predict_classification", "v2"): _PREDICTION,
    ("project.models.predict_objects", "v2"): _PREDICTION,
    ("project.models.predict_segments", "v2"): _PREDICTION,
    ("dataset.add_private_data result", "v1"): _JOB,
    ("storage.add_private_data result", "v2"): _JOB,
    ("storage.cloud_sync result", "v2"): _JOB,
    ("storage.items.re_encode_status", "v2"): _JOB,
    ("upload.signed_urls", "v1"): _UPLOAD,
    ("upload.signed_urls", "v2"): _UPLOAD,
}
"""Reads that are never sent, with the reason."""


def begin(visit: Visit) -> Reply:
    """Send the first read. It shows whether the connection works."""
    as_user = isinstance(visit.credential, SshKey)
    return visit.ask(projects.list_projects() if as_user else keys.get_key_resource())


def read_everything(visit: Visit, project: str | None = None, dataset: str | None = None) -> None:
    """Send all reads except the first, which `begin` sends.

    :param project: Id of the project to read. Default: the first projects of the listing.
    :param dataset: Id of the dataset to read. Default: datasets of the project, then other datasets of the listing.
    """
    if isinstance(visit.credential, SshKey):
        _read_as_user(visit, project, dataset)
    else:
        _read_as_key(visit)


def _read_as_key(visit: Visit) -> None:
    if not any(reply.answered for reply in visit.of("api_key.lookup", "v1")):
        return
    own = visit.client.key_resource
    if own is None or own.id is None:
        return
    if own.kind == "project":
        visit.projects = [own.id]
        _read_project_v1(visit, own.id)
    else:
        visit.datasets = [own.id]
        _read_dataset(visit, own.id)
    visit.ask(organisation.list_cloud_integrations_v1(own), visit.alias(own.kind or "", own.id))


def _read_as_user(visit: Visit, project: str | None, dataset: str | None) -> None:
    listed_datasets = visit.ask(datasets.list_datasets())
    visit.ask(ontologies.list_ontologies())
    visit.ask(organisation.list_cloud_integrations())
    visit.ask(organisation.get_bearer_token())
    read_organisation(visit)
    listed = [record for _, page in visit.values("projects.list", "v2") for record in page.results]
    # The v1 listing has no pages. A filter keeps its answer small.
    visit.ask(projects.list_projects_v1(_titled(listed)))
    seen = [record.project_hash for record in listed]
    visit.projects = [project] if project else seen[:MOST_PROJECTS]
    attached = [dataset_id for each in visit.projects for dataset_id in _read_project(visit, each)]
    for first in visit.projects[:1]:
        resource = Resource("project", first)
        visit.ask(organisation.list_cloud_integrations_v1(resource), visit.alias("project", first))
        visit.ask(projects.get_project_ontology(first), visit.alias("project", first))
        read_people_of_project(visit, first)
        read_work(visit, first)
        read_collections_of_project(visit, first)
        visit.ask(project_models.list_project_models(first), visit.alias("project", first))
    others = [record.dataset_hash for record in listed_datasets.value or []]
    visit.datasets = [dataset] if dataset else list(dict.fromkeys(attached + others))[:MOST_DATASETS]
    for each in visit.datasets:
        _read_dataset(visit, each)
        visit.ask(keys.list_dataset_api_keys(each), visit.alias("dataset", each))
    for first in visit.datasets[:1]:
        read_people_of_dataset(visit, first)
    read_storage(visit)
    read_collections(visit)
    read_models(visit)


def _titled(records: Sequence[Any]) -> Filter:
    return Filter(title_eq=records[0].title) if records else NO_FILTER


def _read_project(visit: Visit, project: str) -> list[str]:
    """Read a project as a user.

    :return: The ids of its datasets.
    """
    about = visit.alias("project", project)
    record = visit.ask(projects.get_project(project), about)
    attached = visit.ask(projects.list_project_datasets(project), about)
    _read_project_v1(visit, project)
    visit.ask(keys.list_project_api_keys(project), about)
    ontology = record.value.ontology_hash if record.answered else None
    if ontology:
        about_ontology = visit.alias("ontology", ontology)
        visit.ask(ontologies.get_ontology(ontology), about_ontology)
        if project == visit.projects[0]:
            visit.ask(members.list_ontology_groups(ontology), about_ontology)
    return [record.dataset_hash for record in attached.value.results] if attached.answered else []


def _read_project_v1(visit: Visit, project: str) -> None:
    about = visit.alias("project", project)
    visit.ask(projects.get_project_v1(project), about)
    visit.ask(projects.list_project_datasets_v1(project), about)
    rows = visit.ask(labels.list_label_rows(project), about)
    with_labels = [row.label_hash for row in rows.value or [] if row.label_hash][:_ROWS_WITH_LABELS]
    if with_labels:
        visit.ask(labels.get_label_rows(project, with_labels), about)
    if project == visit.projects[0]:
        visit.ask(projects.get_project_ontology_v1(project), about)
        read_work_v1(visit, project)


def _read_dataset(visit: Visit, dataset: str) -> None:
    about = visit.alias("dataset", dataset)
    visit.ask(datasets.get_dataset(dataset), about)
    rows = visit.ask(datasets.list_data_rows(dataset), about)
    for row in rows.value[:1] if rows.answered and dataset == visit.datasets[0] else ():
        visit.ask(data_rows.get_data_row(dataset, row.data_hash, images_data=True, client_metadata=True), about)
