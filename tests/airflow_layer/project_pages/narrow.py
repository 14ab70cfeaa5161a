"""An auth manager with users who may read one DAG only."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

NARROW = "reads_only_"
"""How such a user's name begins; the id of the DAG follows."""


class NarrowAuthManager(SimpleAuthManager):
    """As Airflow's simple one, for other users."""

    def is_authorized_dag(self, *, user: Any, details: Any = None, **wanted: Any) -> bool:
        """Whether the user may read the DAG."""
        if user.username.startswith(NARROW):
            return details is not None and details.id == user.username.removeprefix(NARROW)
        return bool(super().is_authorized_dag(user=user, details=details, **wanted))

    def is_authorized_view(self, *, user: Any, **wanted: Any) -> bool:
        """Whether the user may see a page of Airflow."""
        return not user.username.startswith(NARROW) and bool(super().is_authorized_view(user=user, **wanted))
