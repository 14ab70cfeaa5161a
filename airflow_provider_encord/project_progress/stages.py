"""The stages of a project now: how many tasks are in each, and since when none has left it."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import msgspec

from airflow_provider_encord.history.daily import ProjectDays
from airflow_provider_encord.project_progress.series import DONE_STAGE

TREND = datetime.timedelta(days=14)
_ID_SHOWN = 8


class StageNow(msgspec.Struct, frozen=True, kw_only=True):
    """A stage, as it was last counted.

    :param stage_type: ``ANNOTATION``, ``REVIEW``, ``DONE``, ...; None if the history does not say.
    :param tasks: Its tasks; None if they were never counted.
    :param at: When they were.
    :param change: How many more these are than two weeks before; None if that is not known.
    :param oldest_since: Since when the oldest task has been there, as a sensor has seen it.
    :param still_since: Since which day no task is known to have left it; None if it is empty or final.
    :param at_least: Whether that may have been longer, because the history begins there.
    """

    stage_id: str
    title: str
    stage_type: str | None
    tasks: int | None
    at: str | None
    change: int | None
    oldest_since: str | None
    still_since: datetime.date | None
    at_least: bool

    @property
    def is_final(self) -> bool:
        """Whether tasks stay in it."""
        return self.stage_type == DONE_STAGE


class _Count(msgspec.Struct, frozen=True):
    day: datetime.date
    tasks: int
    at: str
    oldest_since: str | None = None


def stages_now(history: ProjectDays, today: datetime.date) -> list[StageNow]:
    """All stages that are known, in the order of the workflow; others after these.

    :param today: What is later is left out.
    """
    seen = history.project.seen.stages if history.project else []
    types = {stage.stage_id: stage.stage_type for stage in seen}
    others = [stage_id for stage_id in history.stage_ids if stage_id and stage_id not in types]
    if seen:  # stages that the workflow does not have any more are shown as long as they have tasks
        others = [stage_id for stage_id in others if _last(_counts(history, stage_id, today))]
    return [_now(history, stage_id, types.get(stage_id), today) for stage_id in (*types, *others)]


def _last(counts: Sequence[_Count]) -> int:
    return counts[-1].tasks if counts else 0


def _now(history: ProjectDays, stage_id: str, stage_type: str | None, today: datetime.date) -> StageNow:
    counts = _counts(history, stage_id, today)
    last = counts[-1] if counts else None
    since, at_least = None, False
    if last and last.tasks and stage_type != DONE_STAGE:
        since, at_least = _still_since(history, stage_id, counts)
    return StageNow(
        stage_id=stage_id,
        title=_title(history, stage_id),
        stage_type=stage_type,
        tasks=last.tasks if last else None,
        at=last.at if last else None,
        change=_change(counts),
        oldest_since=last.oldest_since if last else None,
        still_since=since,
        at_least=at_least,
    )


def _title(history: ProjectDays, stage_id: str) -> str:
    titles = dict(zip(history.stage_ids, history.titles, strict=True))
    title = titles.get(stage_id, ("", ""))[1]
    return title or f"Stage {stage_id[:_ID_SHOWN]}"


def _counts(history: ProjectDays, stage_id: str, today: datetime.date) -> list[_Count]:
    """The counts of a stage, the last of each day."""
    if stage_id not in history.stage_ids:
        return []
    number, found = history.stage_ids.index(stage_id), []
    for name in sorted(history.days):
        if name > today.isoformat():
            break
        day, date = history.days[name], datetime.date.fromisoformat(name)
        of_day = []
        if day.all_stages is not None:
            of_day.append(_Count(date, day.all_stages.tasks.get(number, 0), day.all_stages.at))
        if number in day.stages:
            one = day.stages[number]
            of_day.append(_Count(date, one.tasks, one.at, one.oldest_since))
        if of_day:
            found.append(max(of_day, key=lambda count: count.at))
    return found


def _change(counts: Sequence[_Count]) -> int | None:
    if not counts:
        return None
    before = [count for count in counts if count.day <= counts[-1].day - TREND]
    return counts[-1].tasks - before[-1].tasks if before else None


def _still_since(history: ProjectDays, stage_id: str, counts: Sequence[_Count]) -> tuple[datetime.date, bool]:
    """Since which day no task is known to have left, and whether it may have been longer.

    A task has left when there are fewer tasks than before, when there were none, or when somebody submitted or reviewed
    one.
    """
    since, at_least = counts[0].day, True
    before = None
    for count in counts:
        if before is not None and (count.tasks < before or before == 0):
            since, at_least = count.day, False
        before = count.tasks
    number = history.stage_ids.index(stage_id)
    for name in sorted(history.days):
        actions = history.days[name].actions
        stage = actions.stages.get(number) if actions else None
        if stage and stage.submitted + stage.approved + stage.rejected:
            day = datetime.date.fromisoformat(name)
            if counts[-1].day >= day >= since:
                since, at_least = day, False
    return since, at_least
