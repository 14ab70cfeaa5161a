"""The kind and media type of a file, from the suffix of its name.

Python's `mimetypes.guess_type` also reads files of the operating system, so its result may differ between workers. This
module uses only the table in Python, with additions.
"""

from __future__ import annotations

import mimetypes
import pathlib
from collections.abc import Mapping

from airflow_provider_encord.client.api.core.data_items import (
    AUDIO,
    DICOM,
    IMAGE,
    NIFTI,
    PDF,
    SCENE,
    TEXT,
    TIME_SERIES,
    VIDEO,
    Kind,
)
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.defaults import UPLOAD_KINDS

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
    ".aac": "audio/aac",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".opus": "audio/opus",
    ".dcm": "application/dicom",
    ".dicom": "application/dicom",
    ".nii": "application/nifti",
    ".md": "text/markdown",
}
NAMES: Mapping[str, Kind] = dict(
    zip(UPLOAD_KINDS, (IMAGE, VIDEO, AUDIO, DICOM, NIFTI, PDF, TEXT, TIME_SERIES, SCENE), strict=True)
)
"""Kinds of file by the name that users write. The last two are never derived from the name of a file."""
_WHOLE_TYPES: Mapping[str, Kind] = {"application/dicom": DICOM, "application/nifti": NIFTI, "application/pdf": PDF}
_FAMILIES: Mapping[str, Kind] = {name: NAMES[name] for name in ("image", "video", "audio", "text")}
# Such files usually describe data and are not data themselves.
_NO_TEXT = (".csv", ".tsv", ".py", ".css", ".js", ".json")
_TYPES: Mapping[str, str] = {**mimetypes.MimeTypes().types_map[True], **_ADDITIONS}


def media_type(name: str) -> str | None:
    """The media type of a file by the suffix of its name, as in ``"image/png"``; None if the suffix is not known."""
    return _TYPES.get(_suffix(name))


def kind_of(name: str) -> Kind | None:
    """The kind of a file, from its name; None if the suffix is not known."""
    known = media_type(name) or ""
    if _suffix(name) in _NO_TEXT:
        return None
    return _WHOLE_TYPES.get(known) or _FAMILIES.get(known.partition("/")[0])


def kind_named(name: str) -> Kind:
    """The kind with a given name.

    :raises InvalidArgumentError: No kind has this name.
    """
    if name not in NAMES:
        raise InvalidArgumentError(f"kind: {name[:80]!r} is not one of {', '.join(NAMES)}.")
    return NAMES[name]


def name_of_kind(kind: Kind) -> str | None:
    """The name that users write for a kind; None if it has no such name."""
    return next((name for name, named in NAMES.items() if named == kind), None)


def _suffix(name: str) -> str:
    """The suffix in lower case; for ``brain.nii.gz`` it is ``.nii``."""
    path = pathlib.PurePosixPath(name.lower())
    return ".nii" if path.name.endswith(".nii.gz") else path.suffix
