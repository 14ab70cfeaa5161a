"""Export label rows soon after people edited them: an asset watcher, or Encord's webhooks, start the runs.

Asset watchers are created when the DAG is parsed, so they cannot use params. Copy the file and set these, or set the
environment variables of the same names for all of Airflow:

- ``ENCORD_PROJECT_ID``: id of the project;
- ``ENCORD_API_HOST``: host of the API, as in the connection;
- ``ENCORD_DESTINATION``: where the exports go, a directory for each batch (``s3://connection_id@bucket/labels``).

A run starts when 20 rows were edited, or 10 minutes after the first of fewer edits. If webhooks are configured too,
both announce edits; `label_batches` drops what was announced before. Needs the connection ``encord_default`` with an
SSH key or the API key of the project, and Airflow 3.1 or newer. On Airflow 2.11 the DAG can only be started by hand,
and then it does nothing.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from airflow.providers.common.compat.sdk import DAG, get_current_context, task

from airflow_provider_encord import events
from airflow_provider_encord.assets import labels_asset
from airflow_provider_encord.operators.labels import EncordExportLabelsOperator
from airflow_provider_encord.triggers.events import EncordLabelsEventTrigger

PROJECT_ID = os.environ.get("ENCORD_PROJECT_ID", "00000000-0000-4000-8000-000000000000")
API_HOST = os.environ.get("ENCORD_API_HOST", "api.encord.com")
DESTINATION = os.environ.get("ENCORD_DESTINATION", "file:///var/lib/encord-exports")

try:
    from airflow.sdk import AssetWatcher
except ImportError:  # Airflow 2.11 has no asset watchers
    watchers = None
else:
    trigger = EncordLabelsEventTrigger(project_id=PROJECT_ID, batch_size=20, max_wait_seconds=600)
    watchers = [AssetWatcher(name="edited_labels", trigger=trigger)]

LABELS = labels_asset(PROJECT_ID, host=API_HOST, watchers=watchers)

with DAG(
    dag_id="example_encord_event_driven",
    doc_md=__doc__,
    schedule=[LABELS],
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 2},
    tags=["encord", "example"],
) as dag:

    @task(inlets=[LABELS])
    def edited_rows() -> list[dict[str, Any]]:
        """Divide the rows that the events of this run name into batches."""
        return events.label_batches(get_current_context(), batch_size=500)

    EncordExportLabelsOperator.partial(
        task_id="export_labels",
        destination=DESTINATION + "/{{ run_id }}/{{ ti.map_index }}",
    ).expand_kwargs(edited_rows())
