"""Files of label rows, each up to a given size.

The end of a file depends only on the rows and their order, not on the bundles or the format. So the same rows always
give the same files.
"""

from __future__ import annotations

import re

from airflow_provider_encord.client.api.labels import LabelRow
from airflow_provider_encord.exports.counted_file import CountedFile
from airflow_provider_encord.exports.file_names import file_name
from airflow_provider_encord.exports.formats import FORMATS, Origin
from airflow_provider_encord.exports.manifest import Layout, Shard
from airflow_provider_encord.storage_paths import StoragePath

SHARDS = "labels"
_SUFFIX = "|".join(map(re.escape, sorted(FORMATS)))
SHARD_NAME = re.compile(rf"{SHARDS}-(?P<plan>[0-9a-f]{{8}})-(?P<part>\d{{5,}})-\d{{5,}}-[0-9a-f]{{8}}\.({_SUFFIX})")


def shard_name(plan: str, part: int, number: int, try_: str, format: str) -> str:  # noqa: A002 - the word for it
    """The file name of a shard. Sorted by name, the shards of a plan contain the rows in order.

    :param plan: Id of the plan.
    :param part: Number of the part, counted from 0.
    :param number: Number of the shard in the part, counted from 0.
    :param try_: Result of `file_names.new_try`, because each attempt at a part writes its own files.
    """
    return file_name(SHARDS, plan, f"{part:05d}", f"{number:05d}", try_, suffix=format)


def part_of(name: str) -> int | None:
    """The number of the part that a shard belongs to; None if it is not the name of a shard."""
    matched = SHARD_NAME.fullmatch(name)
    return int(matched["part"]) if matched else None


class OpenShard:
    """A shard that is being written.

    :param directory: Directory of the file; it must exist.
    :param name: Name of the file.
    :param origin: The project of the rows.
    """

    def __init__(self, directory: StoragePath, name: str, layout: Layout, origin: Origin):
        self._name, self._most = name, layout.max_shard_bytes
        self._file = CountedFile(directory, name)
        self._encoder = FORMATS[layout.format](self._file, origin)
        self._rows = self._weight = 0

    def fits(self, row: LabelRow) -> bool:
        """Whether the shard has room for a row. An empty shard has room for any row."""
        return not self._rows or self._weight + len(row.content) < self._most

    def write(self, row: LabelRow) -> None:
        """Add a row."""
        self._encoder.write(row)
        self._rows += 1
        self._weight += len(row.content) + 1

    def finish(self) -> Shard:
        """Finish the file."""
        left_out = self._encoder.finish()
        self._file.close()
        return Shard(
            name=self._name, rows=self._rows, bytes=self._file.bytes, sha256=self._file.sha256, unsupported=left_out
        )

    def abandon(self) -> None:
        """Close the file without finishing it, after a failure."""
        self._file.abandon()
