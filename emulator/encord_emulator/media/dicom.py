"""A few tags out of the header of a DICOM file, which is all that listings need; pixels and the rest are not read.

The file begins with 128 bytes of nothing and ``DICM``. Tags come in rising order, little endian, with their type
written out (explicit VR) or not; which of the two can be seen from the first one. A file that is neither, or compressed
as a whole, shows nothing.
"""

from __future__ import annotations

import struct
from typing import Any, BinaryIO

_WANTED = {
    "00080018": "text",
    "00100020": "text",
    "0020000D": "text",
    "0020000E": "text",
    "00280008": "text",
    "00280010": "number",
    "00280011": "number",
}
_LAST = "00280011"
_LONG = {b"OB", b"OD", b"OF", b"OL", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT"}
"""Types whose length has four bytes, after two that are empty."""
_UNKNOWN_LENGTH = 0xFFFFFFFF
_MOST_TAGS = 10_000


def tags(file: BinaryIO) -> dict[str, Any]:
    """Tag numbers (eight hexadecimal digits) with their value, in the form of ``pydicom.Dataset.to_json_dict``."""
    file.seek(128)
    found: dict[str, Any] = {}
    if file.read(4) != b"DICM":
        return found
    try:
        for _ in range(_MOST_TAGS):
            tag, length = _head(file)
            if tag > _LAST or length == _UNKNOWN_LENGTH:
                break
            content = file.read(length)
            if tag in _WANTED:
                found[tag] = {"Value": [_value(tag, content)]}
    except (struct.error, UnicodeDecodeError):
        return found
    return found


def _head(file: BinaryIO) -> tuple[str, int]:
    group, element = struct.unpack("<HH", file.read(4))
    rest = file.read(4)
    kind = rest[:2]
    if kind in _LONG:
        (length,) = struct.unpack("<I", file.read(4))
    elif kind.isalpha() and kind.isupper():
        (length,) = struct.unpack("<H", rest[2:])
    else:
        (length,) = struct.unpack("<I", rest)
    return f"{group:04X}{element:04X}", length


def _value(tag: str, content: bytes) -> str | int:
    if _WANTED[tag] == "number":
        return int(struct.unpack("<H", content)[0])
    return content.rstrip(b"\0 ").decode("ascii")
