"""Files that a killed pull did not finish, and how the next pull of the same report finds them.

On a disk, a file has a temporary name until it is whole. The names of an attempt carry its mark, which is noted beside
the report while the attempt runs. An attempt that has taken the report's claim knows that the attempts which are noted
there have ended, so files with their marks are stale; all other files may be being written by other pulls.
"""

from __future__ import annotations

import logging
import os
import pathlib
import re
from typing import Any

import msgspec

from airflow_provider_encord.attempts import remove
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.report_files import ReportFiles
from airflow_provider_encord.storage_paths import is_local, is_unfinished, plain, storage_errors

log = logging.getLogger(__name__)

_NOTE = re.compile(r"attempt-([0-9a-f]{16})\.json")


class _Note(msgspec.Struct, frozen=True):
    """What is noted of an attempt.

    :param destination: The directory into which it writes files.
    """

    destination: str


class Leftovers:
    """The unfinished files of the attempts at a report. Only with the claim on the report.

    :param mark: The mark of this attempt: 16 hexadecimal digits.
    """

    def __init__(self, files: ReportFiles, destination: Any, mark: str):
        self._files, self._destination, self._mark = files, destination, mark

    def clear(self) -> None:
        """Note this attempt, and remove what earlier ones left."""
        notes = {found[1]: path for path in self._files.files() if (found := _NOTE.fullmatch(path.name))}
        if is_local(self._destination):
            note = _Note(str(plain(self._destination).absolute()))
            self._files.write(self._name, [msgspec.json.encode(note)])
        for mark, path in notes.items():
            try:
                note = msgspec.json.decode(self._files.read(path.name) or b"", type=_Note)
            except NOT_JSON:
                continue
            _remove_marked(pathlib.Path(note.destination), mark)
            self._files.remove([path])

    def end(self) -> None:
        """Remove the note of this attempt. It has finished its files, or removed them."""
        self._files.remove([self._files.directory / self._name])

    @property
    def _name(self) -> str:
        return f"attempt-{self._mark}.json"


def _remove_marked(destination: pathlib.Path, mark: str) -> None:
    number = 0
    with storage_errors("destination", destination):
        for directory, _, names in os.walk(destination):
            for name in names:
                if is_unfinished(name, mark):
                    remove(pathlib.Path(directory) / name)
                    number += 1
    if number:
        log.info("Removed %d files below %s that a killed attempt had not finished.", number, destination)
