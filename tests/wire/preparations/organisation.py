"""What recordings of users, groups and tags need: a group and a tag in every world, and roles for the group."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

GROUP = "45454545-0000-4000-8000-000000000001"
TAG = "67676767-0000-4000-8000-000000000001"


def make_group_and_tag(world: Any) -> None:
    """Recorded ids of a group and a tag stand for new ones; the user is the organisation's administrator."""
    named = {"name": f"Made for a world {uuid.uuid4()}"}
    world.ids[GROUP] = world.user.v2("POST", "/v2/public/organisation/groups", named)["groupHash"]
    world.ids[TAG] = world.user.v2("POST", "/v2/public/organisation/organisation-tags", named)["uuid"]


def _give_role(path: Callable[[Any], str], role: int | str) -> Callable[[Any], None]:
    def prepare(world: Any) -> None:
        wanted = {"groupHashList": [world.ids[GROUP]], "userRole": role}
        world.user.v2("POST", f"/v2/public/{path(world)}/groups", wanted)

    return prepare


def _tag_project(world: Any) -> None:
    world.user.v2("PUT", f"/v2/public/projects/{world.project}/tags/{world.ids[TAG]}")


def _issue_tag(world: Any) -> None:
    world.user.v2("POST", f"/v2/public/projects/{world.project}/issue-tags", {"issueTagNames": ["blurred", "dark"]})


def _free_the_name(world: Any) -> None:
    """Another recording may have made a tag of this name."""
    wanted = world.recording.exchanges[0].request["json"]["name"]
    for tag in world.user.v2("GET", "/v2/public/organisation/organisation-tags")["results"]:
        if tag["name"] == wanted:
            world.user.v2("DELETE", f"/v2/public/organisation/organisation-tags/{tag['uuid']}")


def _users(world: Any) -> set[str]:
    return {result["email"] for result in world.user.v2("GET", "/v2/public/organisation/users")["results"]}


def _add_user(world: Any, email: str) -> None:
    if email not in _users(world):
        wanted = {"email": email, "roleMnemonicName": "MEMBER", "memberType": "internal"}
        world.user.v2("POST", "/v2/public/organisation/users", wanted)


def _quoted(email: str) -> str:
    return email.replace("%", "%25").replace("+", "%2B").replace("@", "%40")


def _user_is_absent(world: Any) -> None:
    email = world.recording.exchanges[0].request["json"]["email"]
    if email in _users(world):
        world.user.v2("DELETE", f"/v2/public/organisation/users/{_quoted(email)}")


def _user_is_there(world: Any) -> None:
    path = world.recording.exchanges[0].request["path"]
    _add_user(world, path.rpartition("/")[2].replace("%2B", "+").replace("%40", "@"))


def _users_of_group_exist(world: Any) -> None:
    for email in (world.recording.exchanges[0].request["json"] or {}).get("userEmails", ["a@example.com"]):
        _add_user(world, email)


def _group_has_users(world: Any) -> None:
    emails = ["a@example.com", "b@example.com"]
    for email in emails:
        _add_user(world, email)
    world.user.v2("POST", f"/v2/public/organisation/groups/{world.ids[GROUP]}/users", {"userEmails": emails})


def _schema_of_the_recording(world: Any) -> None:
    """The recorded answer, saved: what was saved must come back whole."""
    recorded = world.recording.exchanges[0].response["json"]
    if recorded is not None:
        world.user.v2("POST", "/v2/public/organisation/client-metadata-schema-v2", recorded)


def _schema_of_the_recording_by_words(world: Any) -> None:
    recorded = world.recording.exchanges[0].response["json"]["metadataSchema"]
    world.user.v2("POST", "/v2/public/organisation/client-metadata-schema", recorded)


PREPARATIONS: dict[str, Callable[[Any], None]] = {
    "organisation.add_user": _user_is_absent,
    "metadata_schema.get": _schema_of_the_recording,
    "metadata_schema.get_first_form": _schema_of_the_recording_by_words,
    "organisation.remove_user": _user_is_there,
    "organisation_tags.create": _free_the_name,
    "groups.add_users": _users_of_group_exist,
    "groups.list_users": _group_has_users,
    "project.get_organisation_tags": _tag_project,
    "project.get_issue_tags": _issue_tag,
    "project.list_groups": _give_role(lambda world: f"projects/{world.project}", 1),
    "dataset.list_groups": _give_role(lambda world: f"datasets/{world.ids['bbbbbbbb-0000-4000-8000-000000000001']}", 1),
    "ontology.list_groups": _give_role(
        lambda world: f"ontologies/{world.ids['cccccccc-0000-4000-8000-000000000001']}", 1
    ),
    "storage.folder.list_groups": _give_role(
        lambda world: f"storage/folders/{world.ids['dddddddd-0000-4000-8000-000000000001']}", "user"
    ),
}
