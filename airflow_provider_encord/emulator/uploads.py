"""Getting data into a dataset: upload URLs in both families, and the job that registers what was uploaded.

Images, videos and image groups are served; other kinds can be put into the object store, but their registration is
refused by name. Starting a job is in camelCase, polling it in snake_case: so it is at Encord.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from . import jobs
from .exchange import Exchange
from .identifiers import new_uuid
from .refusals import Reason, RefusalError
from .registration import UnitError, register_named
from .shapes import Strict, StrictCamel, convert

MOST_SECONDS = 60
"""How long a poll is held at most."""
_SERVED = ("images", "videos", "imageGroups")
_SNAKE = {"images": "images", "videos": "videos", "image_groups": "imageGroups"}
_SWITCHES = {"skip_duplicate_urls", "upsert_metadata"}


class PresignedQuery(StrictCamel, frozen=True):
    count: int
    upload_item_type: Literal["image", "video", "audio", "dicomFile", "scene"]


class SingleEntry(StrictCamel, frozen=True):
    """An image or a video; what it says about its file is not believed where the file can be read."""

    object_url: str
    title: str | None = None
    client_metadata: dict[str, Any] | None = None
    placeholder_item_uuid: str | None = None
    image_metadata: dict[str, Any] | None = None
    video_metadata: dict[str, Any] | None = None
    external_file_type: Literal["IMAGE", "VIDEO"] | None = None


class GroupImage(StrictCamel, frozen=True):
    url: str
    title: str | None = None
    image_metadata: dict[str, Any] | None = None
    placeholder_item_uuid: str | None = None


class GroupEntry(StrictCamel, frozen=True):
    images: list[GroupImage]
    title: str | None = None
    client_metadata: dict[str, Any] | None = None
    create_video: bool = False
    cluster_by_resolution: bool = False
    external_file_type: Literal["IMG_GROUP"] | None = None


class DataItems(StrictCamel, frozen=True):
    images: list[SingleEntry] = msgspec.field(default_factory=list)
    videos: list[SingleEntry] = msgspec.field(default_factory=list)
    image_groups: list[GroupEntry] = msgspec.field(default_factory=list)
    image_groups_from_items: list[Any] = msgspec.field(default_factory=list)
    dicom_series: list[Any] = msgspec.field(default_factory=list)
    audio: list[Any] = msgspec.field(default_factory=list)
    time_series: list[Any] = msgspec.field(default_factory=list)
    nifti: list[Any] = msgspec.field(default_factory=list)
    text: list[Any] = msgspec.field(default_factory=list)
    pdf: list[Any] = msgspec.field(default_factory=list)
    scenes: list[Any] = msgspec.field(default_factory=list)
    skip_duplicate_urls: bool = False
    upsert_metadata: bool = False


class StartRequest(StrictCamel, frozen=True):
    data_items: dict[str, Any] | None = None
    files: dict[str, Any] | None = None
    integration_id: str | None = None
    ignore_errors: bool = False
    folder_uuid: str | None = None
    file_name: str | None = None


class PollRequest(Strict, frozen=True):
    process_hash: str
    timeout_seconds: int = 0


class SignedUrl(Strict, frozen=True):
    """What an upload URL came with, sent back to register the file (SDKs of 2022)."""

    signed_url: str
    data_hash: str
    title: str
    file_link: str
    video_title: str | None = None


def presigned_urls(exchange: Exchange) -> dict[str, Any]:
    query: PresignedQuery = exchange.query
    if not 1 <= query.count <= 1000:
        raise RefusalError(Reason.MALFORMED, "query: `count` must be 1 to 1000")
    results = []
    for _ in range(query.count):
        key = exchange.emulation.objects.new_key(query.upload_item_type)
        url = exchange.emulation.objects.signed_url(exchange.base_url, key, "PUT")
        results.append({"itemUuid": new_uuid(), "objectKey": key, "signedUrl": url, "uploadHeaders": {}})
    return {"results": results, "nextPageToken": None}


def signed_url_of_one(exchange: Exchange) -> dict[str, str]:
    return _signed_url(exchange, exchange.uid)


def signed_urls_of_many(exchange: Exchange) -> list[dict[str, str]]:
    return [_signed_url(exchange, name) for name in exchange.uid]


def _signed_url(exchange: Exchange, title: str) -> dict[str, str]:
    key = exchange.emulation.objects.new_key("upload")
    url = exchange.emulation.objects.signed_url(exchange.base_url, key, "PUT")
    return {"signed_url": url, "data_hash": new_uuid(), "title": title, "file_link": key}


def start(exchange: Exchange) -> dict[str, str]:
    """Note a job and let it run; its id."""
    request: StartRequest = exchange.payload
    if exchange.uid != exchange.resource:
        raise RefusalError(Reason.INVALID, "uid: must be the dataset that the request is about")
    if (request.data_items is None) == (request.files is None):
        raise RefusalError(Reason.INVALID, "give either dataItems or files")
    _require_folder(exchange, request.folder_uuid)
    if request.data_items is not None:
        skip, upsert, units = _from_items(request.data_items)
    else:
        skip, upsert, units = _from_manifest(request.files or {})
        _require_integration(exchange, request.integration_id)
    job, store = new_uuid(), exchange.store
    store.run(
        "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, 'PENDING', ?)",
        *(job, exchange.resource, exchange.caller.email, request.integration_id, request.ignore_errors),
        *(skip, upsert, exchange.clock.stamp()),
    )
    store.many(
        "INSERT INTO job_units VALUES (?, ?, ?, ?, 'PENDING', NULL, ?, NULL, NULL, NULL)",
        [(job, place, kind, json.dumps(entry), new_uuid()) for place, (kind, entry) in enumerate(units)],
    )
    exchange.emulation.jobs.start(job)
    return {"process_hash": job}


async def poll(exchange: Exchange) -> dict[str, Any]:
    """How a job stands, as soon as it is over or the time is up."""
    request: PollRequest = exchange.payload
    sql = "SELECT * FROM jobs WHERE uuid = ? AND dataset = ?"
    if exchange.store.one(sql, request.process_hash, exchange.resource) is None:
        raise RefusalError(Reason.NOT_FOUND, f"there is no job {request.process_hash} of this dataset")
    await exchange.emulation.jobs.wait(request.process_hash, min(request.timeout_seconds, MOST_SECONDS))
    job = exchange.store.one(sql, request.process_hash, exchange.resource)
    assert job is not None  # noqa: S101 - jobs are never deleted
    return jobs.view(exchange.store, job)


def register_image(exchange: Exchange) -> dict[str, Any]:
    signed: SignedUrl = exchange.payload
    _register_now(exchange, "image", signed, signed.title)
    return {"success": True}


def register_video(exchange: Exchange) -> dict[str, Any]:
    signed: SignedUrl = exchange.payload
    title = signed.video_title or signed.title
    _register_now(exchange, "video", signed, title)
    return {"data_hash": signed.data_hash, "title": title, "file_link": signed.file_link}


def _register_now(exchange: Exchange, kind: str, signed: SignedUrl, title: str) -> None:
    if exchange.store.one("SELECT 1 FROM data_units WHERE data_hash = ?", signed.data_hash) is not None:
        raise RefusalError(Reason.EXISTS, f"data unit {signed.data_hash} exists already")
    objects = exchange.emulation.objects
    try:
        register_named(
            exchange.store, objects, exchange.clock, exchange.resource, kind, signed.data_hash, signed.file_link, title
        )
    except UnitError as problem:
        raise RefusalError(Reason.INVALID, str(problem)) from None


def _require_folder(exchange: Exchange, folder: str | None) -> None:
    """A mirror dataset has a folder of its own; any other needs to be told where its files go."""
    store = exchange.store
    if folder is None:
        if store.value("SELECT backing_folder FROM datasets WHERE uuid = ?", exchange.resource) is None:
            raise RefusalError(Reason.INVALID, "folderUuid: needed, because this dataset has no backing folder")
        return
    owner = store.value("SELECT owner FROM folders WHERE uuid = ?", folder)
    if owner is None:
        raise RefusalError(Reason.NOT_FOUND, f"folderUuid: there is no folder {folder}")
    if owner != exchange.caller.email:
        raise RefusalError(Reason.NOT_YOURS, f"folderUuid: you have no access to folder {folder}")


def _require_integration(exchange: Exchange, integration: str | None) -> None:
    if integration is None:
        raise RefusalError(Reason.INVALID, "integrationId: needed with files")
    if exchange.store.one("SELECT 1 FROM integrations WHERE uuid = ?", integration) is None:
        raise RefusalError(Reason.NOT_FOUND, f"integrationId: there is no cloud integration {integration}")


_Unit = tuple[str, dict[str, Any]]


def _from_items(items: dict[str, Any]) -> tuple[bool, bool, list[_Unit]]:
    """The units of a strict, typed ``dataItems``."""
    read: DataItems = convert(DataItems, items, "payload.dataItems")
    for name in items:
        if isinstance(items[name], list) and items[name] and name not in _SERVED:
            raise _unserved(f"dataItems.{name}")
    units = [(kind, entry) for kind in _SERVED for entry in items.get(kind, [])]
    return read.skip_duplicate_urls, read.upsert_metadata, units


def _from_manifest(files: dict[str, Any]) -> tuple[bool, bool, list[_Unit]]:
    """The units of an open ``files``: lists in snake_case, entries in camelCase; unknown keys in entries are let be."""
    units: list[_Unit] = []
    for name, value in files.items():
        if name in _SWITCHES:
            continue
        if name in _SNAKE and not isinstance(value, list):
            raise RefusalError(Reason.INVALID, f"files.{name}: must be a list")
        if name not in _SNAKE:
            if isinstance(value, list) and value:
                raise _unserved(f"files.{name}")
            continue
        units += [(_SNAKE[name], _manifest_entry(name, entry)) for entry in value]
    skip, upsert = (files.get(name) is True for name in ("skip_duplicate_urls", "upsert_metadata"))
    return skip, upsert, units


def _manifest_entry(name: str, entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise RefusalError(Reason.INVALID, f"files.{name}: each entry must be an object")
    if name == "image_groups":
        return {**entry, "images": list(_numbered_urls(entry))}
    if not isinstance(entry.get("objectUrl"), str):
        raise RefusalError(Reason.INVALID, f"files.{name}: each entry needs objectUrl")
    return entry


def _numbered_urls(entry: dict[str, Any]) -> Iterator[dict[str, str]]:
    position = 0
    while isinstance(entry.get(f"objectUrl_{position}"), str):
        yield {"url": entry[f"objectUrl_{position}"]}
        position += 1


def _unserved(what: str) -> RefusalError:
    return RefusalError(
        Reason.INVALID, f"{what}: the emulator serves images, videos and image groups, no other kind yet"
    )
