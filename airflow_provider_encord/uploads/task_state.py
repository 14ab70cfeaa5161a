"""Checkpoints of running jobs in Airflow's task state store (3.3), where a retry on any machine finds them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from airflow_provider_encord.uploads.notes import JobCheckpoints

_KEY = "encord_upload_jobs"
_log = logging.getLogger(__name__)


def task_state_checkpoints(store: Any) -> JobCheckpoints:
    """Return the checkpoints of a task without a report. Without a task state store, they last for one attempt only.

    If the store cannot be written, the task logs that once and continues: the upload matters more than a checkpoint.

    :param store: The task state store; None if this version of Airflow has none.
    """
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
                    "The task state store cannot be written (%s). If this worker dies, a retry may upload the files of "
                    "running jobs again.",
                    failed[0],
                )

    return JobCheckpoints(
        read=read,
        write=lambda content: attempt(lambda: store.set(_KEY, content.decode())),
        erase=lambda: attempt(lambda: store.delete(_KEY)),
    )
