"""What is to be registered from a bucket: a manifest or a listing, as a stream of units, cut into jobs.

A manifest is JSON Lines, CSV or JSON. Each line or row has these fields; only ``url`` is needed:

===================  ==================================================================================
``url``              where Encord reads the object, such as ``s3://bucket/key`` or ``https://...``
``kind``             ``image``, ``video``, ``audio``, ``dicom``, ``nifti``, ``pdf``, ``text``; by default
                     the kind that the URL's suffix stands for
``title``            name in Encord, at most 300 characters; by default the last part of the URL
``group``            title of the image group or DICOM series that it belongs to; the lines of one group
                     stand together
``client_metadata``  JSON object; in CSV its text, or columns named ``metadata.<key>``
===================  ==================================================================================

JSON is a list of such objects, or the upload JSON that Encord documents (``{"images": [{"objectUrl": ...}]}``).
JSON Lines and CSV are read as they stream, so a million lines take no memory; JSON is read whole.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

import msgspec

from airflow_provider_encord.client.api.data_items import (
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
from airflow_provider_encord.defaults import MOST_UNITS_PER_JOB
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
    """One object of a bucket; the fields are explained above.

    :param key: Below the directory that was listed; None for what a manifest names.
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
    :param kind: What all are that do not say it themselves, whatever their names.
    :return: Objects; the groups, series and scenes of Encord's upload JSON come as units.
    :raises InvalidArgumentError: It cannot be read, or a line is wrong; the message names line and field.
    """
    return (one for one, _ in manifest_entries(path, kind=kind))


def manifest_entries(
    path: Any, *, kind: Kind | None = None, start: Place = START, switches: Mapping[str, bool] | None = None
) -> Iterator[tuple[CloudObject | Unit, Place]]:
    """As `read_manifest`, from a place on; each with the place after it.

    :param switches: The switches of Encord's upload JSON as they are used, by name. Others in the file are refused.
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
        yield from ((one, Place(offset=number)) for number, one in entries if number > start.offset)
    else:
        raise InvalidArgumentError(f"source: {path} is neither .jsonl, .csv nor .json; or name a directory to list.")


def is_listed(name: str, kind: Kind | None = None) -> bool:
    """Whether a listing takes an object of this name. Without a `kind`, it leaves out text: notes, reports and tables.

    :param kind: What all objects are, whatever their names.
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
    """The objects below a prefix whose names stand for a kind, ordered by key.

    :param directory: A path object.
    :param url_prefix: What stands for the directory in the URLs that Encord reads.
    :param after: Leave out this key and all before it, so that a listing can be continued although objects came and
        went meanwhile.
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
                f"source: the name of {key} has {len(name)} characters, and Encord takes {LONGEST_TITLE}."
            )
        yield CloudObject(url=_url_below(url_prefix, key), kind=kind or kind_of(name) or TEXT, title=name, key=key)
    if not fitting and after is None:
        raise InvalidArgumentError(
            f"source: no object below {directory} has a suffix that stands for a kind, such as .png or .mp4 ({skipped} "
            "others). Name their kind with the argument kind."
        )


def placed_units(objects: Iterable[tuple[CloudObject | Unit, P]]) -> Iterator[tuple[Unit, P]]:
    """The units that objects make: objects by themselves, and groups of consecutive ones.

    :param objects: Each with its place.
    :return: Each unit with the place of its last object.
    :raises InvalidArgumentError: A group is torn apart, or mixes kinds.
    """
    members: list[CloudObject] = []
    last: P | None = None
    ended: set[str] = set()
    for one, place in objects:
        group = one.group if isinstance(one, CloudObject) else None
        if members and group != members[0].group:
            yield _unit(members), cast("P", last)
            ended.add(str(members[0].group))
            members = []
        if group is None:
            yield (_unit([one]) if isinstance(one, CloudObject) else one), place
            continue
        if group in ended:
            raise InvalidArgumentError(
                f"source: the lines of group {group[:80]!r} do not stand together; sort the manifest by group."
            )
        members.append(cast("CloudObject", one))
        last = place
    if members:
        yield _unit(members), cast("P", last)


def placed_parts(all_units: Iterable[tuple[Unit, P]], *, size: int) -> Iterator[tuple[list[Unit], P]]:
    """Cut units into jobs, within the limits that Encord documents; together they are the whole.

    :param all_units: Each with its place.
    :param size: At most so many units in a job.
    :return: Each job with the place of its last unit.
    """
    size = min(size, MOST_UNITS_PER_JOB)
    part: list[Unit] = []
    urls = 0
    last: P | None = None
    for unit, place in all_units:
        count = len(urls_of(unit))
        if count > MOST_URLS:
            raise InvalidArgumentError(
                f"source: the group {title_of(unit)!r} has {count} files; Encord takes {MOST_URLS}."
            )
        if part and urls + count > MOST_URLS:
            yield part, cast("P", last)
            part, urls = [], 0
        part.append(unit)
        last = place
        urls += count
        if len(part) == size:  # at once, so that no line of the next part is read for this one
            yield part, place
            part, urls = [], 0
    if part:
        yield part, cast("P", last)


def urls_of(unit: Unit) -> list[str]:
    """The objects that a unit is made of."""
    if isinstance(unit, UploadedFile):
        return [unit.object_url]
    return [part.url for part in unit.parts] if isinstance(unit, ImageGroup | DicomSeries) else []


def title_of(unit: Unit) -> str:
    """Its name in Encord."""
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
            f"source: the group {str(first.group)[:80]!r} must have images only, or DICOM files only."
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
    raise InvalidArgumentError(f"{where}: {lacking}. Columns are {', '.join(_FIELDS)}, and metadata.<key>.")


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
        raise InvalidArgumentError(f"{where} must be a list of objects, or Encord's upload JSON.")
    yield from upload_json_entries(value, where, switches)


def _object(fields: Any, where: str, kind: Kind | None) -> CloudObject:
    if not isinstance(fields, Mapping):
        raise InvalidArgumentError(f"{where}: it must be an object with a field 'url'.")
    if unknown := [name for name in fields if name not in _FIELDS]:
        raise InvalidArgumentError(
            f"{where}: the field {str(unknown[0])[:40]!r} is not known; fields are {', '.join(_FIELDS)}."
        )
    for name in ("kind", "title", "group"):
        if fields.get(name) is not None and not isinstance(fields[name], str):
            raise InvalidArgumentError(f"{where}: {name}: it must be a text.")
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
    if named and named not in NAMES:
        raise InvalidArgumentError(f"{where}: kind: {str(named)[:80]!r} is not one of {', '.join(NAMES)}.")
    found = NAMES[named] if named else otherwise or kind_of(name)
    if found is None:
        raise InvalidArgumentError(f"{where}: kind: the name {name[:80]!r} stands for none; give the field 'kind'.")
    return found


def _url_below(prefix: str, key: str) -> str:
    """The URL of a key. Only http URLs are escaped: in those of object stores, the key stands as it is."""
    web = prefix.lower().startswith(("http://", "https://"))
    return f"{prefix.rstrip('/')}/{urllib.parse.quote(key) if web else key}"
