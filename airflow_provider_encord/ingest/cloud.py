"""What is to be registered from a bucket: a manifest or a listing, as a stream of units, cut into jobs.

A manifest is JSON Lines, CSV or JSON. Each line or row has these fields; only ``url`` is needed:

===================  ==================================================================================
``url``              where Encord reads the object, such as ``s3://bucket/key`` or ``https://...``
``kind``             ``image``, ``video``, ``audio``, ``dicom``, ``nifti``, ``pdf``, ``text``; by default
                     what the URL's suffix tells
``title``            name in Encord, at most 300 characters; by default the last part of the URL
``group``            title of the image group or DICOM series that it belongs to; the lines of one group
                     stand together
``client_metadata``  JSON object; in CSV its text, or columns named ``metadata.<key>``
===================  ==================================================================================

JSON is a list of such objects, or the upload JSON that Encord documents (``{"images": [{"objectUrl": ...}]}``).
JSON Lines and CSV are read as they stream, so a million lines take no memory; JSON is read whole.
"""

from __future__ import annotations

import csv
import io
import json
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.data_items import (
    DICOM,
    IMAGE,
    KINDS,
    DicomSeries,
    ImageGroup,
    Kind,
    Part,
    Unit,
    UploadedFile,
)
from airflow_provider_encord.client.errors import InvalidRequestError
from airflow_provider_encord.ingest.kinds import kind_name, kind_named, kind_of
from airflow_provider_encord.ingest.sources import LONGEST_TITLE, find_files
from airflow_provider_encord.storage_paths import is_local, storage_errors, write_whole

MOST_UNITS = 500_000  # in one job; the limits that Encord documents for an upload JSON (protocol, section 7.11)
MOST_URLS = 1_000_000
LONGEST_URL = 16 * 1024  # bytes
_FIELDS = ("url", "kind", "title", "group", "client_metadata")
_METADATA = "metadata."


class CloudObject(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One object of a bucket; the fields are explained above."""

    url: str
    kind: Kind
    title: str
    group: str | None = None
    client_metadata: Mapping[str, Any] | None = None


def read_manifest(path: Any, *, kind: Kind | None = None) -> Iterator[CloudObject]:
    """The objects of a manifest, in its order.

    :param path: A path object; its suffix tells the format: ``.jsonl``, ``.ndjson``, ``.csv`` or ``.json``.
    :param kind: What all are that do not say it themselves, whatever their names.
    :raises InvalidRequestError: It cannot be read, or a line is wrong; the message names line and field.
    """
    readers: Mapping[str, Callable[[Any], Iterator[tuple[str, Any]]]] = {
        "jsonl": _lines,
        "ndjson": _lines,
        "csv": _rows,
        "json": _whole,
    }
    suffix = path.name.lower().rpartition(".")[2]
    if suffix not in readers:
        raise InvalidRequestError(f"source: {path} is neither .jsonl, .csv nor .json; or name a directory to list.")
    for where, fields in readers[suffix](path):
        yield _object(fields, f"source: {path}, {where}", kind)


def list_prefix(directory: Any, url_prefix: str, *, kind: Kind | None = None) -> Iterator[CloudObject]:
    """The objects below a prefix, ordered by key, as far as their names tell a kind.

    :param directory: A path object.
    :param url_prefix: What stands for the directory in the URLs that Encord reads.
    """
    root = str(directory).rstrip("/")
    for file in find_files(directory, lambda uri: uri, kind=kind):
        key = str(file.path)[len(root) :].lstrip("/")
        url = f"{url_prefix.rstrip('/')}/{key}"
        yield CloudObject(url=url, kind=file.kind, title=file.title)


def units(objects: Iterable[CloudObject]) -> Iterator[Unit]:
    """The units that they make: objects by themselves, and groups of consecutive ones.

    :raises InvalidRequestError: A group is torn apart, or mixes kinds.
    """
    members: list[CloudObject] = []
    ended: set[str] = set()
    for one in objects:
        if members and one.group != members[0].group:
            yield _unit(members)
            if members[0].group is not None:
                ended.add(members[0].group)
            members = []
        if one.group is None:
            yield _unit([one])
            continue
        if one.group in ended:
            raise InvalidRequestError(
                f"source: the lines of group {one.group[:80]!r} do not stand together; sort the manifest by group."
            )
        members.append(one)
    if members:
        yield _unit(members)


def parts(all_units: Iterable[Unit], *, size: int) -> Iterator[list[Unit]]:
    """Cut units into jobs, within the limits that Encord documents; together they are the whole.

    :param size: At most so many units in a job.
    """
    size = min(size, MOST_UNITS)
    part: list[Unit] = []
    urls = 0
    for unit in all_units:
        count = len(urls_of(unit))
        if count > MOST_URLS:
            raise InvalidRequestError(
                f"source: the group {title_of(unit)!r} has {count} files; Encord takes {MOST_URLS}."
            )
        if part and (len(part) == size or urls + count > MOST_URLS):
            yield part
            part, urls = [], 0
        part.append(unit)
        urls += count
    if part:
        yield part


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
    for one in members:
        metadata |= one.client_metadata or {}
    if first.group is None and first.kind != DICOM:
        return UploadedFile(kind=first.kind, object_url=first.url, title=first.title, client_metadata=metadata)
    if {one.kind for one in members} not in ({IMAGE}, {DICOM}):
        raise InvalidRequestError(
            f"source: the group {str(first.group)[:80]!r} must have images only, or DICOM files only."
        )
    files = [Part(url=one.url, title=one.title) for one in members]
    title = first.group or first.title
    if first.kind == DICOM:
        return DicomSeries(parts=files, title=title, client_metadata=metadata)
    return ImageGroup(parts=files, title=title, client_metadata=metadata)


def _lines(path: Any) -> Iterator[tuple[str, Any]]:
    with storage_errors("source", path):
        file = path.open("rb")
    with file:
        for number, line in enumerate(iter(file.readline, b""), 1):
            if line.strip():
                yield f"line {number}", _decoded(line, f"source: {path}, line {number}")


def _rows(path: Any) -> Iterator[tuple[str, Any]]:
    with storage_errors("source", path):
        file = path.open("rb")
    with file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        reader = csv.DictReader(text)
        unknown = [name for name in reader.fieldnames or () if name not in _FIELDS and not name.startswith(_METADATA)]
        if unknown or "url" not in (reader.fieldnames or ()):
            raise InvalidRequestError(
                f"source: {path} has the column {unknown[0]!r}, which means nothing."
                if unknown
                else f"source: {path} has no column 'url'." + f" Columns are {', '.join(_FIELDS)}, and metadata.<key>."
            )
        for row in reader:
            where = f"line {reader.line_num}"
            yield where, _from_row(row, f"source: {path}, {where}")


def _from_row(row: Mapping[str, Any], where: str) -> dict[str, Any]:
    fields = {name: row[name] for name in _FIELDS if row.get(name)}
    if None in row:
        raise InvalidRequestError(f"{where}: it has more fields than the header.")
    metadata = _decoded(fields["client_metadata"], where) if "client_metadata" in fields else {}
    more = {name.removeprefix(_METADATA): row[name] for name in row if name.startswith(_METADATA) and row[name]}
    return {**fields, "client_metadata": {**metadata, **more}}


def _whole(path: Any) -> Iterator[tuple[str, Any]]:
    with storage_errors("source", path):
        content = path.read_bytes()
    value = _decoded(content, f"source: {path}")
    if isinstance(value, list):
        yield from ((f"entry {number}", fields) for number, fields in enumerate(value, 1))
        return
    if not isinstance(value, dict):
        raise InvalidRequestError(f"source: {path} must be a list of objects, or Encord's upload JSON.")
    yield from _upload_json(value, str(path))


def _upload_json(value: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    """The lists of Encord's documented upload JSON, entry by entry; its switches are arguments of the operator."""
    lists = {kind.list_name: kind for kind in KINDS}
    for name, entries in value.items():
        if name.replace("_", "").lower() in ("skipduplicateurls", "upsertmetadata"):
            continue
        if name not in lists or lists[name] == DICOM:
            raise InvalidRequestError(
                f"source: {path}: the list {name[:40]!r} cannot be read here. Write groups and series as lines with a "
                "field 'group'."
            )
        for number, entry in enumerate(entries, 1):
            where = f"{name}, entry {number}"
            if not isinstance(entry, Mapping):
                raise InvalidRequestError(f"source: {path}, {where}: it must be an object.")
            yield (
                where,
                {
                    "url": entry.get("objectUrl"),
                    "title": entry.get("title"),
                    "kind": lists[name],
                    "client_metadata": entry.get("clientMetadata"),
                },
            )


def _decoded(content: bytes | str, where: str) -> Any:
    try:
        return json.loads(content)
    except ValueError as error:
        raise InvalidRequestError(f"{where}: it is not JSON: {error}.") from None


def _object(fields: Any, where: str, kind: Kind | None) -> CloudObject:
    if not isinstance(fields, Mapping):
        raise InvalidRequestError(f"{where}: it must be an object with a field 'url'.")
    if unknown := [name for name in fields if name not in _FIELDS]:
        raise InvalidRequestError(
            f"{where}: the field {str(unknown[0])[:40]!r} means nothing; fields are {', '.join(_FIELDS)}."
        )
    url, metadata = fields.get("url"), fields.get("client_metadata")
    if not isinstance(url, str) or "://" not in url:
        raise InvalidRequestError(f"{where}: url: {str(url)[:80]!r} is no URL, such as s3://bucket/key.")
    if len(url.encode()) > LONGEST_URL:
        raise InvalidRequestError(f"{where}: url: it has more than {LONGEST_URL} bytes.")
    if metadata is not None and not isinstance(metadata, Mapping):
        raise InvalidRequestError(f"{where}: client_metadata: it must be a JSON object.")
    name = urllib.parse.unquote(urllib.parse.urlsplit(url).path.rpartition("/")[2]) or url
    title = str(fields.get("title") or name)
    if len(title) > LONGEST_TITLE:
        raise InvalidRequestError(f"{where}: title: it has {len(title)} characters, and Encord takes {LONGEST_TITLE}.")
    return CloudObject(
        url=url,
        kind=_kind(fields.get("kind"), name, where, kind),
        title=title,
        group=str(fields["group"]) if fields.get("group") else None,
        client_metadata=metadata or None,
    )


def _kind(told: Any, name: str, where: str, otherwise: Kind | None) -> Kind:
    if isinstance(told, Kind):
        return told
    found = kind_named(str(told)) if told else otherwise or kind_of(name)
    if found is None:
        raise InvalidRequestError(f"{where}: kind: the name {name[:80]!r} does not tell it; give the field 'kind'.")
    return found


def write_manifests(objects: Iterable[CloudObject], directory: Any, *, lines: int) -> list[str]:
    """Write objects to manifests of so many lines, as `read_manifest` takes them, so that several tasks share the work.

    Files of the same names that are there are replaced; so the same objects give the same files.

    :param directory: A path object; made if it is not there.
    :return: The places of the manifests.
    """
    if lines < 1:
        raise InvalidRequestError(f"lines: {lines} is not a number of at least 1.")
    written: list[str] = []
    for number, some in enumerate(_batches(objects, lines)):
        path = directory / f"objects-{number:05d}.jsonl"
        with storage_errors("directory", path):
            if is_local(path):
                directory.mkdir(parents=True, exist_ok=True)
            write_whole(path, (msgspec.json.encode(_told(one)) + b"\n" for one in some))
        written.append(str(path))
    return written


def _batches(objects: Iterable[CloudObject], size: int) -> Iterator[list[CloudObject]]:
    """Batches of objects; a group stays in one."""
    batch: list[CloudObject] = []
    for one in objects:
        inside_group = bool(batch) and one.group is not None and one.group == batch[-1].group
        if len(batch) >= size and not inside_group:
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


def _told(one: CloudObject) -> dict[str, Any]:
    fields = {"url": one.url, "kind": kind_name(one.kind), "title": one.title, "group": one.group}
    told = {name: value for name, value in fields.items() if value is not None}
    return {**told, "client_metadata": dict(one.client_metadata)} if one.client_metadata else told
