"""Who sees which project: those who may read a DAG whose tasks wrote to its history.

Airflow does not authenticate requests to a plugin's app, so the app asks Airflow's auth manager itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView

Permitted = Callable[[Sequence[str]], bool]
"""Whether a user may see a project, by the ids of the DAGs that wrote to its history."""


def permitted_to(user: Any) -> Permitted:
    """Ask the auth manager what a user may see.

    A history of which no DAG is known (an event trigger wrote it) is for those who may see Airflow's list of plugins.

    :param user: The user of the request.
    """
    manager = get_auth_manager()
    readable: set[str] = manager.get_authorized_dag_ids(user=user, method="GET")
    sees_plugins = manager.is_authorized_view(access_view=AccessView.PLUGINS, user=user)

    def permitted(dag_ids: Sequence[str]) -> bool:
        return not readable.isdisjoint(dag_ids) if dag_ids else sees_plugins

    return permitted
