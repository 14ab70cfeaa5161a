"""What recordings of projects need: users beside the owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _add_a_user(world: Any) -> None:
    payload = {"user_emails": ["a@example.com"], "user_role": 1}
    world.user.v1("projectusers", "POST", world.project, payload, project=world.project)


PREPARATIONS: dict[str, Callable[[Any], None]] = {
    "project.list_users": _add_a_user,
}
