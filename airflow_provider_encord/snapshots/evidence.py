"""Deciding from the rows of a branch whether it is the expected snapshot.

A branch is the snapshot if all its rows were copied after the snapshot was due, none was edited since, and they are the
rows of the snapshot. An interrupted copy leaves the first rows in order, in multiples of one request.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

import msgspec

from airflow_provider_encord.attempts import fingerprint
from airflow_provider_encord.client.api.label_actions import MOST_ROWS_PER_BRANCH_COPY
from airflow_provider_encord.client.api.labels import LabelRowMetadata
from airflow_provider_encord.client.times import parse_time

_SLACK = datetime.timedelta(seconds=1.5)  # times may be rounded to whole seconds
_COPYING = datetime.timedelta(milliseconds=5)  # between the two times that Encord sets on a copied row


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """The result of the check of a branch.

    :param whole: Whether all rows of the snapshot are on the branch.
    :param fault: Why the branch is not the snapshot; None if it can be.
    """

    whole: bool
    fault: str | None


def judge(
    rows: Sequence[LabelRowMetadata], wanted: Sequence[LabelRowMetadata], *, begun: datetime.datetime
) -> Judgement:
    """Check a branch about which nothing is stored.

    :param rows: The rows of the branch.
    :param wanted: The rows of the source branch that belong to the snapshot.
    :param begun: The copying started at this time, or later.
    """
    there, belonging = {row.data_hash for row in rows}, {row.data_hash for row in wanted}
    whole = belonging <= there
    early = [row for row in rows if (made := time_of(row.created_at)) and made < begun - _SLACK]
    fault = outsiders(rows, wanted) or edited(rows)
    if not fault and early:
        fault = f"{len(early)} of its rows are from before {begun.isoformat(timespec='seconds')}"
    if not fault and not whole and not _is_interrupted_copy(there, wanted):
        fault = f"it has {len(there)} of {len(belonging)} rows, but an interrupted snapshot would have other rows"
    return Judgement(whole=whole, fault=fault)


def outsiders(rows: Sequence[LabelRowMetadata], wanted: Sequence[LabelRowMetadata]) -> str | None:
    """Describe the rows of a branch that do not belong to the snapshot; None without any."""
    belonging = {row.data_hash for row in wanted}
    others = [row.data_hash for row in rows if row.data_hash not in belonging]
    return f"{len(others)} of its rows do not belong to it (the first: data {others[0]})" if others else None


def edited(rows: Sequence[LabelRowMetadata]) -> str | None:
    """Describe the rows that were edited after they were copied; None without any."""
    made = [moment for row in rows if (moment := time_of(row.created_at))]
    if not made:
        return None
    copied = max(made) + _COPYING
    later = [row.data_hash for row in rows if (moment := time_of(row.last_edited_at)) and moment > copied]
    return f"{len(later)} of its rows were edited since (the first: data {later[0]})" if later else None


def changed(rows: Sequence[LabelRowMetadata], before: dict[str, str | None]) -> str | None:
    """Describe the differences from the rows in a report; None without any.

    :param before: Edit times by label hash.
    """
    now = {str(row.label_hash): row.last_edited_at for row in rows}
    missing, added = before.keys() - now.keys(), now.keys() - before.keys()
    others = [data_hash for data_hash in before.keys() & now.keys() if before[data_hash] != now[data_hash]]
    found = {"deleted": missing, "added": added, "edited": others}
    words = [f"{len(some)} of its rows were {verb} (the first: {min(some)})" for verb, some in found.items() if some]
    return "; ".join(words) or None


def digest(rows: Iterable[LabelRowMetadata]) -> str:
    """A hash of the rows of a branch and their edit times."""
    return fingerprint(rows=sorted((str(row.label_hash), row.last_edited_at) for row in rows))


def span(
    rows: Sequence[LabelRowMetadata], begun: datetime.datetime, ended: datetime.datetime
) -> tuple[datetime.datetime, datetime.datetime]:
    """When the rows of a branch were copied, from Encord's times; without these, the start and end of the copying."""
    made = sorted(moment for row in rows if (moment := time_of(row.created_at)))
    if made and made[0] >= begun - _SLACK and made[-1] <= ended + _SLACK:
        return made[0], made[-1]
    return begun, ended


def time_of(text: str | None) -> datetime.datetime | None:
    """A time of Encord; None if it is missing or in an unknown format."""
    try:
        return parse_time(text).astimezone(datetime.UTC) if text else None
    except ValueError:
        return None


def _is_interrupted_copy(there: set[str], wanted: Sequence[LabelRowMetadata]) -> bool:
    first = {row.data_hash for row in wanted[: len(there)]}
    return there == first and len(there) % MOST_ROWS_PER_BRANCH_COPY == 0
