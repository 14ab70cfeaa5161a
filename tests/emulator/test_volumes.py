"""NIfTI volumes: size and slices are read off the header; anything else stays unknown."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import pytest

from encord_emulator.media import facts


def header(version: int, order: str, *sides: int) -> bytes:
    """The head of a volume."""
    size, place, letter = ((348, 40, "h"), (540, 16, "q"))[version - 1]
    content = bytearray(size)
    struct.pack_into(f"{order}i", content, 0, size)
    struct.pack_into(f"{order}{1 + len(sides)}{letter}", content, place, len(sides), *sides)
    return bytes(content)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_volume_shows_its_size_and_slices(tmp_path: Path, version: int, order: str, packed: bool) -> None:
    content = header(version, order, 64, 48, 20, 5)
    path = tmp_path / "brain.nii"
    path.write_bytes(gzip.compress(content) if packed else content)
    found = facts.nifti(path)
    assert (found.width, found.height, found.frames) == (64, 48, 20)


def test_a_slice_is_a_volume_of_one(tmp_path: Path) -> None:
    path = tmp_path / "slice.nii"
    path.write_bytes(header(1, "<", 8, 9))
    assert (facts.nifti(path).width, facts.nifti(path).frames) == (8, 1)


@pytest.mark.parametrize(
    "content", [b"", b"x", bytes(348), b"\x1f\x8b broken", header(1, "<", 0, 5, 5), header(1, "<", 5, 5, 5)[:42]]
)
def test_what_is_no_volume_stays_unknown(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "brain.nii.gz"
    path.write_bytes(content)
    found = facts.nifti(path)
    assert (found.width, found.height, found.frames, found.size) == (None, None, 1, len(content))
