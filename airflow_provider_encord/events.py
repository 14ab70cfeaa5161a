"""The events of a DAG run that an asset watcher or a webhook started: merged, without repeats, ready for ``expand``.

The task that reads them has the assets of the DAG as its inlets::

    @task(inlets=[STAGE])
    def batches() -> list[dict[str, Any]]:
        return events.task_batches(get_current_context())

    prelabel.expand_kwargs(batches())

Airflow can start one run for several events, and watchers announce a batch again after a crash. A repeat is recognized
in the stored events of the asset, so it is dropped in whichever run it arrives, and a task that is cleared returns the
same result again. Needs Airflow 3.1 or newer: in older versions no events arrive, and the functions return empty lists.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.get_provider_info import DEFAULT_CONNECTION_ID
from airflow_provider_encord.watches.payloads import is_ours
from airflow_provider_encord.watches.repeats import AssetEvent, without_repeats

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

BATCH_SIZE = 100
_HISTORY = datetime.timedelta(days=1)  # a repeat arrives as soon as the triggerer runs again
_LONGEST_HISTORY_SECONDS = 365 * 24 * 3600.0


def received(context: Context) -> list[dict[str, Any]]:
    """Return the payloads of the events that started this run, the earliest first.

    What an earlier event announced already is left out of the lists ``task_ids`` and ``label_rows``, and a payload that
    names nothing else is left out as a whole. A payload also has what a message about it needs: ``project_url``, and
    the number of ``tasks`` or ``rows``.

    :param context: Airflow's context of the task.
    :raises AirflowFailException: An asset of these events is not among the inlets of the task.
    """
    started = {event.key: event for event in _started(context)}
    uris = {event.uri for event in started.values()}
    history = {event.key: event for uri in uris for event in _history(context, uri, list(started.values()))}
    events = sorted((history | started).values(), key=lambda event: event[:2])
    return [dict(event.payload) for event in without_repeats(events) if event.key in started]


def task_batches(
    context: Context, *, batch_size: int = BATCH_SIZE, encord_conn_id: str = DEFAULT_CONNECTION_ID
) -> list[dict[str, Any]]:
    """Return the announced tasks in batches, for ``expand_kwargs``.

    A webhook can announce tasks without their ids. Then the tasks that are in the stage now are listed.

    :param context: Airflow's context of the task.
    :param batch_size: Maximum number of tasks in a batch. Default: 100.
    :param encord_conn_id: Id of the Airflow connection that lists tasks.
    :return: ``{"project_id", "stage_id", "task_ids": [...]}`` for each batch.
    :raises AirflowFailException: An asset of these events is not among the inlets of the task.
    """
    by_stage: dict[tuple[str, str], dict[str, None]] = {}
    for payload in received(context):
        if payload["kind"] == "tasks":
            ids = payload["task_ids"]
            named = ids if ids is not None else _listed(payload["project_id"], payload["stage_id"], encord_conn_id)
            by_stage.setdefault((payload["project_id"], payload["stage_id"]), {}).update(dict.fromkeys(named))
    return [
        {"project_id": project_id, "stage_id": stage_id, "task_ids": part}
        for (project_id, stage_id), ids in by_stage.items()
        for part in _parts(list(ids), batch_size)
    ]


def label_batches(context: Context, *, batch_size: int = BATCH_SIZE) -> list[dict[str, Any]]:
    """Return the announced label rows in batches, for ``expand_kwargs``.

    :param context: Airflow's context of the task.
    :param batch_size: Maximum number of label rows in a batch. Default: 100.
    :return: ``{"project_id", "branch", "label_hashes": [...]}`` for each batch.
    :raises AirflowFailException: An asset of these events is not among the inlets of the task.
    """
    by_branch: dict[tuple[str, str], dict[str, None]] = {}
    for payload in received(context):
        if payload["kind"] == "labels":
            hashes = (row["label_hash"] for row in payload["label_rows"])
            by_branch.setdefault((payload["project_id"], payload["branch"]), {}).update(dict.fromkeys(hashes))
    return [
        {"project_id": project_id, "branch": branch, "label_hashes": part}
        for (project_id, branch), hashes in by_branch.items()
        for part in _parts(list(hashes), batch_size)
    ]


def _started(context: Context) -> Iterator[AssetEvent]:
    """The events of ours that started this run."""
    for events in (context.get("triggering_asset_events") or {}).values():
        yield from _ours(events)


def _history(context: Context, uri: str, started: Sequence[AssetEvent]) -> Iterator[AssetEvent]:
    """The stored events of an asset, from some time before those of this run to the last of them."""
    from airflow.sdk import Asset

    mine = [event for event in started if event.uri == uri]
    seconds = max(float(event.payload.get("repeat_seconds") or 0) for event in mine)
    history = datetime.timedelta(seconds=min(_LONGEST_HISTORY_SECONDS, seconds))
    since = min(event.timestamp for event in mine) - max(_HISTORY, history)
    try:
        stored: Any = context["inlet_events"][Asset.ref(uri=uri)]
    except KeyError:
        raise AirflowFailException(
            f"inlets: the task has to read earlier events of {uri}, to drop repeats. Write "
            "@task(inlets=[...]) with the assets of the DAG's schedule."
        ) from None
    if hasattr(stored, "after"):  # Airflow 3.1 reads all events
        stored = stored.after(since.isoformat())
    last = max(event.timestamp for event in mine)
    return (event for event in _ours(stored) if since <= event.timestamp <= last)


def _ours(events: Iterable[Any]) -> Iterator[AssetEvent]:
    for event in events:
        payload = (event.extra or {}).get("payload")
        if is_ours(payload):
            yield AssetEvent(event.timestamp, event.asset.uri, payload)


def _listed(project_id: str, stage_id: str, encord_conn_id: str) -> list[str]:
    """The ids of the tasks that are in a stage now."""
    from airflow_provider_encord.hooks.encord import EncordHook
    from airflow_provider_encord.operators.base import airflow_errors

    hook = EncordHook(encord_conn_id)
    try:
        with airflow_errors():
            return [task.uuid for task in hook.get_conn().project(project_id).stage(stage_id).tasks()]
    finally:
        hook.close()


def _parts(names: list[str], size: int) -> Iterator[list[str]]:
    if size < 1:
        raise AirflowFailException(f"batch_size: {size} is wrong. Pass a number from 1.")
    return (names[start : start + size] for start in range(0, len(names), size))
