"""The hook in plain tasks, under both kinds of credential."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_encord.hooks.encord import EncordHook

with DAG(dag_id="hook_in_plain_tasks", schedule=None, params={"project": "", "tried": ""}) as dag:

    @task
    def count_with_ssh_key(project: str) -> int:
        with EncordHook("encord_default") as hook:
            return len(hook.get_project(project).label_rows())

    @task(retries=1, retry_delay=timedelta(0))
    def count_with_api_key(tried: str) -> list[int]:
        """Count with three hooks; the first try fails afterwards."""
        counts = []
        for _ in range(3):
            with EncordHook("encord_api_key") as hook:
                counts.append(len(hook.get_project().label_rows()))
        if not Path(tried).exists():
            Path(tried).touch()
            raise RuntimeError("The first try fails.")
        return counts

    count_with_ssh_key("{{ params.project }}")
    count_with_api_key("{{ params.tried }}")
