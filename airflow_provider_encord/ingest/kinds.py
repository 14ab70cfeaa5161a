"""Which kind of file a name stands for, and its media type. The one place that knows suffixes.

Surprise: Python's usual `mimetypes.guess_type` also reads files of the operating system, so that two workers may
disagree. We take the table that comes with Python, and our own additions.
"""

from __future__ import annotations

import mimetypes
import pathlib
from collections.abc import Mapping

from airflow_provider_encord.client.api.uploads import IMAGE, VIDEO, Kind

_ADDITIONS: Mapping[str, str] = {
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".jfif": "image/jpeg",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".m4v": "video/x-m4v",
    ".mkv": "video/x-matroska",
    ".mts": "video/mp2t",
    ".webm": "video/webm",
}
_KINDS: Mapping[str, Kind] = {"image": IMAGE, "video": VIDEO}
_TYPES: Mapping[str, str] = {**mimetypes.MimeTypes().types_map[True], **_ADDITIONS}


def media_type(name: str) -> str | None:
    """The media type of a file by the suffix of its name, as in ``"image/png"``; None if the suffix is not known."""
    return _TYPES.get(pathlib.PurePosixPath(name).suffix.lower())


def kind_of(name: str) -> Kind | None:
    """What Encord would take the file for; None if it is neither an image nor a video."""
    return _KINDS.get((media_type(name) or "").partition("/")[0])
