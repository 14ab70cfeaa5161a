"""Base of the operators that add users to a resource."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.operators.arguments import parse_list
from airflow_provider_encord.operators.base import EncordBaseOperator


class AddUsersOperator(EncordBaseOperator):
    """Base of the operators that add users.

    :param user_emails: Email addresses of the users, or one address (templated).
    :param role: Name of the role, in upper or lower case (templated).
    """

    template_fields: Sequence[str] = ("user_emails", "role", *EncordBaseOperator.template_fields)

    def __init__(self, *, user_emails: Sequence[str] | str, role: str, **kwargs: Any):
        super().__init__(**kwargs)
        self.user_emails = user_emails
        self.role = role

    def add_to(self, resource: Any) -> dict[str, Any]:
        """Add the users. Users who are already members keep their role; the result lists those with another role.

        :param resource: The project or dataset.
        """
        from airflow_provider_encord.client.api.core.roles import role_on_wire

        wanted = parse_list(self.user_emails, "user_emails")
        if not wanted:
            raise InvalidArgumentError("user_emails: it is empty. Pass at least one email address.")
        number = role_on_wire(self.role, resource.member_calls.roles)
        members = resource.add_users(wanted, number)
        other = sorted(member.user_email for member in members if member.user_role != number)
        if other:
            self.log.warning("These users already have another role, which was not changed: %s.", ", ".join(other))
        self.log.info("%d users have the role %s.", len(members) - len(other), self.role)
        return {"users": len(members), "role_unchanged": other}
