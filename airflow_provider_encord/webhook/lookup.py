"""Asking Encord what a delivery is about: the tasks that are in the stage now, or when the label rows were edited.

Encord's announcements contain no task ids. All requests only read.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow_provider_encord.hooks.encord import EncordHook
from airflow_provider_encord.webhook.announcing import NOTHING_LOOKED_UP, Found, Target
from airflow_provider_encord.webhook.deliveries import TASK_SUBMITTED, Delivery

if TYPE_CHECKING:
    from airflow_provider_encord.client.api.projects import ProjectRecord
    from airflow_provider_encord.client.async_client import AsyncEncordClient
    from airflow_provider_encord.client.transport.settings import Settings

LOOKUP_SECONDS = 60.0
"""How long a lookup may take. Encord waits 180 seconds for the response to a delivery."""
_FRESH_SECONDS = 60.0
_MOST_PROJECTS = 1000
_log = logging.getLogger(__name__)


class LookupFailedError(Exception):
    """Encord, or the connection, cannot be used now. Encord is to deliver again later."""


class Lookup:
    """Looks up with a connection.

    :param encord_conn_id: Id of the connection.
    """

    def __init__(self, encord_conn_id: str):
        self._encord_conn_id = encord_conn_id
        self._settings: tuple[float, Settings] | None = None
        self._projects: dict[str, tuple[float, ProjectRecord]] = {}

    async def settings(self) -> Settings:
        """Return the settings of the connection, such as the base URL of its API.

        :raises LookupFailedError: The connection cannot be read.
        """
        if self._settings is None or time.monotonic() - self._settings[0] > _FRESH_SECONDS:
            client = await self._client()
            self._settings = time.monotonic(), client.settings
        return self._settings[1]

    async def find(self, target: Target, deliveries: Sequence[Delivery]) -> Found:
        """Look up what the deliveries are about; nothing if Encord refuses it permanently.

        :raises LookupFailedError: A later attempt may succeed.
        """
        from airflow_provider_encord.client.errors import EncordError

        client = await self._client()
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                if target.stage_id is None:
                    return await _find_rows(client, target, deliveries)
                return await self._find_tasks(client, target, target.stage_id)
        except TimeoutError:
            raise LookupFailedError(f"Encord did not respond within {LOOKUP_SECONDS:.0f} s.") from None
        except EncordError as error:
            if error.retryable:
                raise LookupFailedError(str(error)) from None
            _log.warning("An event of asset %s names no tasks and edit times: %s", target.asset_uri, error)
            return NOTHING_LOOKED_UP

    async def _client(self) -> AsyncEncordClient:
        """:raises LookupFailedError: The connection cannot be read."""
        try:
            return await EncordHook(self._encord_conn_id).get_async_client()
        except Exception as error:  # noqa: BLE001 - Airflow raises many errors here, and each can be repaired
            problem = error
        raise LookupFailedError(f"[encord] webhook_conn_id: {problem}")

    async def _find_tasks(self, client: AsyncEncordClient, target: Target, stage_id: str) -> Found:
        from airflow_provider_encord.waits.questions import TasksQuestion

        question = TasksQuestion(project_id=target.project_id, stage_id=stage_id)
        tasks = await client.run(question.ask([None]))
        stages = await self._stage_titles(client, target.project_id)
        return Found(stage=stages.get(stage_id), task_ids=tasks.task_ids)

    async def _stage_titles(self, client: AsyncEncordClient, project_id: str) -> dict[str, str]:
        """Titles of a project's stages by id, from a record that may be a minute old."""
        from airflow_provider_encord.waits.questions import ProjectQuestion

        known = self._projects.get(project_id)
        if known is None or time.monotonic() - known[0] > _FRESH_SECONDS:
            if len(self._projects) >= _MOST_PROJECTS:
                self._projects.clear()
            known = time.monotonic(), await client.run(ProjectQuestion(project_id=project_id).ask([]))
            self._projects[project_id] = known
        workflow = known[1].workflow
        return {stage.uuid: stage.title for stage in workflow.stages} if workflow else {}


async def _find_rows(client: AsyncEncordClient, target: Target, deliveries: Sequence[Delivery]) -> Found:
    from airflow_provider_encord.client.api.label_row_stamps import list_label_row_stamps
    from airflow_provider_encord.client.api.labels import LabelRowFilter

    submitted = [delivery for delivery in deliveries if delivery.event_type == TASK_SUBMITTED]
    hashes = list(dict.fromkeys(row.label_hash for delivery in submitted for row in delivery.rows))
    if not hashes:
        return NOTHING_LOOKED_UP
    stamps = await client.send(list_label_row_stamps(target.project_id, LabelRowFilter(label_hashes=hashes)))
    return Found(
        edited_at={row.label_hash: row.last_edited_at for row in stamps if row.label_hash and row.last_edited_at}
    )
