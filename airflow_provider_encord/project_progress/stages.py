"""The stages of a project now: how many tasks are in each, and since when none has left it."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import msgspec

from airflow_provider_encord.history.counted import DONE_STAGE, Count, last_acted, last_left, stage_counts
from airflow_provider_encord.history.daily import ProjectDays

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


def stages_now(history: ProjectDays, today: datetime.date) -> list[StageNow]:
    """All stages that are known, in the order of the workflow; others after these.

    :param today: What is later is left out.
    """
    seen = history.project.seen.stages if history.project else []
    types = {stage.stage_id: stage.stage_type for stage in seen}
    others = [stage_id for stage_id in history.stage_ids if stage_id and stage_id not in types]
    if seen:  # stages that the workflow does not have any more are shown as long as they have tasks
        others = [stage_id for stage_id in others if _last(stage_counts(history, stage_id, today))]
    return [_now(history, stage_id, types.get(stage_id), today) for stage_id in (*types, *others)]


def _last(counts: Sequence[Count]) -> int:
    return counts[-1].tasks if counts else 0


def _now(history: ProjectDays, stage_id: str, stage_type: str | None, today: datetime.date) -> StageNow:
    counts = stage_counts(history, stage_id, today)
    last = counts[-1] if counts else None
    since, at_least = None, False
    if last and last.tasks and stage_type != DONE_STAGE:
        since, at_least = _still_since(history, history.stage_ids.index(stage_id), counts)
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


def _change(counts: Sequence[Count]) -> int | None:
    if not counts:
        return None
    before = [count for count in counts if count.day <= counts[-1].day - TREND]
    return counts[-1].tasks - before[-1].tasks if before else None


def _still_since(history: ProjectDays, number: int, counts: Sequence[Count]) -> tuple[datetime.date, bool]:
    """Since which day no task is known to have left, and whether it may have been longer.

    A task has left when there are fewer tasks than before, when there were none, or when somebody submitted or reviewed
    one.
    """
    left, acted = last_left(counts), last_acted(history, number, counts[-1].day)
    since = counts[left].day
    if acted is not None and acted >= since:
        return acted, False
    return since, left == 0
