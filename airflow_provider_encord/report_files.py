"""The files of a report while it grows: numbered parts, and in the end one file.

Object stores cannot append to files. So a task writes what it knows as numbered parts into ``<report>.parts/``, beside
the claim on the report and what else a retry needs. At the end the parts become the report. ``<report>.known`` keeps
lines of earlier runs about other things.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from airflow_provider_encord.attempts import CLAIM_FILE, remove, remove_empty, remove_unfinished
from airflow_provider_encord.fresh_listings import content_now, entries_now
from airflow_provider_encord.storage_paths import is_local, storage_errors, write_whole

PART = "part"
LINES = "jsonl"
_ARGUMENT = "report"


def part_name(number: int, stem: str = PART, suffix: str = LINES) -> str:
    """The file name of a part."""
    return f"{stem}-{number:06d}.{suffix}"


def part_pattern(stem: str = PART, suffix: str = LINES) -> str:
    """A regular expression for the file names of complete parts."""
    return rf"{re.escape(stem)}-\d{{6,}}\.{re.escape(suffix)}"


class ReportFiles:
    """The files of one report. What cannot be read or written is an error about the argument ``report``.

    :param path: Path object of the report.
    """

    def __init__(self, path: Any):
        self.path, self.known_path = path, path.parent / f"{path.name}.known"
        self.directory = path.parent / f"{path.name}.parts"

    @property
    def claim_path(self) -> Any:
        """The file that claims the report for one task."""
        return self.directory / CLAIM_FILE

    def files(self) -> list[Any]:
        """The files in the directory of the parts, by name.

        Some object stores also list the directory itself, with an empty name.
        """
        with storage_errors(_ARGUMENT, self.directory):
            own = ("", self.directory.name)
            there = (path for path in entries_now(self.directory) if path.name not in own)
            return sorted(there, key=lambda path: path.name)

    def parts(self, stem: str = PART, suffix: str = LINES) -> list[Any]:
        """The complete parts, in order. Leaves out what killed attempts did not finish."""
        pattern = re.compile(part_pattern(stem, suffix))
        return [path for path in self.files() if pattern.fullmatch(path.name)]

    def read(self, name: str) -> bytes | None:
        """The content of a file in the directory; None if it does not exist."""
        return content_now(self.directory / name, _ARGUMENT)

    def write(self, name: str, blocks: Iterable[bytes]) -> Any:
        """Write a file into the directory.

        :return: Its path.
        """
        with storage_errors(_ARGUMENT, self.directory):
            path = self.directory / name
            write_whole(path, blocks)
            return path

    def write_report(self, blocks: Iterable[bytes]) -> None:
        """Write the report. It replaces an earlier one."""
        with storage_errors(_ARGUMENT, self.path):
            write_whole(self.path, blocks)

    def write_known(self, blocks: Iterable[bytes] | None) -> None:
        """Write the lines of earlier runs that are kept; None removes the file, because there are no such lines."""
        with storage_errors(_ARGUMENT, self.known_path):
            if blocks is None:
                remove(self.known_path)
            else:
                write_whole(self.known_path, blocks)

    def remove(self, paths: Iterable[Any]) -> None:
        """Remove files of the directory."""
        with storage_errors(_ARGUMENT, self.directory):
            for path in paths:
                remove(path)

    def clear(self, paths: Iterable[Any]) -> None:
        """Remove parts that are in the report, and what killed attempts left. Only with the claim on the report."""
        self.remove(paths)
        with storage_errors(_ARGUMENT, self.directory):
            remove_unfinished(self.directory)

    def tidy(self) -> None:
        """Remove the directory of the parts if it is empty."""
        with storage_errors(_ARGUMENT, self.directory):
            if is_local(self.directory):
                remove_empty(self.directory)
