"""Freezing labels: a branch for a date, which people do not edit, so that each export of it is the same.

Which rows belong to a snapshot is decided by time alone: those that were created by the moment it was due. It is taken
once. A copy that was cut off is completed as long as the snapshot is not late, and a snapshot that is whole is only
checked: no row is ever added to it, and one that a person edited is noticed. A branch that is not known to be this
snapshot (see `snapshot_memory`, `snapshot_evidence`) is refused.

A snapshot that is taken late has the day in the name of its branch. The day and not the time, so that two tasks that
take it at once take the same one.
"""

from __future__ import annotations

import datetime
import logging
import re
from collections.abc import Sequence

import msgspec

from airflow_provider_encord.client.api.labels import MAIN_BRANCH, LabelRowFilter, LabelRowMetadata
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.counts import require_sum
from airflow_provider_encord.snapshots.evidence import digest, edited, judge, outsiders, span, time_of
from airflow_provider_encord.snapshots.memory import Capture, Memory

log = logging.getLogger(__name__)

_LATE = re.compile(r"-taken-\d{8}(T\d{6}Z)?")
_ADVICE = "Name another branch; a `report` of each snapshot lets a retry know its own."


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot that is whole.

    :param branch: Where the labels are; not the branch that was asked for if it was taken late.
    :param rows: Label rows of the branch.
    :param copied: Those that were copied just now; none if it was whole before.
    :param taken_late: Whether it was taken after its date, and so is not what there was on that date.
    :param captured_at: Rows that were created by then belong to it; ISO 8601, UTC.
    :param captured_from: When the first row was copied, by Encord's clock; so `captured_until`, the last.
    """

    branch: str
    rows: int
    copied: int
    taken_late: bool
    captured_at: str
    captured_from: str
    captured_until: str


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
    client: EncordClient, project: str, *, branch: str, source: str, date: Date, memory: Memory
) -> Snapshot:
    """Copy labels to a branch, unless they are there.

    :param branch: Its name; with a late snapshot, the beginning of its name.
    :param source: The branch that is frozen.
    :raises InvalidArgumentError: The branch is something else, its rows were changed, or its date is past.
    :raises CountMismatchError: Encord left out rows.
    :raises EncordError: Encord refused, or was not reached; what was copied stays, and the next try completes it.
    """
    if branch == source:
        raise InvalidArgumentError(
            f"snapshot_branch: {branch!r} is the source, too; a snapshot needs a branch of its own."
        )
    return _Taking(client, project, branch, source, date, memory).take()


class _Taking:
    """One attempt at a snapshot."""

    def __init__(
        self, client: EncordClient, project: str, branch: str, source: str, date: Date, memory: Memory
    ) -> None:
        self._client, self._project = client, client.project(project)
        self._branch, self._source, self._date, self._memory = branch, source, date, memory

    def take(self) -> Snapshot:
        capture = self._memory.load()
        if capture and capture.ended:
            return self._checked(capture)
        branches = self._project.branches()
        self._require_source(branches)
        capture = capture or self._found(branches)
        if capture and (capture.ended or not self._too_late(capture)):
            return self._complete(capture)
        held = self._rows(capture.branch) if capture and capture.branch in branches else []
        if capture and held and (capture.taken_late or not self._date.mark_late):
            raise InvalidArgumentError(
                f"snapshot_branch: the snapshot {capture.branch!r} was begun at {capture.begun} and cut off, and it "
                f"is too late to complete it: labels have changed since. {_ADVICE}"
            )
        return self._complete(self._new())

    def _require_source(self, branches: Sequence[str]) -> None:
        if self._source != MAIN_BRANCH and self._source not in branches:
            raise InvalidArgumentError(
                f"source_branch: the project has no branch {self._source!r}. It has: {', '.join(map(repr, branches))}."
            )

    def _found(self, branches: Sequence[str]) -> Capture | None:
        """The snapshot that is there though nothing is remembered of it; None if there is no such branch.

        :raises InvalidArgumentError: A branch of the name is something else.
        """
        late = min((branch for branch in branches if self._is_late_name(branch)), default=None)
        for name, taken_late in ((late, True), (self._branch, False)):
            rows = self._rows(name) if name is not None and name in branches else []
            if name is None or not rows:
                continue
            made = min((moment for row in rows if (moment := time_of(row.created_at))), default=self._date.due)
            moment = made if taken_late else self._date.due
            judgement = judge(rows, self._wanted(moment), begun=moment)
            if self._memory.lasting and not judgement.fault:
                judgement = msgspec.structs.replace(judgement, fault="this task did not make it")
            if judgement.fault:
                raise InvalidArgumentError(
                    f"snapshot_branch: {name!r} exists and is not this snapshot: {judgement.fault}. Nothing was added "
                    f"to it. {_ADVICE}"
                )
            begun = made.isoformat()
            return Capture(
                branch=name,
                captured_at=moment.isoformat(),
                taken_late=taken_late,
                begun=begun,
                ended=begun if judgement.whole else None,
            )
        return None

    def _is_late_name(self, name: str) -> bool:
        return name.startswith(self._branch) and _LATE.fullmatch(name.removeprefix(self._branch)) is not None

    def _too_late(self, capture: Capture) -> bool:
        """Whether a copy that was cut off must not be completed any more."""
        limit = self._date.late_after
        if capture.taken_late:
            limit = parse_time(capture.begun) + (self._date.late_after - self._date.due)
        return self._client.encord_time() > limit

    def _new(self) -> Capture:
        """Begin a snapshot, and remember it.

        :raises InvalidArgumentError: It is too late.
        """
        due, now = self._date.due, self._client.encord_time()
        late = now > self._date.late_after and bool(self._rows(self._source))  # what has no labels cannot be late
        if late and not self._date.mark_late:
            raise InvalidArgumentError(
                f"snapshot_branch: there is no snapshot {self._branch!r}, and it was due on "
                f"{due.isoformat(timespec='seconds')}. What the labels were then is not known any more. With "
                "if_late='mark' they are taken as they are now, and the branch's name says so."
            )
        branch = self._branch
        if late:
            branch = f"{self._branch}-taken-{now.astimezone(datetime.UTC):%Y%m%d}"
            log.warning("The snapshot %s was due on %s; it is taken now, as %s.", self._branch, due.isoformat(), branch)
        capture = Capture(branch=branch, captured_at=_text(now if late else due), taken_late=late, begun=_text(now))
        self._memory.begin(capture)
        return capture

    def _complete(self, capture: Capture) -> Snapshot:
        """Copy what is missing, and check that all is there."""
        branch, wanted = capture.branch, self._wanted(parse_time(capture.captured_at))
        before = self._rows(branch)
        self._require(branch, outsiders(before, wanted) or edited(before))
        there = {row.data_hash for row in before}
        missing = [str(row.label_hash) for row in wanted if row.data_hash not in there]
        if missing:
            log.info("Copying the labels of %d rows from branch %s to %s.", len(missing), self._source, branch)
            self._project.rows.copy_to_branch(missing, target=branch, source=self._source)
        whole = self._rows(branch) if missing else before
        self._require(branch, outsiders(whole, wanted))
        self._account_for(branch, wanted, whole)
        begun, ended = span(whole, parse_time(capture.begun), self._client.encord_time())
        if not whole:
            begun = ended = parse_time(capture.captured_at)
        capture = msgspec.structs.replace(
            capture, begun=_text(begun), ended=_text(ended), rows=len(whole), digest=digest(whole)
        )
        self._memory.finish(capture, self._source, whole, {row.data_hash: row.label_hash for row in wanted})
        return _snapshot(capture, copied=len(whole) - len(there))

    def _checked(self, capture: Capture) -> Snapshot:
        """A snapshot that was whole, if it still is."""
        self._require(capture.branch, self._memory.difference(capture, self._rows(capture.branch)))
        return _snapshot(capture, copied=0)

    def _account_for(self, branch: str, wanted: Sequence[LabelRowMetadata], whole: Sequence[LabelRowMetadata]) -> None:
        """Check that every row was copied, or is gone."""
        there = {row.data_hash for row in whole}
        lacking = [row.data_hash for row in wanted if row.data_hash not in there]
        if not lacking:
            return
        still = {row.data_hash for row in self._rows(self._source)}
        deleted = [one for one in lacking if one not in still]
        require_sum(f"Snapshot {branch}", len(wanted), copied=len(wanted) - len(lacking), deleted=len(deleted))
        log.warning(
            "%d rows were deleted while %s was taken, the first is of data %s.", len(deleted), branch, deleted[0]
        )

    def _require(self, branch: str, fault: str | None) -> None:
        if fault:
            raise InvalidArgumentError(
                f"snapshot_branch: the snapshot {branch!r} is not what was frozen any more: {fault}. Nothing was "
                f"added to it. {_ADVICE}"
            )

    def _wanted(self, moment: datetime.datetime) -> list[LabelRowMetadata]:
        """The rows that belong to a snapshot, in the order in which they are copied."""
        return sorted(
            (row for row in self._rows(self._source) if _created_by(row, moment)), key=lambda row: row.data_hash
        )

    def _rows(self, branch: str) -> list[LabelRowMetadata]:
        """Rows of a branch that have labels."""
        which = LabelRowFilter(branch_name=branch, include_workflow_graph_node=False)
        listed = self._project.label_rows(which)
        return [row for row in listed if row.label_hash is not None and row.branch_name == branch]


def _snapshot(capture: Capture, *, copied: int) -> Snapshot:
    return Snapshot(
        branch=capture.branch,
        rows=capture.rows,
        copied=copied,
        taken_late=capture.taken_late,
        captured_at=capture.captured_at,
        captured_from=capture.begun,
        captured_until=capture.ended or capture.begun,
    )


def _created_by(row: LabelRowMetadata, moment: datetime.datetime) -> bool:
    """Whether a row belongs to the snapshot; one without a time does."""
    created = time_of(row.created_at)
    return created is None or created <= moment


def _text(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).isoformat()
