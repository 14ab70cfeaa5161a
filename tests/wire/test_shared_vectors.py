"""The vectors that are checked in are those that the recordings' folder holds, where that folder is at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wire.vectors import FOLDER

RECORDINGS = Path(__file__).parents[3] / "shared" / "wire"
NOT_YET_ALL = RECORDINGS.with_name("wire-next")
"""Those of later recordings, which are all checked in, too."""


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.skipif(
    not (RECORDINGS.is_dir() and NOT_YET_ALL.is_dir()), reason="the folder of recordings is not beside this checkout"
)
def test_vectors_are_the_recordings_byte_for_byte() -> None:
    ours, theirs = contents(FOLDER), contents(RECORDINGS)
    later = contents(NOT_YET_ALL)
    assert set(ours) == set(theirs) | set(later)
    assert [name for name in ours if ours[name] != theirs.get(name, later.get(name))] == []
