"""What earlier asset events of an asset announced, and which deliveries they came from.

API servers have several processes, which share only Airflow's database. So the memory is read from the stored events,
also those of asset watchers: their payload is the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from airflow_provider_encord.watches.batches import TASKS
from airflow_provider_encord.watches.payloads import is_ours
from airflow_provider_encord.watches.stage_watch import REMEMBERED_SECONDS, Announcement, StageMemory
from airflow_provider_encord.webhook.deliveries import Delivery

DELIVERIES = "encord_deliveries"
"""The key in `extra` of an asset event under which its deliveries are: their uids, by digest."""
_MOST_SEEN = 20_000


class AssetHistory:
    """The history of one asset. It is read step by step.

    :param window_seconds: How long deliveries are remembered.
    """

    def __init__(self, window_seconds: float):
        self.last_event_id = 0
        self._window_seconds = window_seconds
        self._seen: dict[str, float] = {}
        self._announced: list[Announcement] = []
        self._departed: list[Announcement] = []

    def add(self, event_id: int, at: float, extra: Mapping[str, Any]) -> None:
        """Add the next stored event.

        :param at: When it was stored, in seconds since 1970.
        """
        self.last_event_id = event_id
        deliveries, payload = extra.get(DELIVERIES), extra.get("payload")
        if isinstance(deliveries, dict):
            self._seen |= dict.fromkeys((*deliveries, *map(str, deliveries.values())), at)
        if isinstance(payload, dict) and is_ours(payload) and payload["kind"] == TASKS and payload["task_ids"]:
            self._announce(Announcement(at=at, repeat=payload["repeat"], task_ids=payload["task_ids"]))

    def forget(self, now: float) -> None:
        """Forget what is too old to matter."""
        if len(self._seen) > _MOST_SEEN:
            self._seen = {key: at for key, at in self._seen.items() if at > now - self._window_seconds}
        self._announced, self._departed = (
            [group for group in groups if group.at > now - REMEMBERED_SECONDS]
            for groups in (self._announced, self._departed)
        )

    def knows(self, delivery: Delivery) -> bool:
        """Whether this signed request, or this event of Encord, was stored before."""
        return delivery.digest in self._seen or delivery.uid in self._seen

    def see_tasks(self, task_ids: Collection[str]) -> None:
        """Note which tasks are in the stage: announced ones that left and come back are announced again.

        :param task_ids: All tasks of the stage.
        """
        present = set(task_ids)
        gone = [_part(group, group.task_ids, without=present) for group in self._announced]
        self._departed += [group for group in gone if group.task_ids]
        self._announced = [_part(group, present) for group in self._announced]
        self._announced = [group for group in self._announced if group.task_ids]

    def stage_memory(self) -> StageMemory:
        """A copy of the memory for `StageWatch`, which changes it."""
        return StageMemory(
            announced=[_part(group, group.task_ids) for group in self._announced],
            departed=[_part(group, group.task_ids) for group in self._departed],
        )

    def _announce(self, new: Announcement) -> None:
        named = set(new.task_ids)
        self._announced, self._departed = (
            [rest for group in groups if (rest := _part(group, group.task_ids, without=named)).task_ids]
            for groups in (self._announced, self._departed)
        )
        self._announced.append(new)


def _part(group: Announcement, chosen: Collection[str], without: Collection[str] = ()) -> Announcement:
    """The part of an announcement with some of its tasks."""
    task_ids = [task for task in group.task_ids if task in chosen and task not in without]
    return Announcement(at=group.at, repeat=group.repeat, task_ids=task_ids)
