"""Which edits of label rows are to be announced now, and what to remember of those that were announced.

Rows are announced when `batch_size` rows were edited and not announced, or when the first of these edits was seen
`max_wait_seconds` ago. A row that is edited again is announced again.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence

import msgspec

from airflow_provider_encord.client.api.label_row_stamps import LabelRowStamp
from airflow_provider_encord.client.errors import UnexpectedResponseError
from airflow_provider_encord.client.times import answered_time, parse_time
from airflow_provider_encord.watches.batches import (
    BATCH_SIZE_REACHED,
    MAX_WAIT_ELAPSED,
    EditedRow,
    LabelBatch,
    chunks,
    iso_time,
)

LOOKBACK_SECONDS = 300.0
"""Each poll lists again what was edited in so many seconds before the latest announced edit. Edits may appear late."""

RESTART_SECONDS = 3600.0
"""How far a watch looks back when it starts, if its memory is not stored: the triggerer may have been stopped."""

_LATEST = datetime.datetime.max.replace(tzinfo=datetime.UTC)


class EditsRules(msgspec.Struct, frozen=True, kw_only=True):
    """When edited rows are announced.

    :param branch: Label branch.
    :param batch_size: As soon as so many rows were edited.
    :param max_wait_seconds: Or so many seconds after the poll that found the first edit; None for no limit.
    """

    branch: str
    batch_size: int
    max_wait_seconds: float | None


class EditsMemory(msgspec.Struct):
    """What a watch remembers.

    :param edited_after: Rows that were edited after this time count. ISO 8601.
    :param announced: The announced rows that were edited after that time: their edit times, by label hash.
    :param first_seen: When the first edit was seen that is not announced, in seconds since 1970; None if all edits are
        announced.
    :param planned: Batches whose events may not be stored yet; see `stage_watch.StageMemory`.
    """

    edited_after: str
    announced: dict[str, str] = {}
    first_seen: float | None = None
    planned: list[LabelBatch] = []


class EditsWatch:
    """Decides which edited rows are announced.

    :param memory: What was remembered. It is changed.
    """

    def __init__(self, project_id: str, rules: EditsRules, memory: EditsMemory):
        self._project_id, self._rules = project_id, rules
        self.memory = memory

    @property
    def needs(self) -> str:
        """The time after which edited rows are listed."""
        return self.memory.edited_after

    def planned(self, _: Sequence[LabelRowStamp], /) -> list[LabelBatch]:
        """Return the planned batches."""
        return list(self.memory.planned)

    def due(self, answer: Sequence[LabelRowStamp], now: float) -> list[LabelBatch]:
        """Return the batches that are to be announced now, and remember them as planned.

        :param answer: The rows that were edited after `EditsMemory.edited_after`.
        :param now: In seconds since 1970.
        """
        memory, edited = self.memory, self._new(answer)
        # Not in the future: the clock may have been ahead, and was corrected.
        memory.first_seen = min(memory.first_seen or now, now) if edited else None
        reason = self._reason(len(edited), now)
        if reason is None:
            return []
        due = [self._batch(part, reason, now) for part in chunks(edited)]
        memory.planned += due
        memory.first_seen = None
        self._advance(edited, now)
        return due

    def confirm(self, batches: Collection[LabelBatch]) -> None:
        """Forget planned batches: their events are stored."""
        self.memory.planned = [batch for batch in self.memory.planned if batch not in batches]

    def _new(self, rows: Sequence[LabelRowStamp]) -> list[LabelRowStamp]:
        """The rows whose latest edit was not announced, the earliest first."""
        after = parse_time(self.memory.edited_after)
        new = [
            row
            for row in rows
            if row.label_hash
            and row.branch_name == self._rules.branch
            and row.last_edited_at
            and _is_after(row.last_edited_at, after)
            and self.memory.announced.get(row.label_hash) != row.last_edited_at
        ]
        return sorted(new, key=lambda row: (_time(str(row.last_edited_at)) or _LATEST, row.label_hash or ""))

    def _reason(self, count: int, now: float) -> str | None:
        first, limit = self.memory.first_seen, self._rules.max_wait_seconds
        if count >= self._rules.batch_size:
            return BATCH_SIZE_REACHED
        late = first is not None and limit is not None and now - first >= limit
        return MAX_WAIT_ELAPSED if late else None

    def _advance(self, announced: Sequence[LabelRowStamp], now: float) -> None:
        """Move the time on, up to `LOOKBACK_SECONDS` before the latest edit or now, and forget what is older."""
        memory = self.memory
        memory.announced |= {str(row.label_hash): str(row.last_edited_at) for row in announced}
        after = parse_time(memory.edited_after)
        if times := [time for row in announced if (time := _time(str(row.last_edited_at)))]:
            latest = min(max(times), datetime.datetime.fromtimestamp(now, datetime.UTC))
            after = max(after, latest - datetime.timedelta(seconds=LOOKBACK_SECONDS))
        memory.edited_after = after.isoformat()
        memory.announced = {
            label_hash: edited_at for label_hash, edited_at in memory.announced.items() if _is_after(edited_at, after)
        }

    def _batch(self, rows: Sequence[LabelRowStamp], reason: str, now: float) -> LabelBatch:
        return LabelBatch(
            project_id=self._project_id,
            branch=self._rules.branch,
            reason=reason,
            announced_at=iso_time(now),
            label_rows=[edited_row(row) for row in rows],
        )


def edited_row(row: LabelRowStamp) -> EditedRow:
    """Convert a listed row that has labels."""
    return EditedRow(label_hash=str(row.label_hash), data_hash=row.data_hash, last_edited_at=row.last_edited_at)


def _is_after(edited_at: str, after: datetime.datetime) -> bool:
    """Whether an edit counts. One whose time cannot be read does: it must not be lost, and not hide others."""
    time = _time(edited_at)
    return time is None or time > after


def _time(edited_at: str) -> datetime.datetime | None:
    try:
        return answered_time(edited_at, "last_edited_at")
    except UnexpectedResponseError:
        return None
