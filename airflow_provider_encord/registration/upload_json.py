"""Reading Encord's upload JSON for private cloud data, entry by entry (protocol, section 7.11).

Its lists have names in ``snake_case`` and the fields of their entries in ``camelCase``; both spellings are accepted for
both. The details of a file (``videoMetadata`` and similar fields) are passed on. Unknown keys are refused. The switches
``skip_duplicate_urls`` and ``upsert_metadata`` are arguments of the operator; if the file has another value, it is
refused.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.api.core.data_items import (
    DICOM,
    IMAGE,
    KINDS,
    SCENE,
    TIME_SERIES,
    DicomSeries,
    ImageGroup,
    Kind,
    Part,
    Scene,
    Unit,
    UploadedFile,
)
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.sources.files import LONGEST_TITLE
from airflow_provider_encord.sources.rows import require_object

LONGEST_URL = 16 * 1024  # bytes (protocol, section 7.11)
_SWITCHES = {"skipduplicateurls": "skip_duplicate_urls", "upsertmetadata": "upsert_metadata"}
_IMAGE_GROUPS = "imagegroups"
_LISTS: Mapping[str, Kind] = {kind.list_name.lower(): kind for kind in KINDS}
_NUMBERED = re.compile(r"object_?url_?([0-9]{1,9})", re.IGNORECASE)


def upload_json_entries(
    value: Mapping[str, Any], where: str, switches: Mapping[str, bool] | None = None
) -> Iterator[Unit]:
    """The units of an upload JSON.

    :param where: The beginning of messages.
    :param switches: The values of the switches, by name. None does not check the switches in the file.
    :raises InvalidArgumentError: A list, an entry or a key does not match Encord's documentation.
    """
    for name, entries in value.items():
        plain = _plain(name)
        if plain in _SWITCHES and switches is not None:
            _require_switch(_SWITCHES[plain], entries, switches, where)
        if plain in _SWITCHES or entries is None:
            continue
        if plain not in _LISTS and plain != _IMAGE_GROUPS:
            known = ", ".join(["image_groups", *(kind.list_name for kind in KINDS)])
            raise InvalidArgumentError(f"{where}: the list {name[:40]!r} is not known. Valid lists are {known}.")
        if not isinstance(entries, list):
            raise InvalidArgumentError(f"{where}: {name}: it is not a list.")
        for number, entry in enumerate(entries, 1):
            place = f"{where}, {name}, entry {number}"
            yield _unit(plain, _fields(require_object(entry, place), place), place)


def _require_switch(name: str, value: Any, used: Mapping[str, bool], where: str) -> None:
    if value is not None and value is not used.get(name):
        raise InvalidArgumentError(
            f"{where}: {name}: the file has the value {str(value)[:40].lower()}, but the argument of the task is "
            f"{str(used.get(name)).lower()}. Set the argument {name}, and remove the key from the file."
        )


def require_url(url: Any, where: str) -> str:
    """Check the URL of an object.

    :raises InvalidArgumentError: It is not a URL, or too long.
    """
    if url is None or url == "":
        raise InvalidArgumentError(f"{where}: it is missing. Add a URL, such as s3://bucket/key.")
    if not isinstance(url, str) or "://" not in url:
        raise InvalidArgumentError(f"{where}: {str(url)[:80]!r} is not a URL, such as s3://bucket/key.")
    if len(url.encode("utf-8", "surrogatepass")) > LONGEST_URL:
        raise InvalidArgumentError(f"{where}: it has more than {LONGEST_URL} bytes, Encord's limit.")
    return _require_text(url, where)


def require_title(title: Any, where: str) -> str:
    """Check the title of a unit.

    :raises InvalidArgumentError: It is not text, or too long.
    """
    if not isinstance(title, str):
        raise InvalidArgumentError(f"{where}: it is not text.")
    if len(title) > LONGEST_TITLE:
        raise InvalidArgumentError(
            f"{where}: it has {len(title)} characters, but Encord accepts at most {LONGEST_TITLE}."
        )
    return _require_text(title, where)


def title_or(title: Any, name: str, where: str) -> str:
    """Check the title of a unit. If it is missing or empty, return the name of the file.

    :raises InvalidArgumentError: It is not text, or too long.
    """
    return require_title(name if title is None or title == "" else title, where)


def name_in(url: str) -> str:
    """The name of the object of a URL: the last part of its path, unescaped.

    ``#`` and ``?`` end the path only in web addresses; in keys of object stores they are normal characters.
    """
    scheme, _, rest = url.partition("://")
    if scheme.lower() in ("http", "https"):
        rest = re.split(r"[?#]", rest, maxsplit=1)[0]
    return urllib.parse.unquote(rest.rpartition("/")[2]) or url


def _require_text(text: str, where: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError(
            f"{where}: it contains half of a surrogate pair, which is not a character."
        ) from None
    return text


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _fields(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The fields by name, in lower case and without underscores."""
    fields = {_plain(name): value for name, value in entry.items() if value is not None}
    if len(fields) < sum(value is not None for value in entry.values()):
        raise InvalidArgumentError(f"{where}: a field is there twice, in two spellings. Keep one.")
    return fields


def _unit(name: str, fields: dict[str, Any], where: str) -> Unit:
    metadata = require_object(fields.pop("clientmetadata", {}), f"{where}, clientMetadata")
    title = fields.pop("title", None)
    if name == _IMAGE_GROUPS:
        return _image_group(fields, title, metadata, where)
    kind = _LISTS[name]
    if kind == DICOM:
        files = _parts(fields, "dicomFiles", DICOM, where)
        _require_no_more(fields, where)
        return DicomSeries(parts=files, title=_group_title(title, files, where), client_metadata=metadata)
    if kind == SCENE:
        scene = require_object(fields.pop("scene", None), f"{where}, scene")
        _require_no_more(fields, where)
        if title is None or title == "":
            raise InvalidArgumentError(
                f"{where}, title: it is missing. Add a title; it prevents that a scene is registered twice."
            )
        return Scene(title=require_title(title, f"{where}, title"), scene=scene, client_metadata=metadata)
    url = require_url(fields.pop("objecturl", None), f"{where}, objectUrl")
    details = _details(fields, "settings" if kind == TIME_SERIES else kind.details_name, where)
    _require_no_more(fields, where)
    title = title_or(title, name_in(url), f"{where}, title")
    return UploadedFile(kind=kind, object_url=url, title=title, client_metadata=metadata, details=details)


def _image_group(fields: dict[str, Any], title: Any, metadata: Mapping[str, Any], where: str) -> Unit:
    create_video = fields.pop("createvideo", False)
    if not isinstance(create_video, bool):
        raise InvalidArgumentError(f"{where}, createVideo: it must be true or false.")
    files = _parts(fields, "images", IMAGE, where)
    _require_no_more(fields, where)
    named = _group_title(title, files, where)
    return ImageGroup(parts=files, title=named, client_metadata=metadata, create_video=create_video)


def _parts(fields: dict[str, Any], list_name: str, kind: Kind, where: str) -> Sequence[Part]:
    """The files of a group: numbered (``objectUrl_0``, ...), or a list of objects with ``url``."""
    numbered = sorted((int(found[1]), name) for name in list(fields) if (found := _NUMBERED.fullmatch(name)))
    urls = [require_url(fields.pop(name), f"{where}, objectUrl_{number}") for number, name in numbered]
    files = [Part(url=url, title=require_title(name_in(url), f"{where}, title")) for url in urls]
    listed = fields.pop(list_name.lower(), [])
    if not isinstance(listed, list):
        raise InvalidArgumentError(f"{where}, {list_name}: it is not a list.")
    for number, entry in enumerate(listed, 1):
        place = f"{where}, {list_name}, file {number}"
        file = _fields(require_object(entry, place), place)
        if "url" in file and "objecturl" in file:
            raise InvalidArgumentError(f"{place}: it has both url and objectUrl. Keep one.")
        url = require_url(file.pop("url", file.pop("objecturl", None)), f"{place}, url")
        title = title_or(file.pop("title", None), name_in(url), f"{place}, title")
        details = _details(file, kind.details_name, place)
        _require_no_more(file, place)
        files.append(Part(url=url, title=title, details=details))
    if not files:
        raise InvalidArgumentError(f"{where}: it contains no files. Add them as objectUrl_0, objectUrl_1, ...")
    return files


def _details(fields: dict[str, Any], name: str | None, where: str) -> Mapping[str, Any] | None:
    value = fields.pop(name.lower(), None) if name else None
    return None if value is None else require_object(value, f"{where}, {name}")


def _group_title(title: Any, files: Sequence[Part], where: str) -> str:
    """The title of a group; without one, the name of its first file, so that a repeat recognises the group."""
    return title_or(title, files[0].title or name_in(files[0].url), f"{where}, title")


def _require_no_more(fields: Mapping[str, Any], where: str) -> None:
    for name in fields:
        raise InvalidArgumentError(f"{where}: the key {name[:40]!r} is not known. Remove it.")
