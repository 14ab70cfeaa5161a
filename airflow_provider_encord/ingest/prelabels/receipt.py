"""What became of each row, written as it becomes known: parts beside the receipt, and one file at the end."""

from __future__ import annotations

import collections
from collections.abc import Iterator, Sequence

import msgspec

from airflow_provider_encord.storage_paths import StoragePath, is_local, storage_errors, write_whole

SAVED = "saved"
UNCHANGED = "unchanged"
SKIPPED = "skipped"
FAILED = "failed"


class RowOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one line of the source.

    :param place: File and line; or the title of the data unit, where a function gave the labels.
    :param outcome: `SAVED`, `UNCHANGED`, `SKIPPED` or `FAILED`.
    :param created: Whether the label row was created for it.
    :param annotations: How many the row has from this source.
    :param reason: Why it was skipped or failed.
    """

    place: str
    data_hash: str | None
    label_hash: str | None
    outcome: str
    created: bool = False
    annotations: int = 0
    reason: str | None = None


class ImportReceipt:
    """The receipt of an import.

    :param path: Where it is to be; None keeps counts only.
    """

    def __init__(self, path: StoragePath | None):
        self._path = path
        self._parts: list[StoragePath] = []
        self.counts: collections.Counter[str] = collections.Counter()
        self.failures: list[RowOutcome] = []

    def take(self, outcomes: Sequence[RowOutcome]) -> None:
        """Keep outcomes, in a part of their own."""
        for one in outcomes:
            self.counts[one.outcome] += 1
            self.counts["created"] += one.created
        self.failures += [one for one in outcomes if one.outcome == FAILED][: max(0, 20 - len(self.failures))]
        if self._path is None or not outcomes:
            return
        directory = self._path.parent / f"{self._path.name}.parts"
        with storage_errors("receipt", directory):
            if is_local(directory):
                directory.mkdir(parents=True, exist_ok=True)
            part = directory / f"part-{len(self._parts):06d}.jsonl"
            write_whole(part, [b"".join(msgspec.json.encode(one) + b"\n" for one in outcomes)])
        self._parts.append(part)

    @property
    def begun(self) -> bool:
        """Whether anything became of any row."""
        return bool(self.counts)

    def finish(self) -> None:
        """Put the parts together, in place of the receipt of an earlier import."""
        if self._path is None:
            return
        with storage_errors("receipt", self._path):
            write_whole(self._path, self._contents())
            for part in self._parts:
                part.unlink()
            directory = self._parts[0].parent if self._parts else None
            if directory is not None and is_local(directory) and not list(directory.iterdir()):
                directory.rmdir()

    def _contents(self) -> Iterator[bytes]:
        for part in self._parts:
            yield part.read_bytes()
