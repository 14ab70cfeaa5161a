"""What can be read off a file: type and size of an image (by Pillow), and of a video (from its MP4 boxes).

Only headers are read. A video that is no MP4, or an odd one, has no known size: that is no error.
"""

from __future__ import annotations

import dataclasses
import io
import pathlib
import struct
from collections.abc import Iterator
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

MADE_UP = "encord-emulator-made-up/"
"""Keys of images that exist only as a size: ``encord-emulator-made-up/640x480/<anything>``."""


@dataclasses.dataclass(frozen=True)
class Facts:
    """What a file says about itself; ``None`` where it does not say. Lengths in pixels, bytes, seconds."""

    media_type: str | None
    size: int
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    fps: float | None = None
    frames: int = 1


def image(path: pathlib.Path) -> Facts:
    """Look at an image.

    :raises ValueError: Pillow cannot read it as one.
    """
    try:
        with Image.open(path) as opened:
            width, height, kind = *opened.size, opened.format or ""
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError, SyntaxError):
        raise ValueError("the file is not an image that can be read") from None
    return Facts(Image.MIME.get(kind, f"image/{kind.lower()}"), path.stat().st_size, width, height)


def made_up(key: str) -> bytes:
    """The bytes of an image that exists only as a size: one colour, PNG."""
    width, _, height = key.removeprefix(MADE_UP).partition("/")[0].partition("x")
    content = io.BytesIO()
    Image.new("RGB", (int(width), int(height)), (70, 90, 110)).save(content, "PNG")
    return content.getvalue()


def video(path: pathlib.Path) -> Facts:
    """Look at a video; what its boxes do not say stays unknown."""
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            return _read_movie(file, size)
    except (struct.error, ValueError, ZeroDivisionError):
        return Facts("video/mp4", size)


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, first byte and end of the content of each box between two places."""
    position = start
    while position + 8 <= end:
        file.seek(position)
        length, name = struct.unpack(">I4s", file.read(8))
        header = 8
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8))
            header = 16
        length = length or end - position
        if length < header:
            raise ValueError("a box that is shorter than its own header")
        yield name, position + header, min(position + length, end)
        position += length


def _inside(file: BinaryIO, start: int, end: int, *names: bytes) -> tuple[int, int]:
    """Where the content of a nested box lies."""
    for wanted in names:
        start, end = next((first, last) for name, first, last in _boxes(file, start, end) if name == wanted)
    return start, end


def _read_movie(file: BinaryIO, size: int) -> Facts:
    start, end = _find(file, 0, size, b"moov")
    for name, first, last in _boxes(file, start, end):
        if name != b"trak":
            continue
        handler, _ = _find(file, first, last, b"mdia", b"hdlr")
        if _bytes(file, handler + 8, 4) != b"vide":
            continue
        return _read_track(file, first, last, size)
    return Facts("video/mp4", size)


def _find(file: BinaryIO, start: int, end: int, *names: bytes) -> tuple[int, int]:
    try:
        return _inside(file, start, end, *names)
    except StopIteration:
        raise ValueError("a box is missing") from None


def _read_track(file: BinaryIO, start: int, end: int, size: int) -> Facts:
    _, header_end = _find(file, start, end, b"tkhd")
    width, height = (value >> 16 for value in struct.unpack(">II", _bytes(file, header_end - 8, 8)))
    media_header, _ = _find(file, start, end, b"mdia", b"mdhd")
    if _bytes(file, media_header, 1) == b"\x01":
        scale, length = struct.unpack(">IQ", _bytes(file, media_header + 20, 12))
    else:
        scale, length = struct.unpack(">II", _bytes(file, media_header + 12, 8))
    sizes, _ = _find(file, start, end, b"mdia", b"minf", b"stbl", b"stsz")
    (frames,) = struct.unpack(">I", _bytes(file, sizes + 8, 4))
    seconds = length / scale
    fps = round(frames / seconds, 3) if seconds else None
    return Facts("video/mp4", size, width or None, height or None, seconds, fps, max(1, frames))


def _bytes(file: BinaryIO, position: int, count: int) -> bytes:
    file.seek(position)
    return file.read(count)
