"""Freezing labels: a branch for a date, which nobody edits, so that what is exported of it is the same every time.

Encord copies the labels of rows to another branch and leaves alone what is there already, so a snapshot that was cut
off is completed by doing it again. But annotation goes on, and rows that were first labelled later must not come in
with the second try. What belongs to a snapshot is therefore decided by time alone: the rows that were created by the
moment it was due. A snapshot that is taken later than that has the moment in the name of its branch.
"""

from __future__ import annotations

import datetime
import logging
import re
from collections.abc import Sequence

import msgspec

from airflow_provider_encord.client.api.labels import LabelRowFilter, LabelRowMetadata
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidRequestError
from airflow_provider_encord.client.times import parse_time

log = logging.getLogger(__name__)

_MOMENT = "%Y%m%dT%H%M%SZ"


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot that is whole.

    :param branch: Where the labels are; not the branch that was asked for if it was taken late.
    :param rows: Label rows of the branch.
    :param copied: Those that were copied just now; none if it was whole before.
    :param taken_late: Whether it was taken after its date, and so is not what there was on that date.
    :param moment: Rows that were created by then belong to it; ISO 8601, UTC.
    """

    branch: str
    rows: int
    copied: int
    taken_late: bool
    moment: str


class Date(msgspec.Struct, frozen=True, kw_only=True):
    """For when a snapshot is.

    :param due: When it was to be taken.
    :param late_after: Until when it may be taken without being late.
    :param mark_late: Take it late, and say so in the branch's name; else a late one is refused.
    """

    due: datetime.datetime
    late_after: datetime.datetime
    mark_late: bool = False


def take_snapshot(
    client: EncordClient, project: str, *, branch: str, source: str, date: Date, now: datetime.datetime
) -> Snapshot:
    """Copy labels to a branch, unless they are there.

    :param branch: Its name; with a late snapshot, the beginning of its name.
    :param source: The branch that is frozen.
    :raises InvalidRequestError: There is no such snapshot, and its date is past.
    :raises EncordError: Encord refused, or was not reached; what was copied stays, and the next try goes on.
    """
    if branch == source:
        raise InvalidRequestError(f"branch: {branch!r} is the source, too; a snapshot needs a branch of its own.")
    late = _taken_late(client, project, branch)
    if late:
        return _complete(client, project, late, source, _moment_of(late, branch), taken_late=True)
    if now <= date.late_after or _rows(client, project, branch):
        return _complete(client, project, branch, source, date.due, taken_late=False)
    if not date.mark_late:
        raise InvalidRequestError(
            f"branch: there is no snapshot {branch!r}, and it was due on {date.due.isoformat(timespec='seconds')}. "
            "What the labels were then is not known any more. With if_late='mark' they are taken as they are now, and "
            "the branch's name says so."
        )
    log.warning("The snapshot %s was due on %s; it is taken now, and its name says so.", branch, date.due.isoformat())
    marked = f"{branch}-taken-{now.astimezone(datetime.UTC).strftime(_MOMENT)}"
    return _complete(client, project, marked, source, now, taken_late=True)


def _complete(
    client: EncordClient, project: str, branch: str, source: str, moment: datetime.datetime, *, taken_late: bool
) -> Snapshot:
    there = {row.data_hash for row in _rows(client, project, branch)}
    wanted = [row for row in _rows(client, project, source) if _created_by(row, moment)]
    missing = [row.label_hash for row in wanted if row.data_hash not in there and row.label_hash]
    if missing:
        log.info("Copying the labels of %d rows from branch %s to %s.", len(missing), source, branch)
        client.project(project).rows.copy_to_branch(missing, target=branch, source=source)
    whole = {row.data_hash for row in _rows(client, project, branch)} if missing else there
    _tell_incomplete(wanted, whole, branch)
    return Snapshot(
        branch=branch,
        rows=len(whole),
        copied=len(whole) - len(there),
        taken_late=taken_late,
        moment=moment.astimezone(datetime.UTC).isoformat(),
    )


def _tell_incomplete(wanted: Sequence[LabelRowMetadata], there: set[str], branch: str) -> None:
    lacking = [row.data_hash for row in wanted if row.data_hash not in there]
    if lacking:
        log.warning(
            "%d rows were not copied to %s, the first is of data %s: they were deleted meanwhile, or Encord left them "
            "out.",
            len(lacking),
            branch,
            lacking[0],
        )


def _rows(client: EncordClient, project: str, branch: str) -> list[LabelRowMetadata]:
    """Rows of a branch that have labels."""
    listed = client.project(project).label_rows(LabelRowFilter(branch_name=branch, include_workflow_graph_node=False))
    return [row for row in listed if row.label_hash is not None and row.branch_name == branch]


def _created_by(row: LabelRowMetadata, moment: datetime.datetime) -> bool:
    """Whether a row belongs to the snapshot; one without a time does."""
    try:
        return row.created_at is None or parse_time(row.created_at) <= moment
    except ValueError:
        return True


def _taken_late(client: EncordClient, project: str, branch: str) -> str | None:
    """The branch of this snapshot that was taken late, the first if there are several."""
    pattern = re.compile(re.escape(branch) + r"-taken-\d{8}T\d{6}Z")
    return min((name for name in client.project(project).branches() if pattern.fullmatch(name)), default=None)


def _moment_of(late: str, branch: str) -> datetime.datetime:
    text = late.removeprefix(f"{branch}-taken-")
    # Of the second only the beginning is in the name; who was created within it is taken.
    return datetime.datetime.strptime(text, _MOMENT).replace(tzinfo=datetime.UTC, microsecond=999_999)
