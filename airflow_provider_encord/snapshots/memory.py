"""The state of a snapshot that is stored between attempts: that it was started, when, and which rows it has.

A report stores each row. Airflow's task state store (3.3) stores a hash of the rows. Without either, the rows of the
branch are the only evidence (see `snapshot_evidence`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from airflow_provider_encord.attempts import Checkpoint, FileStore, Store
from airflow_provider_encord.client.api.labels import LabelRowMetadata
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.reports import CREATED, SCHEMA_VERSION, UNCHANGED, LineReader, ReportLine, encode_lines
from airflow_provider_encord.snapshots.evidence import changed, digest, edited
from airflow_provider_encord.storage_paths import storage_errors, write_whole

OPERATION = "snapshot_labels"
_KEY = "encord_snapshot"


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot that was started.

    :param branch: Branch of the snapshot.
    :param captured_at: Rows that were created by this time belong to the snapshot; ISO 8601, UTC.
    :param begun: When the copying started, by Encord's clock.
    :param ended: When the copying ended, by Encord's clock; None until the snapshot is complete.
    :param rows: Number of rows on the branch.
    :param digest: See `snapshot_evidence.digest`.
    """

    branch: str
    captured_at: str
    taken_late: bool
    begun: str
    ended: str | None = None
    rows: int = 0
    digest: str | None = None


class SnapshotLine(ReportLine, frozen=True, kw_only=True):
    """A line of the report: a label row of the snapshot.

    ``source`` is the branch that was copied. ``id`` is the label hash of the row on the snapshot's branch; it is null
    in the only line of a snapshot without rows.

    :param source_label_hash: Label hash of the row that was copied.
    :param last_edited_at: When the copy was last edited, in Encord's format.
    :param about: Hash of project, branches and due time.
    """

    data_hash: str | None
    source_label_hash: str | None
    last_edited_at: str | None
    about: str
    capture: Capture


_LINE = LineReader(SnapshotLine, OPERATION)


class Memory:
    """Stores the state of one snapshot.

    :param about: A `fingerprint` of project, branches and due time.
    :param store: Airflow's task state store; None for Airflow versions without it.
    :param report: Path object of the report; None for no report.
    """

    def __init__(self, about: str, *, store: Store | None = None, report: Any = None):
        self._about, self._report = about, report
        place = FileStore(report.parent / f"{report.name}.parts", "report") if report is not None else store
        self._checkpoint = Checkpoint(place, _KEY, about, Capture)
        self._lines: list[SnapshotLine] = []

    @property
    def lasting(self) -> bool:
        """Whether another attempt can read the state that this one stores."""
        return self._checkpoint.lasting

    def load(self) -> Capture | None:
        """Load the state that an earlier attempt stored.

        :raises InvalidArgumentError: The report is not the report of this snapshot.
        """
        if self._report is not None and (lines := self._read()):
            self._lines = lines
            self._checkpoint.forget()  # an attempt may have died after the report was complete
            return lines[0].capture
        return self._checkpoint.load()

    def begin(self, capture: Capture) -> None:
        """Store that a snapshot was started."""
        self._checkpoint.save(capture)

    def finish(
        self, capture: Capture, source: str, rows: Sequence[LabelRowMetadata], copied: dict[str, str | None]
    ) -> None:
        """Store a complete snapshot.

        :param copied: Label hashes of the copied rows on the source branch, by data hash.
        """
        if self._report is None:
            self._checkpoint.save(capture)
            return
        lines = [self._line(capture, source, row, copied.get(row.data_hash)) for row in rows]
        blocks = encode_lines(lines or [self._line(capture, source, None, None)])
        with storage_errors("report", self._report):
            write_whole(self._report, blocks)
        self._checkpoint.forget()

    def difference(self, capture: Capture, rows: Sequence[LabelRowMetadata]) -> str | None:
        """Describe the changes of a complete snapshot's rows; None if they have not changed."""
        if self._lines:
            return changed(rows, {line.id: line.last_edited_at for line in self._lines if line.id is not None})
        if capture.digest in (None, digest(rows)):
            return None
        return (
            edited(rows)
            or f"some of its rows were edited, added or deleted (it had {capture.rows} rows, and has {len(rows)} now)"
        )

    def _read(self) -> list[SnapshotLine]:
        with storage_errors("report", self._report):
            if not self._report.exists():
                return []
            content = bytes(self._report.read_bytes())
        try:
            lines = [_LINE.decode(line) for line in content.splitlines()]
        except NOT_JSON:
            lines = []
        if not lines or any(line.about != self._about for line in lines):
            raise InvalidArgumentError(
                f"report: {self._report} is not the report of this snapshot. Use a separate report for each snapshot, "
                "such as one with {{ ts_nodash }} in its name."
            )
        return lines

    def _line(self, capture: Capture, source: str, row: LabelRowMetadata | None, copied: str | None) -> SnapshotLine:
        return SnapshotLine(
            schema_version=SCHEMA_VERSION,
            operation=OPERATION,
            source=source,
            id=row.label_hash if row else None,
            outcome=CREATED if row else UNCHANGED,
            error=None,
            data_hash=row.data_hash if row else None,
            source_label_hash=copied,
            last_edited_at=row.last_edited_at if row else None,
            about=self._about,
            capture=capture,
        )
