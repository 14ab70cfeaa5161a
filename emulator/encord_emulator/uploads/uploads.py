"""Getting data into a dataset: upload URLs in both families, and the job that registers what was uploaded.

Starting a job is in camelCase, polling it in snake_case: so it is at Encord. How the job runs is the business of
:mod:`.upload_jobs`, which folders share.
"""

from __future__ import annotations

from typing import Any, Literal

from ..people import organisation
from ..requests import listing
from ..requests.exchange import Exchange
from ..storage import folders
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import Strict, StrictCamel
from . import entries as upload_entries
from . import jobs as upload_jobs
from .registration import UnitError, register_named


class PresignedQuery(StrictCamel, frozen=True):
    count: int
    upload_item_type: Literal["image", "video", "audio", "dicomFile", "scene"]


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
    places = exchange.emulation.objects.upload_places(exchange.base_url, query.upload_item_type, query.count)
    return listing.whole(places)


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
    entries = upload_entries.read(request.data_items, request.files, "files")
    if request.files is not None and request.integration_id is None:
        raise RefusalError(Reason.INVALID, "integrationId: needed with files")
    organisation.require_integration(exchange.store, request.integration_id, "integrationId")
    job = upload_jobs.begin(
        exchange.emulation.jobs,
        entries.units,
        creator=exchange.caller.email,
        folder=_folder(exchange, request.folder_uuid),
        dataset=exchange.resource,
        integration=request.integration_id,
        file_name=request.file_name,
        ignore_errors=request.ignore_errors,
        skip_duplicates=entries.skip_duplicates,
        upsert_metadata=entries.upsert_metadata,
    )
    return {"process_hash": job}


async def poll(exchange: Exchange) -> dict[str, Any]:
    """How a job stands, as soon as it is over or the time is up."""
    request: PollRequest = exchange.payload
    sql = "SELECT * FROM jobs WHERE uuid = ? AND dataset = ?"
    if exchange.store.one(sql, request.process_hash, exchange.resource) is None:
        raise RefusalError(Reason.NOT_FOUND, f"there is no job {request.process_hash} of this dataset")
    await exchange.emulation.jobs.wait(request.process_hash, request.timeout_seconds)
    job = exchange.store.one(sql, request.process_hash, exchange.resource)
    assert job is not None  # noqa: S101 - jobs are never deleted
    return upload_jobs.view_v1(exchange.store, job)


def register_image(exchange: Exchange) -> dict[str, Any]:
    signed: SignedUrl = exchange.payload
    _register_now(exchange, "images", signed, signed.title)
    return {"success": True}


def register_video(exchange: Exchange) -> dict[str, Any]:
    signed: SignedUrl = exchange.payload
    title = signed.video_title or signed.title
    _register_now(exchange, "videos", signed, title)
    return {"data_hash": signed.data_hash, "title": title, "file_link": signed.file_link}


def _register_now(exchange: Exchange, kind: str, signed: SignedUrl, title: str) -> None:
    store = exchange.store
    if store.one("SELECT 1 FROM data_rows WHERE data_hash = ?", signed.data_hash) is not None:
        raise RefusalError(Reason.EXISTS, f"data unit {signed.data_hash} exists already")
    folder = store.value("SELECT backing_folder FROM datasets WHERE uuid = ?", exchange.resource)
    if folder is None:
        # Datasets of 2022 knew no folders: the files of one that mirrors none lie in an implicit folder.
        folder = folders.synthetic(exchange, exchange.resource)
    try:
        register_named(
            *(store, exchange.emulation.objects, exchange.clock, exchange.resource, folder, exchange.caller.email),
            *(kind, signed.data_hash, signed.file_link, title),
        )
    except UnitError as problem:
        raise RefusalError(Reason.INVALID, str(problem)) from None


def _folder(exchange: Exchange, folder: str | None) -> str:
    """Where the files go. A mirror dataset has a folder of its own; any other needs to name one."""
    if folder is not None:
        folders.require(exchange, folder, "admin")
        return folder
    backing: str | None = exchange.store.value("SELECT backing_folder FROM datasets WHERE uuid = ?", exchange.resource)
    if backing is None:
        raise RefusalError(Reason.INVALID, "folderUuid: needed, because this dataset has no backing folder")
    return backing
