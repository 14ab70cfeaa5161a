"""Snapshots of labels: copies on a separate branch that people do not edit, so that all exports of it are equal.

The rows of a snapshot are decided by time only: the rows that were created by the time at which the snapshot was due. A
snapshot is taken once. An interrupted copy is completed unless it is too late. A complete snapshot is only checked: no
row is added to it, and edited rows are detected. A branch that is not known to be this snapshot (see `snapshot_memory`,
`snapshot_evidence`) is refused.

If a snapshot is taken late, the name of its branch contains the day. It does not contain the time, so two tasks that
take the snapshot at the same moment use the same branch.
"""

from __future__ import annotations

import datetime
import logging
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from airflow_provider_encord.attempts import Store, fingerprint
from airflow_provider_encord.client.api.labels import MAIN_BRANCH, LabelRowFilter, LabelRowMetadata
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.counts import require_sum
from airflow_provider_encord.snapshots.evidence import digest, edited, judge, outsiders, span, time_of
from airflow_provider_encord.snapshots.memory import Capture, Memory
from airflow_provider_encord.storage_paths import StoragePath

log = logging.getLogger(__name__)

_LATE = re.compile(r"-taken-\d{8}(T\d{6}Z)?")
_ADVICE = "Pass another branch name. With a separate `report` for each snapshot, a retry recognises its own snapshot."


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A complete snapshot.

    :param branch: Branch of the snapshot. It differs from the requested name if the snapshot was taken late.
    :param rows: Number of label rows on the branch.
    :param copied: Number of rows that this run copied; 0 if the snapshot was complete before.
    :param taken_late: Whether it was taken late, so that its labels may differ from those at the due time.
    :param captured_at: Rows that were created by this time belong to the snapshot; ISO 8601, UTC.
    :param captured_from: When the first row was copied, by Encord's clock.
    :param captured_until: When the last row was copied, by Encord's clock.
    """

    branch: str
    rows: int
    copied: int
    taken_late: bool
    captured_at: str
    captured_from: str
    captured_until: str


class Date(msgspec.Struct, frozen=True, kw_only=True):
    """The time of a snapshot.

    :param due: When the snapshot is due.
    :param late_after: After this time, the snapshot is late.
    :param mark_late: Take a late snapshot, and add the day to the name of its branch. False refuses it.
    """

    due: datetime.datetime
    late_after: datetime.datetime
    mark_late: bool = False


def snapshot_labels(
    client: EncordClient,
    project: str,
    *,
    branch: str,
    source: str,
    due: datetime.datetime,
    max_lateness_seconds: float,
    mark_late: bool,
    store: Store | None,
    report: StoragePath | None,
) -> dict[str, Any]:
    """Take a snapshot, as a task does it.

    :param branch: See `take_snapshot`; the same for `source` and the errors.
    :param due: When the snapshot is due; see `Date`.
    :param max_lateness_seconds: After so many seconds more, the snapshot is late.
    :param mark_late: See `Date`.
    :param store: Airflow's task state store; None without one.
    :param report: Path of the report; None for none.
    :return: The fields of `Snapshot`, and the project.
    """
    about = fingerprint(project_id=project, branch=branch, source=source, due=due.isoformat())
    late_after = due + datetime.timedelta(seconds=max_lateness_seconds)
    taken = take_snapshot(
        client,
        project,
        branch=branch,
        source=source,
        date=Date(due=due, late_after=late_after, mark_late=mark_late),
        memory=Memory(about, store=store, report=report),
    )
    return {
        "project_id": project,
        "snapshot_branch": taken.branch,
        "rows": taken.rows,
        "copied": taken.copied,
        "taken_late": taken.taken_late,
        "captured_at": taken.captured_at,
        "captured_from": taken.captured_from,
        "captured_until": taken.captured_until,
    }


def take_snapshot(
    client: EncordClient, project: str, *, branch: str, source: str, date: Date, memory: Memory
) -> Snapshot:
    """Copy labels to the branch of a snapshot, unless they are there already.

    :param branch: Name of the branch; for a late snapshot, the beginning of the name.
    :param source: The branch to copy.
    :raises InvalidArgumentError: The branch is something else, its rows were changed, or it is too late.
    :raises CountMismatchError: Encord did not copy all rows.
    :raises EncordError: Encord refused a request, or cannot be reached. The copied rows stay, and the next attempt
        completes the snapshot.
    """
    if branch == source:
        raise InvalidArgumentError(f"snapshot_branch: {branch!r} is also the source branch. Pass another name.")
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
                f"snapshot_branch: the snapshot {capture.branch!r} was started at {capture.begun} and interrupted. It "
                f"is too late to complete it, because labels may have changed since. {_ADVICE}"
            )
        return self._complete(self._new())

    def _require_source(self, branches: Sequence[str]) -> None:
        if self._source != MAIN_BRANCH and self._source not in branches:
            raise InvalidArgumentError(
                f"source_branch: the project has no branch {self._source!r}. It has: {', '.join(map(repr, branches))}."
            )

    def _found(self, branches: Sequence[str]) -> Capture | None:
        """The snapshot on a branch about which nothing is stored; None if the branch does not exist.

        :raises InvalidArgumentError: The branch with this name is something else.
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
                    f"snapshot_branch: {name!r} exists but is not this snapshot: {judgement.fault}. Nothing was added "
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
        """Whether it is too late to complete an interrupted copy."""
        limit = self._date.late_after
        if capture.taken_late:
            limit = parse_time(capture.begun) + (self._date.late_after - self._date.due)
        return self._client.encord_time() > limit

    def _new(self) -> Capture:
        """Start a snapshot, and store that it was started.

        :raises InvalidArgumentError: It is too late.
        """
        due, now = self._date.due, self._client.encord_time()
        late = now > self._date.late_after and bool(self._rows(self._source))  # without labels, it cannot be late
        if late and not self._date.mark_late:
            raise InvalidArgumentError(
                f"snapshot_branch: the snapshot {self._branch!r} does not exist, and it was due on "
                f"{due.isoformat(timespec='seconds')}. Encord does not keep past versions of labels. Set "
                "if_late='mark' to copy the current labels to a branch whose name contains the day."
            )
        branch = self._branch
        if late:
            branch = f"{self._branch}-taken-{now.astimezone(datetime.UTC):%Y%m%d}"
            log.warning("The snapshot %s was due on %s; taking it now, as %s.", self._branch, due.isoformat(), branch)
        capture = Capture(branch=branch, captured_at=_text(now if late else due), taken_late=late, begun=_text(now))
        self._memory.begin(capture)
        return capture

    def _complete(self, capture: Capture) -> Snapshot:
        """Copy the missing rows, and check that the snapshot is complete."""
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
        """Check that a complete snapshot has not changed."""
        self._require(capture.branch, self._memory.difference(capture, self._rows(capture.branch)))
        return _snapshot(capture, copied=0)

    def _account_for(self, branch: str, wanted: Sequence[LabelRowMetadata], whole: Sequence[LabelRowMetadata]) -> None:
        """Check that each row was either copied or deleted."""
        there = {row.data_hash for row in whole}
        lacking = [row.data_hash for row in wanted if row.data_hash not in there]
        if not lacking:
            return
        still = {row.data_hash for row in self._rows(self._source)}
        deleted = [data_hash for data_hash in lacking if data_hash not in still]
        require_sum(f"Snapshot {branch}", len(wanted), copied=len(wanted) - len(lacking), deleted=len(deleted))
        log.warning(
            "%d rows were deleted while the snapshot %s was taken. The first has data hash %s.",
            len(deleted),
            branch,
            deleted[0],
        )

    def _require(self, branch: str, fault: str | None) -> None:
        if fault:
            raise InvalidArgumentError(
                f"snapshot_branch: the snapshot {branch!r} was changed after it was taken: {fault}. Nothing was added "
                f"to it. {_ADVICE}"
            )

    def _wanted(self, moment: datetime.datetime) -> list[LabelRowMetadata]:
        """The rows that belong to a snapshot, in the order of copying."""
        return sorted(
            (row for row in self._rows(self._source) if _created_by(row, moment)), key=lambda row: row.data_hash
        )

    def _rows(self, branch: str) -> list[LabelRowMetadata]:
        """The rows of a branch that have labels."""
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
    """Whether a row belongs to the snapshot. A row without a time does."""
    created = time_of(row.created_at)
    return created is None or created <= moment


def _text(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).isoformat()
