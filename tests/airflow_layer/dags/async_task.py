"""A task that is a coroutine (Airflow 3.2 and newer) and asks the hook for its async client."""

from __future__ import annotations

import asyncio
import datetime

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_encord.client.api.core.listing import NO_FILTER
from airflow_provider_encord.client.api.projects import all_projects
from airflow_provider_encord.hooks.encord import EncordHook


@task
async def titles() -> list[str]:
    """Titles of the projects, asked for twice at the same time."""

    async def ask() -> list[str]:
        client = await EncordHook().get_async_client()
        return [one.title for one in await client.run(all_projects(NO_FILTER))]

    first, second = await asyncio.gather(ask(), ask())
    return first + second


with DAG("async_task", schedule=None, start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)) as dag:
    titles()
