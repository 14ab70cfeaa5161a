"""Projects: list, read, create; their datasets.

A project is read in two ways: by v2 with an SSH key, and by v1, which is the only read that an API key has. Both give
the same record; what v1 does not tell stays None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.listing import NO_FILTER, Filter, every_page
from airflow_provider_encord.client.api.reading import Page, accepted, ignored, made, single, v1_reader, v2_reader
from airflow_provider_encord.client.api.registry import operation
from airflow_provider_encord.client.call import SSH_OR_API_KEY, Call, Envelope, Flow, Request, Resource


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
    """A project, as far as Encord tells it.

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


class _ProjectV1(msgspec.Struct, frozen=True, kw_only=True):
    """The v1 answer; the rest of it (ontology structure, label rows) is skipped."""

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
_PROJECT_DATASETS = v2_reader(Page[ProjectDataset])
_PROJECT_HASH = made(v1_reader(str))


def _project(project: str) -> Resource:
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


@operation("project.get", "v2")
def get_project(project: str) -> Call[ProjectRecord]:
    """A project by its id."""
    return Call(request=Request("GET", f"projects/{project}"), read=_PROJECT)


def _get_project_v1(project: str, read: Any, include_labels_metadata: bool = False) -> Call[Any]:
    payload = {"include_labels_metadata": include_labels_metadata}
    request = Envelope("project", "GET", _project(project), payload=payload)
    return Call(request=request, credentials=SSH_OR_API_KEY, read=read)


@operation("project.get", "v1")
def get_project_v1(project: str, *, include_labels_metadata: bool = False) -> Call[ProjectRecord]:
    """A project by its id, as an API key can read it.

    :param include_labels_metadata: Have Encord send the metadata of every label row along; the record leaves it out.
    """
    return _get_project_v1(project, lambda answer: _PROJECT_V1(answer).record(), include_labels_metadata)


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
    return Call(request=request, changes=True, repeatable=False, read=_PROJECT_HASH)


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
    request = Envelope("projectdataset", "POST", _project(project), payload={"dataset_hashes": list(datasets)})
    return Call(request=request, credentials=SSH_OR_API_KEY, changes=True, repeatable=False, read=accepted)


@operation("project.remove_datasets", "v1")
def detach_datasets(project: str, datasets: Sequence[str]) -> Call[None]:
    """Detach datasets from a project."""
    request = Envelope("projectdataset", "DELETE", _project(project), uid=list(datasets))
    return Call(request=request, credentials=SSH_OR_API_KEY, changes=True, repeatable=False, read=ignored)
