"""Reads about users, groups and tags: those of the organisation, and those of one resource."""

from __future__ import annotations

from airflow_provider_encord.client.api import (
    groups,
    members,
    metadata_schema,
    organisation,
    project_tags,
)
from airflow_provider_encord.smoke.visit import Visit


def read_organisation(visit: Visit) -> None:
    """Read users, tags, groups and the metadata schema of the organisation."""
    visit.ask(organisation.list_organisation_users())
    visit.ask(organisation.list_organisation_tags())
    visit.ask(metadata_schema.get_metadata_schema())
    visit.ask(metadata_schema.get_first_metadata_schema())
    listed = visit.ask(groups.list_groups())
    for group in listed.value.results[:1] if listed.answered else ():
        about = visit.alias("group", group.group_hash)
        visit.ask(groups.get_group(group.group_hash), about)
        visit.ask(groups.list_group_users(group.group_hash), about)


def read_people_of_project(visit: Visit, project: str) -> None:
    """Read users, groups and tags of a project."""
    about = visit.alias("project", project)
    visit.ask(members.list_project_users(project), about)
    visit.ask(members.list_project_groups(project), about)
    visit.ask(project_tags.list_project_tags(project), about)
    visit.ask(project_tags.list_issue_tags(project), about)


def read_people_of_dataset(visit: Visit, dataset: str) -> None:
    """Read users and groups of a dataset."""
    about = visit.alias("dataset", dataset)
    visit.ask(members.list_dataset_users(dataset), about)
    visit.ask(members.list_dataset_groups(dataset), about)
