"""Media metadata: properties of files that the user knows, such as width and duration. Encord then does not read them.

A table names the files by URI, title or pattern; see `by_name`. Encord takes all properties of a kind of file or none
(protocol, section 7.11). The size and the type of a file are known here, and need not be in the table.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from airflow_provider_encord.client.api.core.data_items import AUDIO, DICOM, IMAGE, PDF, TEXT, TIME_SERIES, VIDEO
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.item_metadata.by_name import by_composed_name, read_table, warn_of_unused
from airflow_provider_encord.plain_json import plain_json
from airflow_provider_encord.sources.files import SourceFile, composed

MediaMetadata: TypeAlias = Mapping[str, Mapping[str, Any]] | str

_ARGUMENT = "media_metadata"
_PATTERN_CHARACTERS = "*?["
_SIZE, _TYPE = "fileSize", "mimeType"
_FIELDS: dict[str, dict[str, type]] = {
    IMAGE.list_name: {_TYPE: str, _SIZE: int, "height": int, "width": int},
    VIDEO.list_name: {"fps": float, "duration": float, "width": int, "height": int, _SIZE: int, _TYPE: str},
    AUDIO.list_name: {
        "duration": float,
        _SIZE: int,
        _TYPE: str,
        "sampleRate": int,
        "bitDepth": int,
        "codec": str,
        "numChannels": int,
    },
    TEXT.list_name: {_SIZE: int, _TYPE: str},
    PDF.list_name: {_SIZE: int, "numPages": int},
    DICOM.list_name: {"tags": dict},
    TIME_SERIES.list_name: {"channels": dict},
}
"""The properties by list of the kind; Encord requires all of them."""
_WORDS = {int: "a whole number", float: "a number", str: "text", dict: "a dictionary"}


def add_media_metadata(
    files: Sequence[SourceFile], what: MediaMetadata | None, open_uri: Callable[[str], Any]
) -> list[SourceFile]:
    """Add media metadata to single files. Files without any are returned unchanged.

    :param files: The files, before they are grouped.
    :param what: A mapping from URI, title or pattern to properties with Encord's names; or the path or URI of a file
        with the same. A URI comes before a title, and a title before a pattern; of several patterns, the first.
    :param open_uri: Makes a path object from a path or URI.
    :raises InvalidArgumentError: The metadata cannot be read, a property is missing, unknown or has another type, or
        nothing in the table matches a file. The message names the file.
    """
    if what is None:
        return list(files)
    table = by_composed_name(read_table(what, open_uri, _ARGUMENT), _ARGUMENT)
    patterns = [name for name in table if any(character in name for character in _PATTERN_CHARACTERS)]
    keys = [_key(file, table, patterns) for file in files]
    used = {key for key in keys if key is not None}
    if table and files and not used:
        raise InvalidArgumentError(
            f"{_ARGUMENT}: none of its {len(table)} names, such as {next(iter(table))[:80]!r}, is or matches the title "
            f"or URI of a file, such as {files[0].title[:80]!r}. Correct the names, or leave {_ARGUMENT} out."
        )
    warn_of_unused(_ARGUMENT, table, used)
    return [file if key is None else _with(file, table[key]) for file, key in zip(files, keys, strict=True)]


def _key(file: SourceFile, table: Mapping[str, Any], patterns: Sequence[str]) -> str | None:
    names = composed(file.uri), composed(file.title)
    exact = next((name for name in names if name in table), None)
    if exact is not None:
        return exact
    return next(
        (pattern for pattern in patterns if any(fnmatch.fnmatchcase(name, pattern) for name in names)),
        None,
    )


def _with(file: SourceFile, given: Mapping[str, Any]) -> SourceFile:
    where = f"{_ARGUMENT} of {file.title[:80]!r}"
    fields = _FIELDS.get(file.kind.list_name)
    if fields is None:
        raise InvalidArgumentError(f"{where}: Encord takes none for files of kind {file.kind.item_type}. Leave it out.")
    plain = plain_json(given, where)
    unknown = next((name for name in plain if name not in fields), None)
    if unknown is not None:
        raise InvalidArgumentError(f"{where}: {unknown[:80]!r} is not known. Use {', '.join(fields)}.")
    known: dict[str, Any] = {_SIZE: file.size, **({_TYPE: file.media_type} if file.media_type else {}), **plain}
    missing = [name for name in fields if known.get(name) is None]
    if missing:
        raise InvalidArgumentError(f"{where}: {', '.join(missing)} is missing. Encord needs {', '.join(fields)}.")
    details = {name: _checked(known[name], type_, f"{where}: {name}") for name, type_ in fields.items()}
    return dataclasses.replace(file, details=details)


def _checked(value: Any, type_: type, where: str) -> Any:
    """A value of the right type. Numbers may be text, because all cells of CSV are."""
    if type_ in (int, float):
        number = _number(value)
        if number is not None and (type_ is float or number.is_integer()):
            return type_(number)
    elif isinstance(value, type_):
        return value
    raise InvalidArgumentError(f"{where}: {str(value)[:40]!r} is not {_WORDS[type_]}.")


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
