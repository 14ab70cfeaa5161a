"""Roles by name. On the wire a role of a project, dataset or ontology is a number, of a storage folder a word.

Names are those of the vendor's SDK, in lower case (protocol, section 8). A role that is read may be one that we do not
know, so records keep what came.
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
    """A role as Encord wants it.

    :param role: Its name in any case, or what stands on the wire.
    :param roles: Those of this kind of resource.
    :raises InvalidArgumentError: It is not one of them.
    """
    if isinstance(role, str) and role.strip().lower() in roles:
        return roles[role.strip().lower()]
    if role in roles.values() and not isinstance(role, bool):
        return role
    raise InvalidArgumentError(f"role: {role!r} is not one of {', '.join(roles)}.")
