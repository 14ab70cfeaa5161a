"""Notes in Airflow's own store of task state, which a retry finds on whatever machine it runs (Airflow 3.3)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_encord.uploads.notes import JobCheckpoints

_KEY = "encord_upload_jobs"
_log = logging.getLogger(__name__)


def task_state_checkpoints(context: Context) -> JobCheckpoints:
    """The checkpoints of a task that has no report; without a store of task state they serve one attempt alone.

    What keeps it from being written or erased is logged once: an upload is worth more than the note about it.
    """
    from airflow_provider_encord.uploads.notes import JobCheckpoints

    store: Any = context.get("task_state_store")
    if store is None:
        return JobCheckpoints()
    failed: list[str] = []

    def read() -> bytes | None:
        value = store.get(_KEY)
        return value.encode() if isinstance(value, str) else None

    def attempt(change: Callable[[], None]) -> None:
        try:
            change()
        except Exception as error:  # noqa: BLE001 - whatever the store of this deployment raises
            if not failed:
                failed.append(type(error).__name__)
                _log.warning(
                    "Running jobs cannot be noted in the task state (%s): if this worker dies, the retry may send "
                    "their files again.",
                    failed[0],
                )

    return JobCheckpoints(
        read=read,
        write=lambda content: attempt(lambda: store.set(_KEY, content.decode())),
        erase=lambda: attempt(lambda: store.delete(_KEY)),
    )
