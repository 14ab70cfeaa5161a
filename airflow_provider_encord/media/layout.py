"""Where a file goes: a template of its path below the destination.

Titles come from people and may contain anything, so each value is made safe as a part of a file name.
"""

from __future__ import annotations

import mimetypes
import re
import string
from typing import Any, Protocol

from airflow_provider_encord.client.errors import InvalidArgumentError

FIELDS = ("item_id", "data_hash", "title", "stem", "extension")
_IDENTIFYING = ("item_id", "data_hash")
_MOST_BYTES = 100  # of a title: file systems allow 255 for a name with ids, extension and the mark of unfinished files
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,10}")


class Placed(Protocol):
    """What a path is made of."""

    @property
    def item_id(self) -> str:
        """Id of the storage item; of an image in a group, whose item is not known, the hash of the image."""

    @property
    def unit(self) -> str | None:
        """Hash of the data unit; of an image in a group, that of the image."""

    @property
    def title(self) -> str:
        """Title of the file."""

    @property
    def mime_type(self) -> str | None:
        """Media type of the file."""


class Layout:
    """Makes paths.

    :param template: Text with `FIELDS` in braces. It must contain ``{item_id}`` or ``{data_hash}``, because titles are
        not unique.
    :raises InvalidArgumentError: The template has another field, leads out of the destination, or does not keep files
        apart.
    """

    def __init__(self, template: str):
        self._template = template
        named = _fields(template)
        unknown = sorted(named - {*FIELDS})
        if unknown:
            raise InvalidArgumentError(
                f"layout: {template!r} has the field {unknown[0]!r}. The fields are {', '.join(FIELDS)}."
            )
        if not named & {*_IDENTIFYING}:
            raise InvalidArgumentError(
                f"layout: {template!r} would give two files of the same title the same path. Add {{item_id}} or "
                "{data_hash}."
            )
        parts = template.split("/")
        if any(part in ("", ".", "..") for part in parts) or "\\" in template:
            raise InvalidArgumentError(
                f"layout: {template!r} is not a path below the destination. Use names and slashes, as in "
                "'images/{item_id}{extension}'."
            )

    def path_of(self, file: Placed) -> str:
        """The path of a file, relative to the destination, with slashes."""
        extension = extension_of(file.title, file.mime_type)
        stem = file.title[: -len(extension)] if file.title.lower().endswith(extension) and extension else file.title
        values = {
            "item_id": file.item_id,
            "data_hash": file.unit or file.item_id,
            "title": _safe(file.title),
            "stem": _safe(stem),
            "extension": extension,
        }
        return "/".join(part.format_map(values) for part in self._template.split("/"))


def frame_path(path: str, extension: str, frame: int, suffix: str) -> str:
    """The path of a frame of a video: a file in a directory that is named like the video.

    :param path: The path that the video would have.
    :param extension: The extension of the video. Only this is cut off, because a dot may be anywhere in a name.
    :param suffix: ``"jpg"`` or ``"png"``.
    """
    return f"{path.removesuffix(extension) if extension else path}/{frame:06d}.{suffix}"


def extension_of(title: str, mime_type: str | None) -> str:
    """The extension of a file in lower case, with its dot: that of the title if it is one, else of the media type."""
    found = re.search(rf"{_EXTENSION.pattern}$", title)
    written = found[0].lower() if found and found.start() > 0 else ""
    stated = mimetypes.guess_extension(mime_type) if mime_type else None
    if stated is None or mimetypes.guess_type(f"file{written}")[0] is not None:
        return written
    return stated  # the title ends in something else, as "frame 12.5" does


def _fields(template: str) -> set[str]:
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise InvalidArgumentError(f"layout: {template!r} cannot be read: {error}.") from None
    for _, name, specification, conversion in parsed:
        if name is not None and (specification or conversion):
            raise InvalidArgumentError(f"layout: {template!r}: the field {name!r} has a format. Use only its name.")
    return {name for _, name, _, _ in parsed if name is not None}


def _safe(text: Any) -> str:
    """A text as a part of a file name: without separators, and not hidden."""
    safe = _UNSAFE.sub("_", str(text)).encode(errors="replace")[:_MOST_BYTES].decode(errors="ignore")
    return safe.strip(" .") or "_"
