"""How to call every operation of projects, ontologies, the organisation, and their users, groups and tags."""

from __future__ import annotations

import uuid
from typing import Any

from airflow_provider_encord.client.api import (
    groups,
    members,
    ontologies,
    organisation,
    project_copy,
    project_tags,
)
from airflow_provider_encord.client.api import projects as api
from airflow_provider_encord.client.api.core.listing import Filter
from airflow_provider_encord.client.structure import complete_structure
from tests.client.emulated import BOTH_DATASET, BOTH_PROJECT, Asked, World


def new_email() -> str:
    return f"{uuid.uuid4()}@example.com"


def new_name(what: str) -> str:
    return f"{what} {uuid.uuid4()}"


def new_group(world: World) -> str:
    return world.user.organisation.create_group(new_name("group")).group_hash


def new_tag(world: World) -> organisation.Tag:
    return world.user.organisation.create_tag(new_name("tag"))


def colleague(world: World) -> str:
    email = new_email()
    world.user.organisation.add_user(email)
    return email


def structure() -> dict[str, Any]:
    return complete_structure({"objects": [{"name": "Car", "shape": "polygon"}]})


def copy_of(world: World, **options: Any) -> str:
    return world.user.project(world.project).copy(title=new_name("copy"), **options)


EACH = [
    Asked(("projects.list", "v1"), lambda world: api.list_projects_v1(Filter(title_like="Str%"))),
    Asked(("project.get_ontology", "v2"), lambda world: api.get_project_ontology(world.project)),
    Asked(("project.get_ontology", "v1"), lambda world: api.get_project_ontology_v1(world.project), BOTH_PROJECT),
    Asked(
        ("project.replace_ontology", "v1"),
        lambda world: api.replace_project_ontology(world.project, structure()),
        BOTH_PROJECT,
    ),
    Asked(("project.set_status", "v2"), lambda world: api.set_project_status(world.project, "paused")),
    Asked(("project.list_branches", "v2"), lambda world: api.list_project_branches(world.project, limit=1)),
    Asked(
        ("project.copy", "v1"),
        lambda world: project_copy.copy_project(world.project, title="Copied", attach_datasets=True, models=True),
        BOTH_PROJECT,
    ),
    Asked(("project.get_organisation_tags", "v2"), lambda world: project_tags.list_project_tags(world.project)),
    Asked(
        ("project.add_organisation_tag", "v2"),
        lambda world: project_tags.add_project_tag(world.project, new_tag(world).uuid),
    ),
    Asked(
        ("project.remove_organisation_tag", "v2"),
        lambda world: project_tags.remove_project_tag(world.project, new_tag(world).uuid),
    ),
    Asked(("project.get_issue_tags", "v2"), lambda world: project_tags.list_issue_tags(world.project)),
    Asked(("project.add_issue_tags", "v2"), lambda world: project_tags.add_issue_tags(world.project, [new_name("t")])),
    Asked(
        ("project.add_users", "v1"),
        lambda world: members.add_project_users(world.project, [new_email()], 1),
        BOTH_PROJECT,
    ),
    Asked(("project.list_users", "v2"), lambda world: members.list_project_users(world.project)),
    Asked(("project.remove_users", "v2"), lambda world: members.remove_project_users(world.project, [new_email()])),
    Asked(("project.list_groups", "v2"), lambda world: members.list_project_groups(world.project)),
    Asked(("project.add_group", "v2"), lambda world: members.add_project_groups(world.project, [new_group(world)], 2)),
    Asked(
        ("project.remove_group", "v2"), lambda world: members.remove_project_groups(world.project, [new_group(world)])
    ),
    Asked(
        ("dataset.add_users", "v1"),
        lambda world: members.add_dataset_users(world.dataset, [new_email()], 1),
        BOTH_DATASET,
    ),
    Asked(("dataset.list_users", "v2"), lambda world: members.list_dataset_users(world.dataset)),
    Asked(("dataset.remove_users", "v2"), lambda world: members.remove_dataset_users(world.dataset, [new_email()])),
    Asked(("dataset.list_groups", "v2"), lambda world: members.list_dataset_groups(world.dataset)),
    Asked(("dataset.add_group", "v2"), lambda world: members.add_dataset_groups(world.dataset, [new_group(world)], 1)),
    Asked(
        ("dataset.remove_group", "v2"), lambda world: members.remove_dataset_groups(world.dataset, [new_group(world)])
    ),
    Asked(("ontology.list_groups", "v2"), lambda world: members.list_ontology_groups(world.ontology)),
    Asked(
        ("ontology.add_group", "v2"), lambda world: members.add_ontology_groups(world.ontology, [new_group(world)], 1)
    ),
    Asked(
        ("ontology.remove_group", "v2"),
        lambda world: members.remove_ontology_groups(world.ontology, [new_group(world)]),
    ),
    Asked(
        ("ontology.update", "v2"),
        lambda world: ontologies.update_ontology(
            world.ontology, title="Changed", description="d", structure=structure()
        ),
    ),
    Asked(("storage.folder.list_groups", "v2"), lambda world: members.list_folder_groups(folder(world))),
    Asked(
        ("storage.folder.add_group", "v2"),
        lambda world: members.add_folder_groups(folder(world), [new_group(world)], "user"),
    ),
    Asked(
        ("storage.folder.remove_group", "v2"),
        lambda world: members.remove_folder_groups(folder(world), [new_group(world)]),
    ),
    Asked(("organisation.list_users", "v2"), lambda world: organisation.list_organisation_users()),
    Asked(
        ("organisation.add_user", "v2"),
        lambda world: organisation.add_organisation_user(new_email(), role="MEMBER", member_type="external"),
    ),
    Asked(("organisation.remove_user", "v2"), lambda world: organisation.remove_organisation_user(colleague(world))),
    Asked(("organisation_tags.list", "v2"), lambda world: organisation.list_organisation_tags()),
    Asked(
        ("organisation_tags.create", "v2"),
        lambda world: organisation.create_organisation_tag(new_name("tag"), description="d"),
    ),
    Asked(("organisation_tags.delete", "v2"), lambda world: organisation.delete_organisation_tag(new_tag(world).uuid)),
    Asked(("groups.list", "v2"), lambda world: groups.list_groups()),
    Asked(("groups.get", "v2"), lambda world: groups.get_group(new_group(world))),
    Asked(("groups.create", "v2"), lambda world: groups.create_group("Annotators", description="d")),
    Asked(("groups.update", "v2"), lambda world: groups.update_group(new_group(world), name="Reviewers")),
    Asked(("groups.delete", "v2"), lambda world: groups.delete_group(new_group(world))),
    Asked(("groups.list_users", "v2"), lambda world: groups.list_group_users(new_group(world))),
    Asked(("groups.add_users", "v2"), lambda world: groups.add_group_users(new_group(world), [colleague(world)])),
    Asked(("groups.remove_users", "v2"), lambda world: groups.remove_group_users(new_group(world), [colleague(world)])),
]


def folder(world: World) -> str:
    """The folder that mirrors the dataset."""
    uuid_ = world.user.dataset(world.dataset).get().backing_folder_uuid
    assert uuid_
    return uuid_
