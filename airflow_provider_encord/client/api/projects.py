"""Projects: list, read and create them, and attach their datasets.

A project is read with v2 if the credential is an SSH key. With an API key, only the v1 read is possible. Both return
the same record; fields that v1 does not return are None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.listing import NO_FILTER, Filter, every_page
from airflow_provider_encord.client.api.core.reading import (
    Page,
    accepted,
    ignored,
    made,
    several,
    single,
    v1_reader,
    v2_reader,
)
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import SSH_OR_API_KEY, Call, Envelope, Flow, Request, Resource, named
from airflow_provider_encord.defaults import PROJECT_STATUSES


class Pathway(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A pathway from an agent stage to another stage."""

    uuid: str
    title: str
    destination_uuid: str | None = None


class Stage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A stage of a workflow.

    :param stage_type: ``ANNOTATION``, ``REVIEW``, ``AGENT``, ``DONE``, ..., or a newer value.
    """

    stage_type: str
    uuid: str
    title: str
    pathways: list[Pathway] | None = None


class Workflow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The workflow of a project."""

    stages: list[Stage] = []


class ProjectDataset(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A dataset that is attached to a project."""

    dataset_hash: str
    title: str = ""
    description: str | None = ""


class ProjectRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A project. Fields that Encord does not return are None.

    :param project_type: ``"workflow"`` or ``"manual_qa"``. With an API key, this and other fields after `description`
        are None, because v1 does not return them.
    :param status: ``"notStarted"``, ``"inProgress"``, ...
    :param user_role: 0 admin, 1 annotator, 2 reviewer, 3 annotator and reviewer, 4 team manager, 5 viewer.
    :param workflow: The workflow with its stages; None unless it is a workflow project.
    """

    project_hash: str
    title: str
    description: str | None = ""
    ontology_hash: str | None = None
    created_at: str | None = None
    last_edited_at: str | None = None
    project_type: str | None = None
    status: str | None = None
    creator_email: str | None = None
    user_role: int | None = None
    workflow: Workflow | None = None


class ProjectOntology(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The ontology of a project, with the fields that both kinds of credential receive.

    :param editor_ontology: The structure: ``objects``, ``classifications`` and possibly ``skeleton_templates``. Keys
        inside are not renamed.
    """

    ontology_hash: str | None = None
    editor_ontology: dict[str, Any]


class _OntologyV1(msgspec.Struct, frozen=True, kw_only=True):
    editor_ontology: dict[str, Any]
    ontology_hash: str | None = None

    def record(self) -> ProjectOntology:
        return ProjectOntology(ontology_hash=self.ontology_hash, editor_ontology=self.editor_ontology)


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """A branch of a project's labels. The main branch is called ``main``."""

    name: str


class _ListedV1(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the v1 listing."""

    class Head(msgspec.Struct, frozen=True, kw_only=True):
        project_hash: str
        title: str
        description: str | None = ""
        created_at: str | None = None
        last_edited_at: str | None = None

    project: Head
    user_role: int | None = None

    def record(self) -> ProjectRecord:
        return ProjectRecord(
            project_hash=self.project.project_hash,
            title=self.project.title,
            description=self.project.description,
            created_at=self.project.created_at,
            last_edited_at=self.project.last_edited_at,
            user_role=self.user_role,
        )


class _ProjectV1(msgspec.Struct, frozen=True, kw_only=True):
    """The v1 response. The label rows in it are skipped; the structure is skipped unless it is needed."""

    class Dataset(msgspec.Struct, frozen=True, kw_only=True):
        dataset_hash: str
        title: str = ""
        description: str | None = ""

    project_hash: str
    title: str
    description: str | None = ""
    ontology_hash: str | None = None
    created_at: str | None = None
    last_edited_at: str | None = None
    datasets: list[Dataset] | None = None

    def record(self) -> ProjectRecord:
        return ProjectRecord(
            project_hash=self.project_hash,
            title=self.title,
            description=self.description,
            ontology_hash=self.ontology_hash,
            created_at=self.created_at,
            last_edited_at=self.last_edited_at,
        )

    def attached(self) -> list[ProjectDataset]:
        return [
            ProjectDataset(dataset_hash=dataset.dataset_hash, title=dataset.title, description=dataset.description)
            for dataset in self.datasets or []
        ]


_PROJECT = v2_reader(ProjectRecord)
_PROJECTS = v2_reader(Page[ProjectRecord])
_PROJECT_V1 = single(v1_reader(_ProjectV1))
_PROJECTS_V1 = several(v1_reader(list[_ListedV1]))
_ONTOLOGY = v2_reader(ProjectOntology)
_ONTOLOGY_V1 = single(v1_reader(_OntologyV1))
_BRANCHES = v2_reader(Page[Branch])
_PROJECT_DATASETS = v2_reader(Page[ProjectDataset])
_PROJECT_HASH = made(v1_reader(str))


STATUSES = PROJECT_STATUSES


def project_resource(project: str) -> Resource:
    """A project as the resource of a v1 request."""
    return Resource("project", project)


@operation("projects.list", "v2")
def list_projects(
    which: Filter = NO_FILTER,
    *,
    tags: Sequence[str] = (),
    page: str | None = None,
) -> Call[Page[ProjectRecord]]:
    """List one page of the projects that the user can see.

    :param tags: Names of organisation tags. A project is listed if it has at least one of them.
    :param page: Token of the page; None for the first.
    """
    query = {**which.query(description="desc"), "tagsAnyof": list(tags), "pageToken": page}
    return Call(request=Request("GET", "projects", query), read=_PROJECTS)


def all_projects(which: Filter, *, tags: Sequence[str] = ()) -> Flow[list[ProjectRecord]]:
    """List all projects that the user can see and that match the filter."""
    return (yield from every_page(lambda page: list_projects(which, tags=tags, page=page)))


@operation("projects.list", "v1")
def list_projects_v1(which: Filter = NO_FILTER) -> Call[list[ProjectRecord]]:
    """List all projects of which the user is a member, in one response. The v1 listing returns fewer fields.

    :param which: The filter, without `include_organisation`, which v1 does not support.
    """

    def read(answer: bytes) -> list[ProjectRecord]:
        return [project.record() for project in _PROJECTS_V1(answer)]

    return Call(request=Envelope("projectwithuserrole", "GET", payload=which.payload()), read=read)


@operation("project.get", "v2")
def get_project(project: str) -> Call[ProjectRecord]:
    """Read a project by its id."""
    return Call(request=Request("GET", f"projects/{project}"), read=_PROJECT)


def _get_project_v1(project: str, read: Any, include_labels_metadata: bool = False) -> Call[Any]:
    payload = {"include_labels_metadata": include_labels_metadata}
    request = Envelope("project", "GET", project_resource(project), payload=payload)
    return Call(request=request, credentials=SSH_OR_API_KEY, read=read)


@operation("project.get", "v1")
def get_project_v1(project: str, *, include_labels_metadata: bool = False) -> Call[ProjectRecord]:
    """Read a project by its id with v1, which works with an API key.

    :param include_labels_metadata: Let Encord include the metadata of all label rows, which the record leaves out.
    """
    return _get_project_v1(project, lambda answer: _PROJECT_V1(answer).record(), include_labels_metadata)


@operation("project.get_ontology", "v2")
def get_project_ontology(project: str) -> Call[ProjectOntology]:
    """Read the ontology of a project from the project itself. Everyone who can see the project can read it."""
    return Call(request=Request("GET", f"projects/{project}"), read=_ONTOLOGY)


@operation("project.get_ontology", "v1")
def get_project_ontology_v1(project: str) -> Call[ProjectOntology]:
    """Read the ontology of a project from the project itself with v1, which works with an API key."""
    return _get_project_v1(project, lambda answer: _ONTOLOGY_V1(answer).record())


@operation("project.create", "v1")
def create_project(
    title: str,
    *,
    description: str = "",
    datasets: Sequence[str] = (),
    ontology: str | None = None,
    workflow_template: str | None = None,
    benchmark_of: Sequence[str] = (),
) -> Call[str]:
    """Create a project. The result is its id. The API cannot delete a project, so a repeated creation stays.

    :param datasets: Ids of the datasets to attach.
    :param ontology: Id of the ontology; None lets Encord create an empty one.
    :param workflow_template: Id of a template made in the web app; None for Encord's default workflow.
    :param benchmark_of: Ids of source projects. If given, the new project is a benchmark project.
    """
    payload: dict[str, Any] = {"title": title, "description": description, "dataset_hashes": list(datasets)}
    payload["workflow_type"] = "benchmark" if benchmark_of else "manual"
    if benchmark_of:
        payload["source_projects"] = list(benchmark_of)
    if ontology:
        payload["ontology_hash"] = ontology
    if workflow_template:
        payload["workflow_template_id"] = workflow_template
    request = Envelope("project", "POST", payload=payload)
    others = [named("Datasets", datasets), named("Ontology", [ontology] if ontology else [])]
    others += [named("Workflow template", [workflow_template] if workflow_template else [])]
    others += [named("Projects", benchmark_of)]
    return Call(
        request=request, changes=True, repeatable=False, read=_PROJECT_HASH, others=", ".join(filter(None, others))
    )


@operation("project.list_datasets", "v2")
def list_project_datasets(project: str, *, page: str | None = None) -> Call[Page[ProjectDataset]]:
    """List one page of the datasets that are attached to a project."""
    return Call(request=Request("GET", f"projects/{project}/datasets", {"pageToken": page}), read=_PROJECT_DATASETS)


def all_project_datasets(project: str) -> Flow[list[ProjectDataset]]:
    """List all datasets that are attached to a project, with v2."""
    return (yield from every_page(lambda page: list_project_datasets(project, page=page)))


@operation("project.list_datasets", "v1")
def list_project_datasets_v1(project: str) -> Call[list[ProjectDataset]]:
    """List the datasets that are attached to a project, from the v1 project record, which an API key can read."""
    return _get_project_v1(project, lambda answer: _PROJECT_V1(answer).attached())


@operation("project.add_datasets", "v1")
def attach_datasets(project: str, datasets: Sequence[str]) -> Call[None]:
    """Attach datasets to a project. Not repeatable: how Encord responds if one is attached already is not known."""
    request = Envelope("projectdataset", "POST", project_resource(project), payload={"dataset_hashes": list(datasets)})
    return Call(
        request=request,
        credentials=SSH_OR_API_KEY,
        changes=True,
        repeatable=False,
        read=accepted,
        others=named("Datasets", datasets),
    )


@operation("project.remove_datasets", "v1")
def detach_datasets(project: str, datasets: Sequence[str]) -> Call[None]:
    """Detach datasets from a project."""
    request = Envelope("projectdataset", "DELETE", project_resource(project), uid=list(datasets))
    return Call(
        request=request,
        credentials=SSH_OR_API_KEY,
        changes=True,
        repeatable=False,
        read=ignored,
        others=named("Datasets", datasets),
    )


@operation("project.replace_ontology", "v1")
def replace_project_ontology(project: str, structure: dict[str, Any]) -> Call[None]:
    """Replace the structure of the project's ontology. Labels lose a feature that the new structure leaves out.

    Encord has deprecated this request, but an API key has no other way to change an ontology.

    :param structure: A complete structure, as `complete_structure` returns it.
    """
    request = Envelope("project", "POST", project_resource(project), payload={"editor": structure})
    return Call(request=request, credentials=SSH_OR_API_KEY, changes=True, read=accepted)


@operation("project.set_status", "v2")
def set_project_status(project: str, status: str) -> Call[None]:
    """Set the status of a project.

    :param status: One of `STATUSES`.
    """
    request = Request("PUT", f"projects/{project}/status", json={"status": status})
    return Call(request=request, changes=True, read=ignored)


@operation("project.list_branches", "v2")
def list_project_branches(project: str, *, limit: int | None = None, page: str | None = None) -> Call[Page[Branch]]:
    """List one page of the branches of a project's labels.

    :param limit: Maximum number of branches on a page.
    """
    request = Request("GET", f"projects/{project}/branches", {"limit": limit, "pageToken": page})
    return Call(request=request, read=_BRANCHES)


def all_project_branches(project: str) -> Flow[list[str]]:
    """List the names of all branches of a project's labels."""
    branches = yield from every_page(lambda page: list_project_branches(project, page=page))
    return [branch.name for branch in branches]
