"""From deliveries to the payloads of asset events: the same as those of asset watchers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.projects import Stage
from airflow_provider_encord.defaults import REPEAT_SECONDS
from airflow_provider_encord.waits.questions import TasksInStage
from airflow_provider_encord.watches.batches import REMAINING, LabelBatch, TaskBatch, chunks
from airflow_provider_encord.watches.stage_watch import StageRules, StageWatch
from airflow_provider_encord.webhook.deliveries import TASK_SUBMITTED, Delivery
from airflow_provider_encord.webhook.history import AssetHistory

MAIN_BRANCH = "main"
_RULES = StageRules(batch_size=1, max_wait_seconds=None, repeat_seconds=REPEAT_SECONDS)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked up for the deliveries of an asset.

    :param stage: Title of the stage; None if it is not known.
    :param task_ids: All tasks of the stage; None if they were not looked up.
    :param edited_at: Edit times by label hash, as far as they are known.
    """

    stage: str | None = None
    task_ids: Sequence[str] | None = None
    edited_at: Mapping[str, str] = {}


NOTHING_LOOKED_UP = Found()


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The asset that deliveries are about.

    :param stage_id: Set for the asset of a stage; None for the asset of a project's labels.
    :param project_url: Address of the project in Encord's web app, if it is known.
    """

    asset_uri: str
    project_id: str
    stage_id: str | None
    project_url: str | None


def payloads(
    target: Target, deliveries: Sequence[Delivery], found: Found, history: AssetHistory, now: float
) -> Iterator[dict[str, Any]]:
    """Yield the payloads of the asset events that the deliveries lead to; none if all tasks were announced before.

    :param deliveries: At least one; they were not stored before.
    :param history: What the asset announced before. It notes which tasks are there.
    :param now: In seconds since 1970.
    """
    if target.stage_id is None:
        yield from _of_labels(target, deliveries, found)
    elif found.task_ids is None:
        yield _of_unknown_tasks(target, deliveries[-1])
    else:
        yield from _of_tasks(target, deliveries[-1], found, history, now)


def _of_tasks(
    target: Target, latest: Delivery, found: Found, history: AssetHistory, now: float
) -> Iterator[dict[str, Any]]:
    tasks = TasksInStage(task_ids=found.task_ids or (), all_listed=True)
    history.see_tasks(tasks.task_ids)
    stage = Stage(stage_type="", uuid=str(target.stage_id), title=found.stage or "")
    for batch in StageWatch(target.project_id, stage, _RULES, history.stage_memory()).due(tasks, now):
        reason = batch.reason if batch.reason == REMAINING else latest.reason
        named = msgspec.structs.replace(batch, reason=reason, stage=found.stage)
        yield named.payload(target.asset_uri, project_url=target.project_url)


def _of_unknown_tasks(target: Target, latest: Delivery) -> dict[str, Any]:
    batch = TaskBatch(
        project_id=target.project_id,
        stage_id=str(target.stage_id),
        stage=None,
        reason=latest.reason,
        announced_at=latest.created_at,
        task_ids=None,
        tasks=latest.tasks,
        repeat_seconds=REPEAT_SECONDS,
        series=latest.uid,
    )
    return batch.payload(target.asset_uri, project_url=target.project_url)


def _of_labels(target: Target, deliveries: Sequence[Delivery], found: Found) -> Iterator[dict[str, Any]]:
    for event_type in dict.fromkeys(delivery.event_type for delivery in deliveries):
        chosen = [delivery for delivery in deliveries if delivery.event_type == event_type]
        rows = {row.label_hash: row for delivery in chosen for row in delivery.rows}
        # A completion is news without an edit. With an edit time it would count as a repeat of the submission.
        edited_at = found.edited_at if event_type == TASK_SUBMITTED else {}
        dated = [msgspec.structs.replace(row, last_edited_at=edited_at.get(row.label_hash)) for row in rows.values()]
        for part in chunks(dated) if dated else [()]:
            batch = LabelBatch(
                project_id=target.project_id,
                branch=MAIN_BRANCH,
                reason=chosen[-1].reason,
                announced_at=chosen[-1].created_at,
                label_rows=part,
            )
            yield _distinct(batch.payload(target.asset_uri, project_url=target.project_url), chosen[-1])


def _distinct(payload: dict[str, Any], latest: Delivery) -> dict[str, Any]:
    """Keep the batch id only if all edit times are known. Otherwise all submissions of a row would have one id."""
    if payload["label_rows"] and all(row["last_edited_at"] for row in payload["label_rows"]):
        return payload
    return payload | {"batch_id": str(uuid.uuid5(uuid.UUID(payload["batch_id"]), latest.uid))}
