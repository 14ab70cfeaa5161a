"""When a project will be done: a date, a band around it, and a sentence that says why and how sure it is.

The method, so that it can be explained: the past is cut into whole weeks, at most `MOST_WEEKS`, that end with the last
count. Each of many draws takes as many of these weeks at random, as if they had been the past, and then lets random
weeks of these follow until nothing remains. A week keeps its days in order, so weekends stay weekends; what was added
to the project in a week belongs to it. The first step stands for what the past may have hidden, the second one for the
luck of the future. The band has 80 % of the dates, and the date in the middle is the forecast. Few weeks hide more of
how different weeks can be, so their deviations are stretched (`_SPREAD`).
"""

from __future__ import annotations

import datetime
import math
import random
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from airflow_provider_encord.history.counted import Point
from airflow_provider_encord.project_progress.series import Step, steps

MOST_WEEKS = 8
LEAST_WEEKS = 2
DRAWS = 400
LONGEST_DAYS = 3 * 365
"""A draw that takes longer counts as one that never ends."""
QUIET_DAYS = 14
"""So many days without progress mean that there is no pace to go on with."""
_BAND = 0.1, 0.9
_SEED = 20

Verdict: TypeAlias = Literal["forecast", "done", "too_short", "no_progress", "growing", "unknown"]


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """When a project will be done.

    :param verdict: ``forecast``; or why there is no date.
    :param sentence: Why, and how sure it is.
    :param date: The forecast; None without one.
    :param earliest: Start of the band in which the true date is with a probability of 80 %.
    :param latest: Its end; None if more than one draw of ten never ends.
    :param remaining: What was not done at the last count.
    :param per_week: How much was done in a week, on average of the weeks that were used.
    :param added_per_week: How much was added in a week.
    :param weeks: How many weeks were used.
    :param never: Share of draws that never end.
    """

    verdict: Verdict
    sentence: str
    date: datetime.date | None = None
    earliest: datetime.date | None = None
    latest: datetime.date | None = None
    remaining: int | None = None
    per_week: float | None = None
    added_per_week: float | None = None
    weeks: int = 0
    never: float = 0.0


def forecast(counted: Sequence[Point], *, noun: str = "tasks", draws: int = DRAWS) -> Forecast:
    """Forecast the date on which nothing remains. The same counts have the same forecast.

    :param counted: The counts, by day.
    :param noun: What is counted, for the sentence.
    :param draws: More make the band smoother, and take longer.
    """
    if not counted:
        return Forecast(verdict="unknown", sentence="The history has no count of all tasks of the project.")
    last, past = counted[-1], steps(counted)
    if last.remaining <= 0:
        return _done(counted, noun)
    weeks = _weeks(past)
    if len(weeks) < LEAST_WEEKS:
        days = (last.day - counted[0].day).days
        return Forecast(
            verdict="too_short",
            sentence=f"The history is too short for a forecast: it covers {days} days, and needs "
            f"{7 * LEAST_WEEKS} days between the first and the last count.",
            remaining=last.remaining,
        )
    if sum(step.done for step in past[-QUIET_DAYS:]) <= 0:
        return _without_progress(last, past, noun)
    return _drawn(last, weeks, past, noun, draws)


def _done(counted: Sequence[Point], noun: str) -> Forecast:
    since = counted[-1].day
    for point in reversed(counted):
        if point.remaining > 0:
            break
        since = point.day
    if counted[-1].total == 0:
        return Forecast(verdict="unknown", sentence=f"The project has no {noun} yet.", remaining=0)
    return Forecast(verdict="done", sentence=f"All {noun} are done since {said(since)}.", date=since, remaining=0)


def _without_progress(last: Point, past: Sequence[Step], noun: str) -> Forecast:
    progress = [step.day for step in past if step.done > 0]
    since = f"since {said(progress[-1])}" if progress else f"since the history began, on {said(past[0].day)}"
    return Forecast(
        verdict="no_progress",
        sentence=f"There is no forecast, because nothing was done {since}; {last.remaining} {noun} remain.",
        remaining=last.remaining,
        per_week=0.0,
        weeks=len(_weeks(past)),
    )


def _weeks(past: Sequence[Step]) -> list[Sequence[Step]]:
    """The last whole weeks, the oldest first."""
    count = min(len(past) // 7, MOST_WEEKS)
    return [past[len(past) - 7 * number :][:7] for number in range(count, 0, -1)]


def _stretched(weeks: Sequence[Sequence[Step]]) -> list[list[float]]:
    """What each day took off the remaining work, with the deviations of weeks from their mean stretched."""
    count = len(weeks)
    nets = [[step.done - step.added for step in week] for week in weeks]
    means = [sum(week[day] for week in nets) / count for day in range(7)]
    factor = _spread(count)
    return [[mean + factor * (net - mean) for net, mean in zip(week, means, strict=True)] for week in nets]


def _spread(count: int) -> float:
    """How much deviations are stretched: the variance of few values is too small, and their tails are thin."""
    return math.sqrt(count / (count - 1)) * (1 + 1 / count)


def _drawn(last: Point, weeks: Sequence[Sequence[Step]], past: Sequence[Step], noun: str, draws: int) -> Forecast:
    nets = [_Week(net, sum(net), _lowest(net)) for net in _stretched(weeks)]
    count, chance = len(nets), random.Random(_SEED)  # noqa: S311 - the same history has the same forecast
    lengths = sorted(_length(last.remaining, chance.choices(nets, k=count), chance) for _ in range(draws))
    low, middle, high = (lengths[min(int(share * draws), draws - 1)] for share in (_BAND[0], 0.5, _BAND[1]))
    never = sum(length > LONGEST_DAYS for length in lengths) / draws
    done = sum(step.done for week in weeks for step in week) / count
    added = sum(step.added for week in weeks for step in week) / count
    facts = {"remaining": last.remaining, "per_week": done, "added_per_week": added, "weeks": count, "never": never}
    pace = f"In the last {count} weeks, {_number(done)} {noun} were done and {_number(added)} were added per week"
    if middle > LONGEST_DAYS:
        sentence = f"{pace}, so the work grows about as fast as it is done, or faster; {last.remaining} {noun} remain."
        return Forecast(verdict="growing", sentence=sentence, **facts)  # type: ignore[arg-type]
    date, earliest = _after(last, middle), _after(last, low)
    latest = _after(last, high) if high <= LONGEST_DAYS else None
    band = f"between {said(earliest)} and {said(latest)}" if latest else f"after {said(earliest)}, with no sure end"
    return Forecast(
        verdict="forecast",
        sentence=f"{pace}; {last.remaining} remain. At this pace they are done about {said(date)}, and with a "
        f"probability of 80 % {band}. {_sureness(low, high, count, past)}",
        date=date,
        earliest=earliest,
        latest=latest,
        **facts,  # type: ignore[arg-type]
    )


class _Week(NamedTuple):
    """What a week takes off the remaining work.

    :param days: On each day.
    :param all: On all of them.
    :param most: The most, on any of its days.
    """

    days: Sequence[float]
    all: float
    most: float


def _length(remaining: float, weeks: Sequence[_Week], chance: random.Random) -> int:
    """The number of days until nothing remains, if random weeks of these follow."""
    days, count = 0, len(weeks)
    fastest, most = max(week.all for week in weeks), max(week.most for week in weeks)
    if remaining > max(fastest, 0) * (LONGEST_DAYS // 7 + 1) + most:
        return LONGEST_DAYS + 7  # not even if each week were the best of these
    while days <= LONGEST_DAYS:
        week = weeks[int(chance.random() * count)]
        if remaining <= week.most:
            for net in week.days:
                days += 1
                remaining -= net
                if remaining <= 0:
                    return days
        remaining -= week.all
        days += 7
    return days


def _lowest(week: Sequence[float]) -> float:
    """The most that is taken off within a week, on any of its days."""
    taken, most = 0.0, 0.0
    for net in week:
        taken += net
        most = max(most, taken)
    return most


def _sureness(low: int, high: int, weeks: int, past: Sequence[Step]) -> str:
    used = past[-7 * weeks :]
    guessed = sum(not step.counted for step in used)
    parts = []
    if high > LONGEST_DAYS or high - low > max(7, low):
        parts.append("The weeks differ much from each other, so the date is not sure.")
    if weeks < MOST_WEEKS // 2:
        parts.append(f"Only {weeks} weeks are known.")
    if guessed > len(used) // 4:
        parts.append(f"{guessed} of {len(used)} days were not counted one after the other, and are averages.")
    return " ".join(parts) or "The weeks are alike."


def _after(last: Point, days: int) -> datetime.date:
    return last.day + datetime.timedelta(days=days)


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.1f}".removesuffix(".0")


def said(day: datetime.date) -> str:
    """A date in words, such as 3 December 2026, whatever the language of the machine is."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
