"""The plugin that adds the page "Encord" to Airflow's web interface, if a history is kept.

Airflow loads plugins in every process, so this module imports nothing else. Only the API server reads the two lists.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin

URL_PREFIX = "/encord-projects"
"""Where the API server has the app."""
URL_ROUTE = "encord"
"""The page within Airflow's web interface is ``/plugin/<this>``."""


class EncordProjectPagesPlugin(AirflowPlugin):
    """Adds the page "Encord". Airflow 2 has neither `fastapi_apps` nor `external_views`, so there it does nothing."""

    name = "encord_project_pages"

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The app; empty unless ``[encord] history`` is set."""
        if not _has_history():
            return []
        from airflow_provider_encord.project_pages.app import create_app

        return [{"app": create_app(), "url_prefix": URL_PREFIX, "name": "Encord projects"}]

    @cached_property
    def external_views(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The entry in the menu; empty unless ``[encord] history`` is set."""
        if not _has_history():
            return []
        href = f"{URL_PREFIX}/"
        return [{"name": "Encord", "href": href, "url_route": URL_ROUTE, "destination": "nav", "category": "browse"}]


def _has_history() -> bool:
    from airflow_provider_encord.hooks.history import history_option

    return history_option() is not None
