"""Read operations of the registry, each tried once where there is something to try it on.

What is left out, and why, stands here too: a test holds that no read is forgotten.
"""

from __future__ import annotations

from airflow_provider_encord.client.api import datasets, keys, labels, ontologies, organisation, projects
from airflow_provider_encord.client.call import Resource
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.smoke.visit import Reply, Visit

MOST_PROJECTS = 2
MOST_DATASETS = 2
_ROWS_WITH_LABELS = 2

_BESIDE = "the smoke test keeps to what the operators read first; fields of this answer are not compared"
_BESIDE_THE_MAIN_JOB = {
    "v1": (
        "dataset.data_row.get label_logs.list ontology.get ontology.list project.get_data project.get_ontology "
        "projects.list"
    ),
    "v2": (
        "analytics.collaborator_timers analytics.task_actions analytics.time_spent dataset.list_groups "
        "dataset.list_users editor_logs.list groups.get groups.list groups.list_users label_rows.classifications "
        "label_rows.validation_state ontology.list_groups organisation.list_users organisation_tags.list "
        "project.get_issue_tags project.get_ontology project.get_organisation_tags project.list_branches "
        "project.list_groups project.list_users storage.folder.get storage.folder.items storage.folder.list_groups "
        "storage.folder.subfolders storage.folder.summary storage.folders.list storage.folders.search "
        "storage.item.children storage.item.get storage.item.summary storage.items.get_bulk storage.items.search "
        "workflow.task.issues.list workflow.task.label_reviews.list workflow.tasks.list"
    ),
}
_JOB = "it needs a job, and starting one is a write"

LEFT_OUT = {
    **{(name, api): _BESIDE for api, names in _BESIDE_THE_MAIN_JOB.items() for name in names.split()},
    ("dataset.re_encode_data_status", "v1"): _JOB,
    ("storage.add_private_data result", "v2"): _JOB,
    ("storage.cloud_sync result", "v2"): _JOB,
    ("storage.items.re_encode_status", "v2"): _JOB,
    ("upload.signed_urls", "v2"): "it prepares an upload: what comes is leave to write",
    ("upload.signed_urls", "v1"): "it prepares an upload: what comes is leave to write",
    ("dataset.add_private_data result", "v1"): _JOB,
}


def begin(visit: Visit) -> Reply:
    """The first read, by which one sees whether the connection works at all."""
    as_user = isinstance(visit.credential, SshKey)
    return visit.ask(projects.list_projects() if as_user else keys.get_key_resource())


def read_everything(visit: Visit, project: str | None = None, dataset: str | None = None) -> None:
    """Try every read but the first, which `begin` has sent.

    :param project: Id of the project to look at; None takes the first ones that can be listed.
    :param dataset: Id of the dataset, likewise; datasets of the project that is looked at come first.
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
    seen = [one.project_hash for _, page in visit.values("projects.list", "v2") for one in page.results]
    visit.projects = [project] if project else seen[:MOST_PROJECTS]
    attached = [one for each in visit.projects for one in _read_project(visit, each)]
    for first in visit.projects[:1]:
        resource = Resource("project", first)
        visit.ask(organisation.list_cloud_integrations_v1(resource), visit.alias("project", first))
    others = [one.dataset_hash for one in listed_datasets.value or []]
    visit.datasets = [dataset] if dataset else list(dict.fromkeys(attached + others))[:MOST_DATASETS]
    for each in visit.datasets:
        _read_dataset(visit, each)
        visit.ask(keys.list_dataset_api_keys(each), visit.alias("dataset", each))


def _read_project(visit: Visit, project: str) -> list[str]:
    """Read what a user can read of a project; the ids of its datasets."""
    about = visit.alias("project", project)
    record = visit.ask(projects.get_project(project), about)
    attached = visit.ask(projects.list_project_datasets(project), about)
    _read_project_v1(visit, project)
    visit.ask(keys.list_project_api_keys(project), about)
    ontology = record.value.ontology_hash if record.answered else None
    if ontology:
        visit.ask(ontologies.get_ontology(ontology), visit.alias("ontology", ontology))
    return [one.dataset_hash for one in attached.value.results] if attached.answered else []


def _read_project_v1(visit: Visit, project: str) -> None:
    about = visit.alias("project", project)
    visit.ask(projects.get_project_v1(project), about)
    visit.ask(projects.list_project_datasets_v1(project), about)
    rows = visit.ask(labels.list_label_rows(project), about)
    begun = [one.label_hash for one in rows.value or [] if one.label_hash][:_ROWS_WITH_LABELS]
    if begun:
        visit.ask(labels.get_label_rows(project, begun), about)


def _read_dataset(visit: Visit, dataset: str) -> None:
    about = visit.alias("dataset", dataset)
    visit.ask(datasets.get_dataset(dataset), about)
    visit.ask(datasets.list_data_rows(dataset), about)
