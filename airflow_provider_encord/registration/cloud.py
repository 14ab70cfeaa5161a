"""Reading the objects to register from a manifest or a listing, as a stream of units, and splitting them into jobs.

A manifest is JSON Lines, CSV or JSON. Each line or row has these fields; only ``url`` is required:

===================  ==================================================================================
``url``              URL at which Encord reads the object, such as ``s3://bucket/key`` or ``https://...``
``kind``             ``image``, ``video``, ``audio``, ``dicom``, ``nifti``, ``pdf``, ``text``; by default
                     the kind that the URL's suffix stands for
``title``            name in Encord, at most 300 characters; by default the last part of the URL
``group``            title of the image group or DICOM series that it belongs to; the lines of one group
                     stand together
``client_metadata``  JSON object; in CSV its text, or columns named ``metadata.<key>``
===================  ==================================================================================

JSON is a list of such objects, or the upload JSON that Encord documents (``{"images": [{"objectUrl": ...}]}``).
JSON Lines and CSV are read line by line, so a million lines need little memory. JSON is read completely into memory.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

import msgspec

from airflow_provider_encord.client.api.core.data_items import (
    DICOM,
    IMAGE,
    TEXT,
    DicomSeries,
    ImageGroup,
    Kind,
    Part,
    Unit,
    UploadedFile,
)
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.defaults import FILE_KINDS, MOST_UNITS_PER_JOB
from airflow_provider_encord.registration.upload_json import name_in, require_url, title_or, upload_json_entries
from airflow_provider_encord.sources import rows
from airflow_provider_encord.sources.files import LONGEST_TITLE
from airflow_provider_encord.sources.keys import keys_below, require_key
from airflow_provider_encord.sources.kinds import NAMES, kind_of
from airflow_provider_encord.sources.rows import START, Place

MOST_URLS = 1_000_000
_FIELDS = ("url", "kind", "title", "group", "client_metadata")
_METADATA = "metadata."
P = TypeVar("P")


class CloudObject(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One object of a bucket. The module's docstring explains the fields.

    :param key: Key below the listed directory; None for an object from a manifest.
    """

    url: str
    kind: Kind
    title: str
    group: str | None = None
    client_metadata: Mapping[str, Any] | None = None
    key: str | None = None


def read_manifest(path: Any, *, kind: Kind | None = None) -> Iterator[CloudObject | Unit]:
    """The objects of a manifest, in its order.

    :param path: A path object; its suffix is the format: ``.jsonl``, ``.ndjson``, ``.csv`` or ``.json``.
    :param kind: Kind of all objects whose line has no kind; their names are then ignored.
    :return: Objects; for the groups, series and scenes of Encord's upload JSON, units.
    :raises InvalidArgumentError: The manifest cannot be read, or a line is not valid. The message names line and field.
    """
    return (entry for entry, _ in manifest_entries(path, kind=kind))


def manifest_entries(
    path: Any, *, kind: Kind | None = None, start: Place = START, switches: Mapping[str, bool] | None = None
) -> Iterator[tuple[CloudObject | Unit, Place]]:
    """Do the same as `read_manifest`, from a given place; each object with the place after it.

    :param switches: The values of the switches of Encord's upload JSON, by name. If the file has another value, it is
        refused.
    """
    where = f"source: {path}"
    suffix = rows.format_of(path.name)
    if suffix in rows.JSON_LINES:
        for row in rows.json_lines(path, "source", start):
            yield _object(row.fields, f"{where}, {row.where}", kind), row.end
    elif suffix == rows.CSV:
        _require_columns(rows.csv_columns(path, "source"), f"{where}, line 1")
        for row in rows.csv_rows(path, "source", start):
            yield _object(_from_row(row.fields, f"{where}, {row.where}"), f"{where}, {row.where}", kind), row.end
    elif suffix == rows.JSON:
        entries = enumerate(_whole(path, where, kind, switches), 1)
        yield from ((entry, Place(offset=number)) for number, entry in entries if number > start.offset)
    else:
        raise InvalidArgumentError(
            f"source: {path} is neither .jsonl, .csv nor .json. Pass such a manifest, or a directory to list."
        )


def is_listed(name: str, kind: Kind | None = None) -> bool:
    """Whether a listing includes an object with this name.

    Without `kind`, text files (notes, reports, tables) are skipped.

    :param kind: Kind of all objects, regardless of their names.
    """
    return kind is not None or kind_of(name) not in (None, TEXT)


def list_prefix(
    directory: Any,
    url_prefix: str,
    *,
    kind: Kind | None = None,
    after: str | None = None,
    keys: Sequence[str] | None = None,
) -> Iterator[CloudObject]:
    """List the objects below a prefix whose suffix has a known kind, ordered by key.

    :param directory: A path object.
    :param url_prefix: URL of the directory, as Encord reads it.
    :param after: Skip this key and all keys before it. So a listing can be continued even if objects were added or
        removed meanwhile.
    :param keys: The keys below the directory, if they are known.
    :return: Objects, each with its `key` below the directory.
    """
    fitting = skipped = 0
    for key in keys_below(directory, "source") if keys is None else keys:
        name = key.rpartition("/")[2]
        if not is_listed(name, kind):
            skipped += 1
            continue
        fitting += 1
        if after is not None and key <= after:
            continue
        require_key(directory, key, "source")
        if len(name) > LONGEST_TITLE:
            raise InvalidArgumentError(
                f"source: the name of {key} has {len(name)} characters, but Encord accepts at most {LONGEST_TITLE}."
            )
        yield CloudObject(url=_url_below(url_prefix, key), kind=kind or kind_of(name) or TEXT, title=name, key=key)
    if not fitting and after is None:
        raise InvalidArgumentError(
            f"source: no object below {directory} has a suffix of a known kind, such as .png or .mp4 ({skipped} other "
            "objects). Set the argument kind."
        )


def placed_units(objects: Iterable[tuple[CloudObject | Unit, P]]) -> Iterator[tuple[Unit, P]]:
    """Combine objects into units: single objects, and groups of consecutive objects.

    :param objects: The objects, each with its place.
    :return: The units, each with the place of its last object.
    :raises InvalidArgumentError: The objects of a group are not consecutive, or have different kinds.
    """
    members: list[CloudObject] = []
    last: P | None = None
    ended: set[str] = set()
    for entry, place in objects:
        group = entry.group if isinstance(entry, CloudObject) else None
        if members and group != members[0].group:
            yield _unit(members), cast("P", last)
            ended.add(str(members[0].group))
            members = []
        if group is None:
            yield (_unit([entry]) if isinstance(entry, CloudObject) else entry), place
            continue
        if group in ended:
            raise InvalidArgumentError(
                f"source: the lines of group {group[:80]!r} are not consecutive. Sort the manifest by group."
            )
        members.append(cast("CloudObject", entry))
        last = place
    if members:
        yield _unit(members), cast("P", last)


def placed_parts(all_units: Iterable[tuple[Unit, P]], *, size: int) -> Iterator[tuple[list[Unit], P]]:
    """Split units into jobs, within the limits that Encord documents.

    :param all_units: The units, each with its place.
    :param size: Maximum number of units in a job.
    :return: The jobs, each with the place of its last unit.
    """
    size = min(size, MOST_UNITS_PER_JOB)
    part: list[Unit] = []
    urls = 0
    last: P | None = None
    for unit, place in all_units:
        count = len(urls_of(unit))
        if count > MOST_URLS:
            raise InvalidArgumentError(
                f"source: the group {title_of(unit)!r} has {count} files, but Encord accepts at most {MOST_URLS}."
            )
        if part and urls + count > MOST_URLS:
            yield part, cast("P", last)
            part, urls = [], 0
        part.append(unit)
        last = place
        urls += count
        if len(part) == size:  # now, so that this part does not read a line of the next part
            yield part, place
            part, urls = [], 0
    if part:
        yield part, cast("P", last)


def urls_of(unit: Unit) -> list[str]:
    """The URLs of the objects of a unit."""
    if isinstance(unit, UploadedFile):
        return [unit.object_url]
    return [part.url for part in unit.parts] if isinstance(unit, ImageGroup | DicomSeries) else []


def title_of(unit: Unit) -> str:
    """The title of a unit in Encord."""
    return unit.title or ""


def _unit(members: Sequence[CloudObject]) -> Unit:
    first = members[0]
    metadata: dict[str, Any] = {}
    for member in members:
        metadata |= member.client_metadata or {}
    if first.group is None and first.kind != DICOM:
        return UploadedFile(kind=first.kind, object_url=first.url, title=first.title, client_metadata=metadata)
    if {member.kind for member in members} not in ({IMAGE}, {DICOM}):
        raise InvalidArgumentError(
            f"source: the group {str(first.group)[:80]!r} must contain only images, or only DICOM files."
        )
    files = [Part(url=member.url, title=member.title) for member in members]
    title = first.group or first.title
    if first.kind == DICOM:
        return DicomSeries(parts=files, title=title, client_metadata=metadata)
    return ImageGroup(parts=files, title=title, client_metadata=metadata)


def _require_columns(columns: Sequence[str], where: str) -> None:
    unknown = next((name for name in columns if name not in _FIELDS and not name.startswith(_METADATA)), None)
    if unknown is not None:
        lacking = f"the column {unknown[:80]!r} is not known"
    elif "url" not in columns:
        lacking = "there is no column 'url'"
    elif _METADATA in columns:
        lacking = f"the column {_METADATA!r} names no key"
    else:
        return
    raise InvalidArgumentError(f"{where}: {lacking}. Valid columns are {', '.join(_FIELDS)}, and metadata.<key>.")


def _from_row(row: Mapping[str, Any], where: str) -> dict[str, Any]:
    fields = {name: row[name] for name in _FIELDS if name in row}
    text = fields.get("client_metadata")
    named = f"{where}: client_metadata"
    metadata = {} if text is None else rows.require_object(rows.decode_json(text, named), named)
    more = {name.removeprefix(_METADATA): row[name] for name in row if name.startswith(_METADATA)}
    twice = next((key for key in more if key in metadata), None)
    if twice is not None:
        raise InvalidArgumentError(f"{named} and the column {_METADATA + twice[:80]!r} give the same key. Keep one.")
    return {**fields, "client_metadata": {**metadata, **more}}


def _whole(
    path: Any, where: str, kind: Kind | None, switches: Mapping[str, bool] | None
) -> Iterator[CloudObject | Unit]:
    value = rows.json_whole(path, "source")
    if isinstance(value, list):
        yield from (_object(fields, f"{where}, entry {number}", kind) for number, fields in enumerate(value, 1))
        return
    if not isinstance(value, dict):
        raise InvalidArgumentError(f"{where} is neither a list of objects nor Encord's upload JSON.")
    yield from upload_json_entries(value, where, switches)


def _object(fields: Any, where: str, kind: Kind | None) -> CloudObject:
    if not isinstance(fields, Mapping):
        raise InvalidArgumentError(f"{where}: it is not an object with a field 'url'.")
    if unknown := [name for name in fields if name not in _FIELDS]:
        raise InvalidArgumentError(
            f"{where}: the field {str(unknown[0])[:40]!r} is not known. Valid fields are {', '.join(_FIELDS)}."
        )
    for name in ("kind", "title", "group"):
        if fields.get(name) is not None and not isinstance(fields[name], str):
            raise InvalidArgumentError(f"{where}: {name}: it is not text.")
    url = require_url(fields.get("url"), f"{where}: url")
    metadata = fields.get("client_metadata")
    if metadata is not None:
        rows.require_object(metadata, f"{where}: client_metadata")
    name = name_in(url)
    return CloudObject(
        url=url,
        kind=_kind(fields.get("kind"), name, where, kind),
        title=title_or(fields.get("title"), name, f"{where}: title"),
        group=fields.get("group") or None,
        client_metadata=metadata or None,
    )


def _kind(named: Any, name: str, where: str, otherwise: Kind | None) -> Kind:
    if named and named not in FILE_KINDS:
        raise InvalidArgumentError(f"{where}: kind: {str(named)[:80]!r} is not one of {', '.join(FILE_KINDS)}.")
    found = NAMES[named] if named else otherwise or kind_of(name)
    if found is None:
        raise InvalidArgumentError(
            f"{where}: kind: the name {name[:80]!r} has no suffix of a known kind. Add the field 'kind'."
        )
    return found


def _url_below(prefix: str, key: str) -> str:
    """The URL of a key. Only http URLs are escaped; URLs of object stores contain the key unchanged."""
    web = prefix.lower().startswith(("http://", "https://"))
    return f"{prefix.rstrip('/')}/{urllib.parse.quote(key) if web else key}"
