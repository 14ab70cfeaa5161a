"""Small real media files, made with nothing but the standard library, so that a server can read their dimensions.

The JPEG is a whole baseline image although no encoder is used. Every block says "same grey as before",
which takes two bits.
"""

import struct
import zlib


def png(width: int, height: int, colour: tuple[int, int, int] = (200, 30, 30)) -> bytes:
    """A PNG of one colour, `width` x `height` pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\0" + bytes(colour) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def jpeg(width: int, height: int) -> bytes:
    """A mid-grey baseline JPEG of `width` x `height` pixels."""

    def segment(marker: int, body: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body

    one_code = bytes([1] + [0] * 15) + b"\0"  # a Huffman table with one code: bit 0 means value 0
    blocks = ((width + 7) // 8) * ((height + 7) // 8)
    bits = "00" * blocks  # per block: no change of brightness, end of block
    bits += "1" * (-len(bits) % 8)
    return b"".join(
        (
            b"\xff\xd8",
            segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
            segment(0xDB, b"\0" + b"\x10" * 64),
            segment(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\0"),
            segment(0xC4, b"\x00" + one_code),
            segment(0xC4, b"\x10" + one_code),
            segment(0xDA, b"\x01\x01\x00\x00\x3f\x00"),
            int(bits, 2).to_bytes(len(bits) // 8, "big"),
            b"\xff\xd9",
        )
    )


def mp4(width: int, height: int, frames: int, frames_per_second: int) -> bytes:
    """An MP4 container with one video track: its boxes state size, frame count and frame rate; its frames are blank."""
    samples = [b"\0" * 16 for _ in range(frames)]
    kind = _box(b"ftyp", b"isom\0\0\2\0isommp41")
    data = _box(b"mdat", b"".join(samples))
    first_sample = len(kind) + 8
    return kind + data + _movie(width, height, frames, frames_per_second, len(samples[0]), first_sample)


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def _movie(width: int, height: int, frames: int, rate: int, sample_size: int, first_sample: int) -> bytes:
    unity = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    movie_header = struct.pack(">5I", 0, 0, 0, rate, frames) + struct.pack(">IHH8x", 0x10000, 0x100, 0)
    track_header = struct.pack(">6I8xHHHH", 0x00000007, 0, 0, 1, 0, frames, 0, 0, 0, 0)
    media_header = struct.pack(">5IHH", 0, 0, 0, rate, frames, 0x55C4, 0)
    entry = struct.pack(">6xH16xHHIIIH32xHh", 1, width, height, 0x480000, 0x480000, 0, 1, 24, -1)
    tables = _box(
        b"stbl",
        _box(b"stsd", struct.pack(">II", 0, 1), _box(b"mp4v", entry)),
        _box(b"stts", struct.pack(">IIII", 0, 1, frames, 1)),
        _box(b"stsc", struct.pack(">IIIII", 0, 1, 1, frames, 1)),
        _box(b"stsz", struct.pack(">III", 0, sample_size, frames)),
        _box(b"stco", struct.pack(">III", 0, 1, first_sample)),
    )
    data_reference = _box(b"dinf", _box(b"dref", struct.pack(">II", 0, 1), _box(b"url ", struct.pack(">I", 1))))
    return _box(
        b"moov",
        _box(b"mvhd", movie_header, unity, bytes(24), struct.pack(">I", 2)),
        _box(
            b"trak",
            _box(b"tkhd", track_header, unity, struct.pack(">II", width << 16, height << 16)),
            _box(
                b"mdia",
                _box(b"mdhd", media_header),
                _box(b"hdlr", struct.pack(">II", 0, 0), b"vide", bytes(12), b"video\0"),
                _box(b"minf", _box(b"vmhd", struct.pack(">I8x", 1)), data_reference, tables),
            ),
        ),
    )


def dicom(instance: str) -> bytes:
    """The header of a DICOM file, explicit little endian."""

    def text(group: int, element: int, kind: bytes, value: str) -> bytes:
        padded = value.encode() + b"\0" * (len(value) % 2)
        return struct.pack("<HH2sH", group, element, kind, len(padded)) + padded

    def number(group: int, element: int, value: int) -> bytes:
        return struct.pack("<HH2sHH", group, element, b"US", 2, value)

    tags = (
        text(0x0008, 0x0018, b"UI", instance),
        text(0x0010, 0x0020, b"LO", "P1"),
        text(0x0020, 0x000D, b"UI", "1.2"),
        text(0x0020, 0x000E, b"UI", "1.2.4"),
        number(0x0028, 0x0010, 64),
        number(0x0028, 0x0011, 48),
    )
    return bytes(128) + b"DICM" + b"".join(tags)
