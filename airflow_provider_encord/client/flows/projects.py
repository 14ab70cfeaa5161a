"""Projects: creating or copying one just once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_encord.client.api import project_copy, projects
from airflow_provider_encord.client.api.core.listing import Filter
from airflow_provider_encord.client.api.projects import ProjectRecord
from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.flows.creation import (
    Created,
    Existing,
    another_description,
    existing,
    get_or_create,
)


def _id(there: ProjectRecord) -> str:
    return there.project_hash


def create_project_once(title: str, *, if_exists: str, **arguments: Any) -> Flow[Created]:
    """Create a project, or reuse one with the same title; see `get_or_create` and `projects.create_project`.

    The datasets of an existing project are not compared, because the search does not list them.
    """

    def differs(there: ProjectRecord) -> list[str]:
        return [
            *_another_ontology(arguments.get("ontology"), there.ontology_hash),
            *another_description(arguments.get("description"), there.description),
        ]

    def find(title: str) -> Flow[Sequence[Existing]]:
        found = yield from projects.all_projects(Filter(title_eq=title))
        return existing(title, found, id_of=_id, differs=differs)

    def create(title: str) -> Call[str]:
        return projects.create_project(title, **arguments)

    return (yield from get_or_create("project", title, find=find, create=create, id_of=str, if_exists=if_exists))


def copy_project_once(
    project: str, title: str, *, if_exists: str, copy_labels: bool = False, **arguments: Any
) -> Flow[Created]:
    """Copy a project, or reuse one with the copy's title; see `get_or_create` and `project_copy.copy_project`.

    :param copy_labels: Whether all labels are copied.
    """
    labels = project_copy.CopiedLabels() if copy_labels else None

    def differs(there: ProjectRecord) -> list[str]:
        return another_description(arguments.get("description"), there.description)

    def find(title: str) -> Flow[Sequence[Existing]]:
        found = yield from projects.all_projects(Filter(title_eq=title))
        copies = (record for record in found if record.project_hash != project)
        return existing(title, copies, id_of=_id, differs=differs)

    def create(title: str) -> Call[str]:
        return project_copy.copy_project(project, title=title, labels=labels, **arguments)

    return (yield from get_or_create("project", title, find=find, create=create, id_of=str, if_exists=if_exists))


def _another_ontology(wanted: str | None, there: str | None) -> list[str]:
    differ = wanted and there and wanted.lower() != there.lower()
    return [f"its ontology is {there}, but {wanted} was requested"] if differ else []
