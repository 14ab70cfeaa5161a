"""The smallest MP4 that says how large and long it is: no picture in it, only the boxes that are read."""

from __future__ import annotations

import struct


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def movie(width: int, height: int, *, frames: int, seconds: int) -> bytes:
    """An MP4 with one sound track, and one video track of this size."""
    scale = 1000
    track_header = _box(b"tkhd", bytes(76) + struct.pack(">II", width << 16, height << 16))
    media_header = _box(b"mdhd", bytes(12) + struct.pack(">II", scale, seconds * scale) + bytes(4))
    samples = _box(b"minf", _box(b"stbl", _box(b"stsz", struct.pack(">III", 0, 0, frames))))

    def track(handler: bytes) -> bytes:
        return _box(
            b"trak",
            track_header + _box(b"mdia", media_header + _box(b"hdlr", bytes(8) + handler + bytes(12)) + samples),
        )

    return _box(b"ftyp", b"isom") + _box(b"mdat", b"") + _box(b"moov", track(b"soun") + track(b"vide"))
