"""Notes in Airflow's own store of task state, which a retry finds on whatever machine it runs (Airflow 3.3)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_encord.ingest.notes import Notebook

_KEY = "encord_under_way"
_log = logging.getLogger(__name__)


def task_state_notebook(context: Context) -> Notebook:
    """The notebook of a task that has no receipt; without a store of task state, nothing lasts.

    What keeps it from being written is logged once: an upload is worth more than the note about it.
    """
    from airflow_provider_encord.ingest.notes import Notebook

    store: Any = context.get("task_state_store")
    if store is None:
        return Notebook()
    failed: list[str] = []

    def read() -> bytes | None:
        value = store.get(_KEY)
        return value.encode() if isinstance(value, str) else None

    def write(content: bytes) -> None:
        try:
            store.set(_KEY, content.decode())
        except Exception as error:  # noqa: BLE001 - whatever the store of this deployment raises
            if not failed:
                failed.append(type(error).__name__)
                _log.warning(
                    "What is under way cannot be noted (%s): if this worker dies, the retry may send it again.",
                    failed[0],
                )

    return Notebook(read=read, write=write, erase=lambda: store.delete(_KEY))
