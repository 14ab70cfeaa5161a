"""Projects: list, read, create; their datasets.

A project is read in two ways: by v2 with an SSH key, and by v1, which is the only read that an API key has. Both give
the same record; what v1 does not tell stays None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.listing import NO_FILTER, Filter, every_page
from airflow_provider_encord.client.api.reading import (
    Page,
    accepted,
    ignored,
    made,
    several,
    single,
    v1_reader,
    v2_reader,
)
from airflow_provider_encord.client.api.registry import operation
from airflow_provider_encord.client.call import SSH_OR_API_KEY, Call, Envelope, Flow, Request, Resource, named
from airflow_provider_encord.defaults import PROJECT_STATUSES


class Pathway(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A way out of an agent stage."""

    uuid: str
    title: str
    destination_uuid: str | None = None


class Stage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A stage of a workflow.

    :param stage_type: ``ANNOTATION``, ``REVIEW``, ``AGENT``, ``DONE``, ...; text, so that a new one breaks nothing.
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
    """A project, as far as Encord returns it.

    :param project_type: ``"workflow"`` or ``"manual_qa"``; None under an API key, as are the fields after `description`
        that have a default, where v1 does not tell them.
    :param status: ``"notStarted"``, ``"inProgress"``, ...
    :param user_role: 0 admin, 1 annotator, 2 reviewer, 3 annotator and reviewer, 4 team manager, 5 viewer.
    :param workflow: The stages; None unless it is a workflow project.
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
    """The ontology of a project, as far as both kinds of credential receive it.

    :param editor_ontology: Its structure: ``objects``, ``classifications`` and perhaps ``skeleton_templates``; keys
        inside stay as they are.
    """

    ontology_hash: str | None = None
    editor_ontology: dict[str, Any]


class _OntologyV1(msgspec.Struct, frozen=True, kw_only=True):
    editor_ontology: dict[str, Any]
    ontology_hash: str | None = None

    def record(self) -> ProjectOntology:
        return ProjectOntology(ontology_hash=self.ontology_hash, editor_ontology=self.editor_ontology)


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """A branch of a project's labels; the main one is called ``main``."""

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
    """The v1 answer; the label rows in it are skipped, and so is the structure unless it is asked for."""

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
            ProjectDataset(dataset_hash=one.dataset_hash, title=one.title, description=one.description)
            for one in self.datasets or []
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
    """A project as what a v1 request is about."""
    return Resource("project", project)


@operation("projects.list", "v2")
def list_projects(
    which: Filter = NO_FILTER,
    *,
    tags: Sequence[str] = (),
    page: str | None = None,
) -> Call[Page[ProjectRecord]]:
    """One page of the projects that the user can see.

    :param tags: Names of organisation tags, of which a project has at least one.
    :param page: Token of the page; None for the first.
    """
    query = {**which.query(description="desc"), "tagsAnyof": list(tags), "pageToken": page}
    return Call(request=Request("GET", "projects", query), read=_PROJECTS)


def all_projects(which: Filter, *, tags: Sequence[str] = ()) -> Flow[list[ProjectRecord]]:
    """Every project that the user can see and that the filter lets through."""
    return (yield from every_page(lambda page: list_projects(which, tags=tags, page=page)))


@operation("projects.list", "v1")
def list_projects_v1(which: Filter = NO_FILTER) -> Call[list[ProjectRecord]]:
    """Every project that the user is a member of, in one answer; the older listing returns fewer fields.

    :param which: Without `include_organisation`, which v1 does not know.
    """

    def read(answer: bytes) -> list[ProjectRecord]:
        return [one.record() for one in _PROJECTS_V1(answer)]

    return Call(request=Envelope("projectwithuserrole", "GET", payload=which.payload()), read=read)


@operation("project.get", "v2")
def get_project(project: str) -> Call[ProjectRecord]:
    """A project by its id."""
    return Call(request=Request("GET", f"projects/{project}"), read=_PROJECT)


def _get_project_v1(project: str, read: Any, include_labels_metadata: bool = False) -> Call[Any]:
    payload = {"include_labels_metadata": include_labels_metadata}
    request = Envelope("project", "GET", project_resource(project), payload=payload)
    return Call(request=request, credentials=SSH_OR_API_KEY, read=read)


@operation("project.get", "v1")
def get_project_v1(project: str, *, include_labels_metadata: bool = False) -> Call[ProjectRecord]:
    """A project by its id, as an API key can read it.

    :param include_labels_metadata: Have Encord send the metadata of every label row along; the record leaves it out.
    """
    return _get_project_v1(project, lambda answer: _PROJECT_V1(answer).record(), include_labels_metadata)


@operation("project.get_ontology", "v2")
def get_project_ontology(project: str) -> Call[ProjectOntology]:
    """The ontology of a project, read from the project itself, so anyone who sees the project sees it."""
    return Call(request=Request("GET", f"projects/{project}"), read=_ONTOLOGY)


@operation("project.get_ontology", "v1")
def get_project_ontology_v1(project: str) -> Call[ProjectOntology]:
    """The ontology of a project, as an API key can read it: out of the project itself."""
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
    """Create a project and get its id. A project cannot be deleted by API, so a repeat is for ever.

    :param datasets: Ids of the datasets to attach.
    :param ontology: Id; without one Encord makes an empty ontology.
    :param workflow_template: Id of a template made in the web app; without one Encord takes its default workflow.
    :param benchmark_of: Ids of source projects: makes it a benchmark project.
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
    """The datasets attached to a project."""
    return Call(request=Request("GET", f"projects/{project}/datasets", {"pageToken": page}), read=_PROJECT_DATASETS)


def all_project_datasets(project: str) -> Flow[list[ProjectDataset]]:
    """Every dataset attached to a project, read by v2."""
    return (yield from every_page(lambda page: list_project_datasets(project, page=page)))


@operation("project.list_datasets", "v1")
def list_project_datasets_v1(project: str) -> Call[list[ProjectDataset]]:
    """The datasets attached to a project, as an API key can read them: out of the project itself."""
    return _get_project_v1(project, lambda answer: _PROJECT_V1(answer).attached())


@operation("project.add_datasets", "v1")
def attach_datasets(project: str, datasets: Sequence[str]) -> Call[None]:
    """Attach datasets to a project. Not repeated blindly: what Encord says to one that is attached is not known."""
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
    """Give the project's ontology another structure; labels of what is left out lose their feature.

    The vendor deprecates it; an API key has no other way to change an ontology.

    :param structure: Complete, as `complete_structure` gives it.
    """
    request = Envelope("project", "POST", project_resource(project), payload={"editor": structure})
    return Call(request=request, credentials=SSH_OR_API_KEY, changes=True, read=accepted)


@operation("project.set_status", "v2")
def set_project_status(project: str, status: str) -> Call[None]:
    """Set the status of a project.

    :param status: Of `STATUSES`.
    """
    request = Request("PUT", f"projects/{project}/status", json={"status": status})
    return Call(request=request, changes=True, read=ignored)


@operation("project.list_branches", "v2")
def list_project_branches(project: str, *, limit: int | None = None, page: str | None = None) -> Call[Page[Branch]]:
    """One page of the branches of a project's labels.

    :param limit: At most so many on a page.
    """
    request = Request("GET", f"projects/{project}/branches", {"limit": limit, "pageToken": page})
    return Call(request=request, read=_BRANCHES)


def all_project_branches(project: str) -> Flow[list[str]]:
    """The names of all branches of a project's labels."""
    branches = yield from every_page(lambda page: list_project_branches(project, page=page))
    return [branch.name for branch in branches]
