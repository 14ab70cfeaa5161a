"""The directory of a training set: whose it is, and that no file of another training set is left in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from typing import Any

import msgspec

from airflow_provider_encord.attempts import CLAIM_FILE, Claim, Owner, remove, remove_unfinished
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.fresh_listings import content_now, entries_now
from airflow_provider_encord.storage_paths import is_local, plain, storage_errors, write_whole
from airflow_provider_encord.training.record import CARD, LEFT_OUT, PAGE, RECORD, SPLITS, TrainingSet

BUILDING = "building.json"
_ARGUMENT = "destination"
_ALWAYS = (LEFT_OUT, CARD, PAGE, SPLITS)


class _Building(msgspec.Struct, frozen=True):
    """What is being written into a directory, and the files and directories in it that belong to that."""

    entries: list[str]


class TrainingDirectory:
    """The directory of a training set.

    :param path: Path object of the directory.
    :param owner: The task that writes it; only one task at a time may.
    """

    def __init__(self, path: Any, owner: Owner):
        self.path = path
        self._claim = Claim(path / CLAIM_FILE, owner, _ARGUMENT)

    def finished(self) -> TrainingSet | None:
        """The training set in the directory; None without a complete one.

        :raises InvalidArgumentError: The file is not the record of a training set.
        """
        path = self.path / RECORD
        content = content_now(path, _ARGUMENT)
        if content is None:
            return None
        try:
            return msgspec.json.decode(content, type=TrainingSet)
        except NOT_JSON:
            raise InvalidArgumentError(
                f"{_ARGUMENT}: {path} is not the record of a training set. Pass another directory."
            ) from None

    def claim(self) -> None:
        """Take the directory.

        :raises UnavailableError: Another task is writing it.
        :raises InvalidArgumentError: It has files that are not of a training set.
        """
        self._require_ours()
        self._claim.take()

    def check(self) -> None:
        """Check that no other attempt has taken the directory."""
        self._claim.check()

    def keep(self) -> None:
        """Check at intervals that no other attempt has taken the directory."""
        self._claim.keep()

    def release(self) -> None:
        """Let other tasks write the directory."""
        self._claim.release()

    def release_left(self) -> None:
        """Remove the claim that an attempt of this task left, which was killed once the training set was whole."""
        self._claim.release_left()

    def begin(self, entries: Iterable[str]) -> None:
        """Prepare the directory. What is there of another training set, or of a killed attempt, is removed."""
        self._claim.check()
        marker = self._marker()
        with storage_errors(_ARGUMENT, self.path):
            remove(self.path / RECORD)
            for name in sorted({*(marker.entries if marker else ()), *entries, *_ALWAYS}):
                _remove_entry(self.path / name)
            remove_unfinished(self.path)
            content = msgspec.json.encode(_Building(sorted(entries)))
            write_whole(self.path / BUILDING, [content])

    def finish(self, record: TrainingSet) -> None:
        """Write the record, which makes the training set complete."""
        self._claim.check()
        with storage_errors(_ARGUMENT, self.path):
            write_whole(self.path / RECORD, [msgspec.json.format(msgspec.json.encode(record), indent=2), b"\n"])
        self.release()

    def _marker(self) -> _Building | None:
        content = content_now(self.path / BUILDING, _ARGUMENT)
        if content is None:
            return None
        try:
            return msgspec.json.decode(content, type=_Building)
        except NOT_JSON:
            return None

    def _require_ours(self) -> None:
        with storage_errors(_ARGUMENT, self.path):
            names = {path.name for path in entries_now(self.path)} - {"", self.path.name}
        if names and not names & {BUILDING, RECORD, CLAIM_FILE}:
            raise InvalidArgumentError(
                f"{_ARGUMENT}: {self.path} has files that are not of a training set, such as {sorted(names)[0]}. Pass "
                "an empty directory."
            )


def _remove_entry(path: Any) -> None:
    """Remove a file, or a directory with everything in it."""
    if not path.exists():
        return
    if not path.is_dir():
        remove(path)
    elif is_local(path):
        shutil.rmtree(plain(path))
    else:
        path.fs.rm(path.path, recursive=True)
