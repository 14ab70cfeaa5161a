"""The plugin that adds the receiver to Airflow's API server, if it is configured.

Airflow loads plugins in every process, so this module imports nothing else. Only the API server reads `fastapi_apps`.
"""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin

_log = logging.getLogger(__name__)


class EncordWebhookPlugin(AirflowPlugin):
    """Receives Encord's webhooks at ``/encord/webhook``. Airflow 2 has no `fastapi_apps`, so there it does nothing."""

    name = "encord_webhook"

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The app; empty unless section ``[encord]`` has secrets."""
        from airflow_provider_encord.webhook.settings import SettingsError, read_settings

        try:
            settings = read_settings()
        except SettingsError as error:
            # Not raised: the API server would not start without this app.
            _log.error("%s The receiver of Encord's webhooks is off.", error)
            return []
        if settings is None:
            return []
        from airflow_provider_encord.webhook.app import create_app

        return [{"app": create_app(settings), "url_prefix": "/encord", "name": "Encord webhooks"}]
