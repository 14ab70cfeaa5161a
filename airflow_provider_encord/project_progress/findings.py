"""What is late or wrong in a project, why, and since when: the answer that a reader looks for first."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

import msgspec

from airflow_provider_encord.history.counted import Point
from airflow_provider_encord.history.daily import ProjectDays
from airflow_provider_encord.project_progress.forecast import Forecast, forecast, said
from airflow_provider_encord.project_progress.stages import StageNow

STILL_DAYS = 7
"""A stage that no task has left for so many days is named."""
OLD_DAYS = 7
"""A history whose last count is older is named."""
_LOOKED_BACK = 26  # weeks
_FEW_DRAWS = 100

Severity: TypeAlias = Literal["late", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("late", "warning", "note")
"""The worst first."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something to act on.

    :param severity: ``late``, ``warning`` or ``note``.
    :param text: What it is and why.
    :param since: Since which day.
    """

    severity: Severity
    text: str
    since: datetime.date | None = None


def findings(
    history: ProjectDays,
    stages: Sequence[StageNow],
    counted: Sequence[Point],
    ended: Forecast,
    *,
    today: datetime.date,
    due: datetime.date | None,
    noun: str,
) -> list[Finding]:
    """All findings, the worst first.

    :param ended: The forecast of today.
    """
    found = [
        *_of_dates(counted, ended, today, due, noun),
        *_of_pace(ended),
        *_of_stages(stages, counted, today),
        *_of_gate(history),
        *_of_age(counted, today),
    ]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def _of_dates(
    counted: Sequence[Point], ended: Forecast, today: datetime.date, due: datetime.date | None, noun: str
) -> Iterator[Finding]:
    if due is None or ended.verdict in ("unknown", "done"):
        return
    if today > due:
        text = f"It was due on {said(due)}, and {ended.remaining} {noun} remain."
        yield Finding(severity="late", text=text, since=due)
    elif ended.date is not None and ended.date > due:
        days = (ended.date - due).days
        since = _late_since(counted, due)
        text = f"It is due on {said(due)}; but at this pace it is done about {said(ended.date)}, {days} days later."
        yield Finding(severity="late", text=text, since=since)
    elif ended.latest is not None and ended.latest > due and ended.date is not None:
        text = f"It may be late: it is due on {said(due)}, which is before the end of the band, {said(ended.latest)}."
        yield Finding(severity="warning", text=text)


def _late_since(counted: Sequence[Point], due: datetime.date) -> datetime.date:
    """Since which week the forecasts say that it will be late."""
    since = counted[-1].day
    for weeks in range(1, _LOOKED_BACK + 1):
        day = counted[-1].day - datetime.timedelta(days=7 * weeks)
        then = forecast([point for point in counted if point.day <= day], draws=_FEW_DRAWS)
        if then.verdict == "growing" or (then.date is not None and then.date > due):
            since = day
        else:
            break
    return since


def _of_pace(ended: Forecast) -> Iterator[Finding]:
    if ended.verdict in ("no_progress", "growing"):
        yield Finding(severity="late", text=ended.sentence)


def _of_stages(stages: Sequence[StageNow], counted: Sequence[Point], today: datetime.date) -> Iterator[Finding]:
    still = [stage for stage in stages if stage.still_since and (today - stage.still_since).days >= STILL_DAYS]
    for stage in sorted(still, key=lambda stage: (stage.still_since or today, -(stage.tasks or 0))):
        begun = "at least " if stage.at_least else ""
        text = f"No task is known to have left the stage {stage.title!r} for {begun}"
        text += f"{(today - (stage.still_since or today)).days} days; {stage.tasks} are in it."
        yield Finding(severity="warning", text=text, since=stage.still_since)
    grown = [stage for stage in stages if stage.change and stage.change > 0 and not stage.is_final and stage.tasks]
    worst = max(grown, key=lambda stage: stage.change or 0, default=None)
    if worst is not None and worst not in still and counted and (worst.change or 0) * 10 >= counted[-1].total:
        text = f"Tasks gather in the stage {worst.title!r}: {worst.tasks}, {worst.change} more than two weeks before."
        yield Finding(severity="warning", text=text)


def _of_gate(history: ProjectDays) -> Iterator[Finding]:
    gate = history.events.get("gate")
    if gate is not None and gate.outcome == "failed":
        text = f"The last quality gate failed; its report is {gate.uri}."
        yield Finding(severity="warning", text=text, since=datetime.date.fromisoformat(gate.at[:10]))


def _of_age(counted: Sequence[Point], today: datetime.date) -> Iterator[Finding]:
    if not counted:
        return
    age = (today - counted[-1].day).days
    if age >= OLD_DAYS:
        text = f"The last count of all tasks is {age} days old, so the numbers and the forecast are of that day."
        yield Finding(severity="warning", text=text, since=counted[-1].day)
