"""Roles by name. In requests, roles of projects, datasets and ontologies are numbers, roles of storage folders words.

The names are those of the vendor's SDK, in lower case (protocol, section 8). A response may contain a role that is not
listed here, so records keep the value that Encord sent.
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_provider_encord.client.errors import InvalidArgumentError

Role = int | str

PROJECT_ROLES: Mapping[str, Role] = {
    "admin": 0,
    "annotator": 1,
    "reviewer": 2,
    "annotator_reviewer": 3,
    "team_manager": 4,
    "viewer": 5,
}
DATASET_ROLES: Mapping[str, Role] = {"admin": 0, "user": 1}
ONTOLOGY_ROLES: Mapping[str, Role] = {"admin": 0, "user": 1}
FOLDER_ROLES: Mapping[str, Role] = {"admin": "admin", "user": "user"}


def role_on_wire(role: Role, roles: Mapping[str, Role]) -> Role:
    """Convert a role to the form that Encord requires.

    :param role: Name of the role in upper or lower case, or the role in Encord's form.
    :param roles: The roles of this kind of resource.
    :raises InvalidArgumentError: The role is not one of them.
    """
    if isinstance(role, str) and role.strip().lower() in roles:
        return roles[role.strip().lower()]
    if role in roles.values() and not isinstance(role, bool):
        return role
    raise InvalidArgumentError(f"role: {role!r} is not one of {', '.join(roles)}.")
