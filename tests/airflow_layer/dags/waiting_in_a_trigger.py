"""Tasks that wait for a project in the triggerer, by the hook's async client."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator
from typing import Any

from airflow.providers.common.compat.sdk import DAG, BaseOperator
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_encord.client.api.core.listing import NO_FILTER
from airflow_provider_encord.client.api.projects import all_projects
from airflow_provider_encord.hooks.encord import EncordHook


class ProjectTrigger(BaseTrigger):
    """Fires when the user can see a project."""

    def __init__(self, encord_conn_id: str) -> None:
        super().__init__()
        self.encord_conn_id = encord_conn_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{type(self).__module__}.{type(self).__qualname__}", {"encord_conn_id": self.encord_conn_id}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        while True:
            await asyncio.sleep(0.1)
            client = await EncordHook(self.encord_conn_id).get_async_client()
            if found := await client.run(all_projects(NO_FILTER)):
                await client.close()  # as a careless trigger would: the others must not notice
                yield TriggerEvent([one.title for one in found])
                return


class WaitForProject(BaseOperator):
    """Defers at once, and returns the titles that the trigger saw."""

    def execute(self, context: Any) -> Any:
        self.defer(trigger=ProjectTrigger("encord_default"), method_name="resume")

    def resume(self, context: Any, event: list[str]) -> list[str]:
        return event


with DAG("waiting_in_a_trigger", schedule=None, start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)) as dag:
    WaitForProject(task_id="first") >> WaitForProject(task_id="second")
