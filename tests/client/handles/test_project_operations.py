"""Projects, ontologies, organisation, their users, groups and tags: every call against the emulator, and the handles.

One emulator serves the whole file; tests share it and name their things apart.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from airflow_provider_encord.client.api import (
    groups,
    members,
    project_copy,
    project_tags,
)
from airflow_provider_encord.client.api import projects as api
from airflow_provider_encord.client.api.core.listing import Filter
from airflow_provider_encord.client.api.core.registry import operations
from airflow_provider_encord.client.api.core.roles import FOLDER_ROLES, PROJECT_ROLES, role_on_wire
from airflow_provider_encord.client.api.project_copy import ClonedDataset, CopiedLabels
from airflow_provider_encord.client.call import API_KEY, SSH_KEY
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import (
    ConflictError,
    InvalidArgumentError,
    NotFoundError,
    OutcomeUnknownError,
    UnsupportedByCredentialError,
)
from airflow_provider_encord.client.flows import api_versions
from tests.client.emulated import OWNER, World, world
from tests.client.emulated_projects import EACH, colleague, copy_of, new_email, new_group, new_name, new_tag

__all__ = ["world"]


@pytest.fixture(autouse=True)
def _no_faults(world: World) -> Iterator[None]:
    yield
    world.emulator.clear_faults()
    world.emulator.limits(page_size=100)


CALLS = [pytest.param(one, who, id=f"{one.key[0]}-{one.key[1]}-{who}") for one in EACH for who in one.by]


def test_every_operation_of_members_groups_and_tags_is_here():
    modules = {one.__name__ for one in (members, groups, project_tags, project_copy)}
    ours = {key for key, one in operations().items() if one.function.__module__ in modules}
    assert ours <= {one.key for one in EACH} <= operations().keys()


@pytest.mark.parametrize(("asked", "who"), CALLS)
def test_a_call_works_and_changes_what_it_says(world, asked, who):
    """The emulator decides from a table of its own what changes anything."""
    client: EncordClient = getattr(world, who)
    call = asked.make(world)
    _ = client.key_resource  # asked beforehand, so that the journal holds one request
    entries = world.journal(lambda: client.send(call))
    assert [entry["changes"] for entry in entries] == [call.changes]
    assert (call.operation, call.request.api) == asked.key


@pytest.mark.parametrize(
    ("role", "roles", "wire"),
    [
        ("annotator", PROJECT_ROLES, 1),
        (" Team_Manager ", PROJECT_ROLES, 4),
        (5, PROJECT_ROLES, 5),
        ("ADMIN", FOLDER_ROLES, "admin"),
        ("user", FOLDER_ROLES, "user"),
    ],
)
def test_a_role_goes_by_name_or_by_what_stands_on_the_wire(role, roles, wire):
    assert role_on_wire(role, roles) == wire


@pytest.mark.parametrize(("role", "roles"), [("boss", PROJECT_ROLES), (6, PROJECT_ROLES), (True, PROJECT_ROLES),
                                             (0, FOLDER_ROLES), ("", PROJECT_ROLES)])  # fmt: skip
def test_a_role_that_is_none_is_refused_with_those_that_are(role, roles):
    with pytest.raises(InvalidArgumentError, match=rf"role: .* is not one of {', '.join(roles)}"):
        role_on_wire(role, roles)


def test_users_are_added_listed_and_removed_and_keep_the_role_they_had(world):
    project = world.user.project(world.project)
    first, second = new_email(), new_email()
    assert [(one.user_email, one.user_role) for one in project.add_users(first, "reviewer")] == [(first, 2)]
    again = project.add_users([first, second], "annotator")
    assert {one.user_email: one.user_role for one in again} == {first: 2, second: 1}
    roles = {user.user_email: user.user_role for user in project.users()}
    assert (roles[first], roles[second], roles[OWNER]) == (2, 1, 0)
    project.remove_users([first, second])
    assert not {first, second} & {one.user_email for one in project.users()}


@pytest.mark.parametrize("who", ["user", "project_key"])
def test_both_credentials_add_users_with_the_same_answer(world, who):
    email = new_email()
    (added,) = getattr(world, who).project(world.project).add_users([email, email], "viewer")
    assert added == members.Member(user_email=email, user_role=5)


def test_a_dataset_has_users_too_with_its_own_roles(world):
    dataset, email = world.user.dataset(world.dataset), new_email()
    assert world.dataset_key.dataset().add_users(email, "user") == dataset.add_users(email, "admin")
    assert {one.user_email: one.user_role for one in dataset.users()}[email] == 1
    with pytest.raises(InvalidArgumentError, match="role: 'annotator' is not one of admin, user"):
        dataset.add_users(email, "annotator")
    dataset.remove_users(email)
    assert email not in {user.user_email for user in dataset.users()}


def test_an_empty_list_to_add_or_remove_sends_nothing(world):
    project = world.user.project(world.project)

    def work() -> None:
        assert project.add_users([], "viewer") == []
        project.remove_users([])
        project.add_groups([], "viewer")
        project.remove_groups([])

    assert world.journal(work) == []


@pytest.mark.parametrize("email", ["", "no-address", "@example.com", "a b@example.com"])
def test_what_is_no_address_is_refused_before_anything_is_sent(world, email):
    project = world.user.project(world.project)

    def work() -> None:
        with pytest.raises(InvalidArgumentError, match=r"emails: .* is not an e-mail address"):
            project.add_users(email, "viewer")

    assert world.journal(work) == []


def lose(world: World, when: str, **match: str) -> None:
    world.emulator.faults([{"match": match, "when": {"times": 1}, "do": {"cut": when}}])


def test_users_whose_adding_was_lost_are_looked_up_with_an_ssh_key(world):
    project, email = world.user.project(world.project), new_email()
    lose(world, "after", query_type="projectusers")
    assert [user.user_email for user in project.add_users(email, "annotator")] == [email]
    lose(world, "before", query_type="projectusers")
    with pytest.raises(OutcomeUnknownError):
        project.add_users(new_email(), "annotator")


def test_users_whose_adding_was_lost_cannot_be_looked_up_with_an_api_key(world):
    project, email = world.project_key.project(), new_email()
    lose(world, "after", query_type="projectusers")
    with pytest.raises(OutcomeUnknownError):
        project.add_users(email, "annotator")
    assert [user.user_role for user in project.add_users(email, "annotator")] == [1]


@pytest.mark.parametrize("kind", ["project", "dataset", "ontology"])
def test_groups_get_a_role_and_lose_it(world, kind):
    handle = getattr(world.user, kind)(getattr(world, kind))
    group = new_group(world)
    handle.add_groups(group, "admin")
    found = {one.group_hash: one for one in handle.groups()}
    assert (found[group].user_role, found[group].is_same_organisation) == (0, True)
    handle.remove_groups([group])
    assert group not in {one.group_hash for one in handle.groups()}


def test_an_api_key_may_not_list_users_and_is_reported_before_asking(world):
    with pytest.raises(UnsupportedByCredentialError):
        world.project_key.project().users()


@pytest.mark.parametrize(
    "form", [api_versions.PROJECT, api_versions.PROJECT_DATASETS, api_versions.PROJECT_ONTOLOGY],
)  # fmt: skip
def test_both_wire_forms_give_the_same_record_where_v1_shows_it(world, form):
    by_ssh = world.user.run(form.flow(SSH_KEY, world.project))
    by_key = world.project_key.run(form.flow(API_KEY, world.project))
    assert type(by_ssh) is type(by_key)
    if by_ssh == by_key:
        return
    for name in by_key.__struct_fields__:
        value = getattr(by_key, name)
        assert value is None or value == getattr(by_ssh, name) or name.endswith("_at")


def test_cloud_integrations_are_the_same_for_every_credential(world, tmp_path):
    world.emulator.bucket("lake", "s3://lake/in", tmp_path)
    lists = [one.cloud_integrations() for one in (world.user, world.project_key, world.dataset_key)]
    assert lists[0] == lists[1] == lists[2] != []


def test_a_status_is_set_read_and_checked(world):
    project = world.user.project(copy_of(world))
    assert project.status() == "notStarted"
    project.set_status("inReview")
    assert project.status() == "inReview"
    with pytest.raises(InvalidArgumentError, match="status: 'done' is not one of notStarted"):
        project.set_status("done")
    assert world.project_key.project().status() is None


def test_a_tag_goes_by_name_or_id_and_an_unknown_name_is_not_found(world):
    tags, tag = world.user.project(copy_of(world)).tags, new_tag(world)
    tags.add(tag.name)
    tags.add(tag.uuid.upper())
    assert tags.list() == [tag]
    titles = [project.project_hash for project in world.user.projects(tags=[tag.name])]
    assert len(titles) == 1
    tags.remove(tag.name)
    assert tags.list() == []
    with pytest.raises(NotFoundError, match="tag: the organisation has no tag named 'nothing'"):
        tags.add("nothing")


def test_issue_tags_are_added_once_also_if_the_answer_is_lost(world):
    tags = world.user.project(copy_of(world)).tags
    assert tags.add_for_issues(["blurred", "dark", "dark"]) == ["blurred", "dark"]
    lose(world, "after", path="/issue-tags$", method="POST")
    assert tags.add_for_issues(["dark", "cropped"]) == ["cropped"]
    assert [one.name for one in tags.for_issues()] == ["blurred", "dark", "cropped"]
    assert tags.add_for_issues("dark") == []


def test_a_project_has_its_main_branch(world):
    assert world.user.project(world.project).branches() == ["main"]


def test_an_ontology_keeps_what_is_not_changed(world):
    made = world.user.create_ontology(new_name("o"), structure={"objects": [{"name": "Car", "shape": "polygon"}]})
    ontology = world.user.ontology(made.id)
    before = ontology.get()
    ontology.update(description="new words")
    after = ontology.get()
    assert (after.title, after.editor, after.description) == (before.title, before.editor, "new words")
    ontology.update(title="New title", structure={"classifications": [{"name": "note", "type": "text"}]})
    last = ontology.get()
    assert (last.title, last.description, last.editor["objects"]) == ("New title", "new words", [])


def test_replacing_the_ontology_of_a_project_is_seen_by_every_reader_of_the_ontology(world):
    made = world.user.create_ontology(new_name("o"), structure={"objects": [{"name": "Car", "shape": "polygon"}]})
    project = world.user.project(world.user.create_project(new_name("p"), ontology_id=made.id).id)
    project.replace_ontology({"objects": [{"name": "Van", "shape": "polygon"}]})
    assert [one["name"] for one in project.ontology().editor_ontology["objects"]] == ["Van"]
    assert world.user.ontology(made.id).get().editor == project.ontology().editor_ontology


def test_ontologies_are_listed_with_their_structures(world):
    made = world.user.create_ontology(new_name("o"), structure={"objects": [{"name": "Car", "shape": "polygon"}]})
    (found,) = [
        ontology for ontology in world.user.ontologies(Filter(title_like="o %")) if ontology.ontology_uuid == made.id
    ]
    assert [one["name"] for one in found.editor["objects"]] == ["Car"]


def test_a_benchmark_project_names_its_sources(world):
    made = world.user.create_project(new_name("benchmark"), benchmark_of=[world.project])
    assert made.created
    with pytest.raises(InvalidArgumentError, match="benchmark_of"):
        world.user.create_project(new_name("benchmark"), benchmark_of=["street"])


def test_a_copy_has_what_the_options_say(world):
    project = world.user.project(world.project)
    email = new_email()
    project.add_users(email, "reviewer")
    plain = world.user.project(copy_of(world))
    assert (plain.datasets(), plain.label_rows()) == ([], [])
    assert {user.user_email for user in plain.users()} == {OWNER}
    whole = world.user.project(copy_of(world, attach_datasets=True, collaborators=True, labels=CopiedLabels()))
    assert {dataset.dataset_hash for dataset in whole.datasets()} == {one.dataset_hash for one in project.datasets()}
    assert {one.user_email: one.user_role for one in whole.users()}[email] == 2
    labelled = {row.data_hash for row in project.label_rows() if row.label_hash}
    assert {one.data_hash for one in whole.label_rows() if one.label_hash} == labelled
    assert whole.get().ontology_hash == project.get().ontology_hash


def test_a_copy_cannot_have_the_same_datasets_and_its_own(world):
    with pytest.raises(InvalidArgumentError, match="attach_datasets, clone_datasets"):
        copy_of(world, attach_datasets=True, clone_datasets=ClonedDataset())
    with pytest.raises(InvalidArgumentError, match="labels: unknown status DONE"):
        copy_of(world, labels=CopiedLabels(statuses=["DONE"]))


def test_a_copy_whose_answer_was_lost_is_not_made_twice(world):
    lose(world, "after", query_type="projectcopy")
    title = new_name("copy")
    with pytest.raises(OutcomeUnknownError):
        world.user.project(world.project).copy(title=title)
    assert len(world.user.projects(Filter(title_eq=title))) == 1


def test_a_user_is_added_to_the_organisation_once_and_removed(world):
    own, email = world.user.organisation, f"n+x.{uuid.uuid4()}@example.com"
    own.add_user(email, role="TASKER", member_type="external")
    own.add_user(email, role="TASKER", member_type="external")
    found = [user for user in own.users() if user.email == email]
    assert [(one.role_mnemonic_name, one.member_type) for one in found] == [("TASKER", "external")]
    lose(world, "after", path="/organisation/users$", method="POST")
    own.add_user(new_email())
    own.remove_user(email)
    assert email not in {one.email for one in own.users()}


@pytest.mark.parametrize(("options", "word"), [({"role": "BOSS"}, "role"), ({"member_type": "guest"}, "member_type")])
def test_a_role_of_the_organisation_that_is_none_is_refused(world, options, word):
    with pytest.raises(InvalidArgumentError, match=f"{word}: .* is not one of"):
        world.user.organisation.add_user(new_email(), **options)


def test_a_group_is_made_changed_filled_and_deleted(world):
    own = world.user.organisation
    group = own.group(own.create_group(new_name("g"), description="first").group_hash)
    assert group.update(name="Other").description == "first"
    emails = sorted(colleague(world) for _ in range(3))
    group.add_users(emails)
    world.emulator.limits(page_size=2)
    assert list(group.users()) == emails
    group.remove_users(emails[:1])
    assert list(group.users()) == emails[1:]
    group.delete()
    with pytest.raises(NotFoundError):
        group.get()


def test_a_group_whose_creation_was_lost_is_found_by_its_name(world):
    own, name = world.user.organisation, new_name("group")
    lose(world, "after", path="/organisation/groups$", method="POST")
    assert own.create_group(name).name == name
    assert [group.name for group in own.groups()].count(name) == 1


@pytest.mark.parametrize("what", ["user", "group", "tag"])
def test_a_removal_whose_answer_was_lost_is_looked_up(world, what):
    own, group = world.user.organisation, new_group(world)
    user, tag = colleague(world), new_tag(world).uuid
    removals = {
        "user": lambda: own.remove_user(user),
        "group": own.group(group).delete,
        "tag": lambda: own.delete_tag(tag),
    }
    lose(world, "before", method="DELETE")
    with pytest.raises(OutcomeUnknownError):
        removals[what]()
    lose(world, "after", method="DELETE")
    removals[what]()
    with pytest.raises(NotFoundError):
        removals[what]()


def test_a_tag_of_a_name_that_is_taken_is_a_conflict_and_a_deleted_one_is_gone_from_projects(world):
    own, tag = world.user.organisation, new_tag(world)
    with pytest.raises(ConflictError):
        own.create_tag(tag.name)
    tags = world.user.project(copy_of(world)).tags
    tags.add(tag.uuid)
    own.delete_tag(tag.name)
    assert tags.list() == []
    assert tag not in own.tags()


def test_projects_are_iterated_a_page_at_a_time(world):
    for _ in range(3):
        copy_of(world)
    world.emulator.limits(page_size=2)

    def work() -> None:
        listed = world.user.iterate_projects(Filter(title_like="copy %"))
        assert [next(listed).title[:4] for _ in range(2)] == ["copy", "copy"]

    assert len(world.journal(work)) == 1
    every = [project.project_hash for project in world.user.iterate_projects()]
    assert every == [one.project_hash for one in world.user.projects()]


def test_the_v1_listing_has_the_same_projects_as_the_v2_one(world):
    wanted = Filter(title_eq="Street", created_after="2020-01-01", edited_before="2100-01-01")
    old, new = world.user.send(api.list_projects_v1(wanted)), world.user.projects(wanted)
    assert [(one.project_hash, one.title, one.user_role) for one in old] == [
        (one.project_hash, one.title, one.user_role) for one in new
    ]
    with pytest.raises(InvalidArgumentError, match="include_organisation"):
        api.list_projects_v1(Filter(include_organisation=True))
