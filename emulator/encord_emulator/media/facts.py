"""What can be read off a file: an image (by Pillow), a video (from its MP4 boxes), a WAV, the pages of a PDF.

Only headers are read. What a file of another kind, or an odd one, does not say stays unknown: that is not an error.
Only a file that should be an image and is not one is refused.
"""

from __future__ import annotations

import dataclasses
import functools
import gzip
import io
import mimetypes
import pathlib
import re
import struct
import wave
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

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
    dicom_instance: str | None = None
    dicom_study: str | None = None
    dicom_series: str | None = None
    dicom_patient: str | None = None
    audio_sample_rate: int | None = None
    audio_bit_depth: int | None = None
    audio_codec: str | None = None
    audio_num_channels: int | None = None

    def columns(self) -> dict[str, Any]:
        """By the columns of an item."""
        columns = dataclasses.asdict(self)
        file_type, size = columns.pop("media_type"), columns.pop("size")
        return {**columns, "file_type": file_type, "file_size": size}


_TOLD = {
    "mimeType": "media_type",
    "fileSize": "size",
    "width": "width",
    "height": "height",
    "duration": "duration",
    "fps": "fps",
    "numPages": "frames",
    "sampleRate": "audio_sample_rate",
    "bitDepth": "audio_bit_depth",
    "codec": "audio_codec",
    "numChannels": "audio_num_channels",
}


_TEXTS, _NUMBERS = (str,), (int, float)


def stated(given: dict[str, Any], size: int) -> Facts:
    """What an entry says about its file.

    :param size: Bytes that the file has, if the entry does not say.
    :raises ValueError: Something is not of the type that it must have.
    """
    for name, value in given.items():
        if name in _TOLD and type(value) not in (_TEXTS if name in ("mimeType", "codec") else _NUMBERS):
            raise ValueError(f"{name}: of the wrong type")
    facts = {_TOLD[name]: value for name, value in given.items() if name in _TOLD}
    if facts.get("fps") and facts.get("duration"):
        facts["frames"] = max(1, round(facts["fps"] * facts["duration"]))
    return Facts(**{"media_type": None, "size": size, **facts})


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


def audio(path: pathlib.Path) -> Facts:
    """Listen to a WAV file; of others only the type is known."""
    size = path.stat().st_size
    try:
        with wave.open(str(path), "rb") as opened:
            rate, channels, bits = opened.getframerate(), opened.getnchannels(), 8 * opened.getsampwidth()
            seconds = opened.getnframes() / rate
    except (wave.Error, EOFError, ZeroDivisionError):
        return Facts(None, size)
    sound: dict[str, Any] = {"audio_sample_rate": rate, "audio_bit_depth": bits, "audio_num_channels": channels}
    return Facts("audio/wav", size, duration=seconds, audio_codec=f"pcm_s{bits}le", **sound)


def pdf(path: pathlib.Path) -> Facts:
    """Count the pages of a PDF, as far as they are not in compressed objects."""
    content = path.read_bytes()
    return Facts("application/pdf", len(content), frames=max(1, len(_PAGE.findall(content))))


_PAGE = re.compile(rb"/Type\s*/Page(?![a-zA-Z])")


def text(path: pathlib.Path) -> Facts:
    """A text is not read."""
    return Facts(None, path.stat().st_size)


def time_series(path: pathlib.Path) -> Facts:
    """A table is not read."""
    return Facts(None, path.stat().st_size)


def nifti(path: pathlib.Path) -> Facts:
    """Look at the header of a volume, of either version, packed or not; its slices are its frames."""
    facts = Facts("application/nifti", path.stat().st_size)
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            header = file.read(_NIFTI_HEADER)
        sides = _sides_of_volume(header)
    except (OSError, EOFError, zlib.error, struct.error):
        return facts
    if sides is None or min(sides) < 1:
        return facts
    return dataclasses.replace(facts, width=sides[0], height=sides[1], frames=sides[2])


_NIFTI_HEADER = 348


def _sides_of_volume(header: bytes) -> tuple[int, int, int] | None:
    """Width, height and number of slices; ``None`` if it is no header."""
    for order in "<>":
        (size,) = struct.unpack_from(f"{order}i", header)
        if size in (348, 540):  # of the first and the second version
            count, *sides = (
                struct.unpack_from(f"{order}4h", header, 40)
                if size == 348
                else struct.unpack_from(f"{order}4q", header, 16)
            )
            width, height, slices = (side if place < count else 1 for place, side in enumerate(sides))
            return width, height, slices
    return None


def dicom(path: pathlib.Path) -> Facts:
    """Look at a DICOM file; what its header does not say stays unknown."""
    import pydicom  # here, because it takes half a second

    facts = Facts("application/dicom", path.stat().st_size)
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=[*_HEADER])
        return dicom_of_tags(header.to_json_dict(), facts)
    except Exception:  # noqa: BLE001 - whatever pydicom raises for an odd file
        return facts


_HEADER = {
    "00080018": "dicom_instance",
    "0020000D": "dicom_study",
    "0020000E": "dicom_series",
    "00100020": "dicom_patient",
    "00280010": "height",
    "00280011": "width",
    "00280008": "frames",
}


def dicom_of_tags(tags: dict[str, Any], facts: Facts) -> Facts:
    """What the tags of a DICOM file say, in the form of ``pydicom.Dataset.to_json_dict``, added to what is known."""

    values = {name: ((tags.get(tag) or {}).get("Value") or [None])[0] for tag, name in _HEADER.items()}
    found = {name: value for name, value in values.items() if value is not None}
    return dataclasses.replace(facts, **{**found, "frames": int(found.get("frames") or 1)})


def type_of(stated: str | None, names: Iterable[str]) -> str | None:
    """The media type of a file whose content does not show it: the type stated at its upload, else the type that the
    suffix of one of its names stands for.
    """
    plain = (stated or "").partition(";")[0].strip().lower()
    if "/" in plain and plain not in _SAYS_NOTHING:
        return plain
    return next((kind for name in names if (kind := mimetypes.guess_type(name)[0]) is not None), None)


_SAYS_NOTHING = ("application/octet-stream", "binary/octet-stream", "application/x-www-form-urlencoded")


def made_up(key: str) -> bytes:
    """The bytes of an image that exists only as a size."""
    width, _, height = key.removeprefix(MADE_UP).partition("/")[0].partition("x")
    return made_up_image(int(width), int(height))


@functools.lru_cache(maxsize=100)  # seeded projects have few different sizes
def made_up_image(width: int, height: int) -> bytes:
    """An image of one colour, as PNG."""
    content = io.BytesIO()
    Image.new("RGB", (width, height), (70, 90, 110)).save(content, "PNG")
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
