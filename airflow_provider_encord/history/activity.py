"""Adding up what people did, day by day, while records of it pass by on their way elsewhere."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from airflow_provider_encord.client.api.analytics import TaskAction, TimeSpent
from airflow_provider_encord.client.times import answered_time
from airflow_provider_encord.history.records import ActivityOfDay, ActivitySeen

_COUNTED = {"submit": 0, "approve": 1, "reject": 2}


class ActivityTally:
    """Counts actions on tasks and time spent, by day (UTC) and stage. No user is remembered."""

    def __init__(self) -> None:
        self._actions: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
        self._time: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.has_actions = self.has_time = False

    def seen(self, kind: str, records: Iterator[Any]) -> Iterator[Any]:
        """Yield the records, and count those of a kind that counts.

        :param kind: ``task_actions``, ``time_spent``, or another one.
        """
        match kind:
            case "task_actions":
                return self.actions(records)
            case "time_spent":
                return self.time_spent(records)
        return records

    def actions(self, records: Iterable[TaskAction]) -> Iterator[TaskAction]:
        """Yield the records, and count them."""
        self.has_actions = True
        for record in records:
            place = _COUNTED.get(record.action_type)
            if place is not None:
                self._actions[_day(record.timestamp), record.workflow_stage_uuid or ""][place] += 1
            yield record

    def time_spent(self, records: Iterable[TimeSpent]) -> Iterator[TimeSpent]:
        """Yield the records, and add them up."""
        self.has_time = True
        for record in records:
            stage = record.workflow_stage.uuid if record.workflow_stage else ""
            task = record.workflow_task_uuid or record.data_uuid
            self._time[_day(record.period_start_time), stage][task] += record.time_spent_seconds
            yield record

    def fact(self, start: datetime.datetime, end: datetime.datetime, *, final: bool) -> ActivitySeen | None:
        """What was counted.

        :param start: Start of the interval.
        :param end: Its end. Only days (UTC) that are in the interval as a whole are kept.
        :param final: Whether no more records of the interval are to be expected.
        :return: None if the interval has no whole day.
        """
        first = (start.astimezone(datetime.UTC) + datetime.timedelta(days=1, microseconds=-1)).date().isoformat()
        after = end.astimezone(datetime.UTC).date().isoformat()
        if first >= after:
            return None
        keys = sorted(key for key in {*self._actions, *self._time} if first <= key[0] < after)
        return ActivitySeen(
            start=first,
            end=after,
            actions=self.has_actions,
            time_spent=self.has_time,
            final=final,
            days=[self._of_day(day, stage) for day, stage in keys],
        )

    def _of_day(self, day: str, stage: str) -> ActivityOfDay:
        found: dict[str, Any] = {}
        if (day, stage) in self._actions:
            found = dict(zip(("submitted", "approved", "rejected"), self._actions[day, stage], strict=True))
        if (day, stage) in self._time:
            tasks = self._time[day, stage]
            found |= {"seconds": sum(tasks.values()), "timed_tasks": len(tasks)}
        return ActivityOfDay(day=day, stage_id=stage, **found)


def _day(text: str) -> str:
    return answered_time(text, "time of an activity").astimezone(datetime.UTC).date().isoformat()
