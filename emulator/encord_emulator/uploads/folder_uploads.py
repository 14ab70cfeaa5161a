"""Getting data into a folder: upload URLs that come with the item's id, and the job that makes the items."""

from __future__ import annotations

from typing import Any

from ..people import organisation
from ..requests import listing
from ..requests.exchange import Exchange
from ..state.store import Row
from ..storage import folders
from ..wire.errors import Reason, RefusalError
from ..wire.shapes import StrictCamel
from . import entries as upload_entries
from . import jobs as upload_jobs

MOST_URLS = 1000
ITEM_TYPES = (
    *("video", "image", "imageGroup", "imageSequence", "dicomFile", "dicomSeries", "audio", "timeseries", "nifti"),
    *("plainText", "pdf", "scene"),
)


class UrlsBody(StrictCamel, frozen=True):
    item_type: str
    count: int
    frames_subfolder_name: str | None = None


class StartBody(StrictCamel, frozen=True):
    data_items: dict[str, Any] | None = None
    external_files: dict[str, Any] | None = None
    integration_hash: str | None = None
    ignore_errors: bool = False
    file_name: str | None = None


class PollQuery(StrictCamel, frozen=True):
    timeout_seconds: int = 0


def signed_urls(exchange: Exchange) -> dict[str, Any]:
    body: UrlsBody = exchange.body
    folders.require(exchange, exchange.path["folder"], "admin")
    if not 1 <= body.count <= MOST_URLS:
        raise RefusalError(Reason.MALFORMED, f"count: must be 1 to {MOST_URLS}")
    if body.item_type not in ITEM_TYPES:
        raise RefusalError(Reason.MALFORMED, f"itemType: must be one of {', '.join(ITEM_TYPES)}")
    return listing.whole(exchange.emulation.objects.upload_places(exchange.base_url, body.item_type, body.count))


def start(exchange: Exchange) -> str:
    """Note a job and let it run; its id."""
    body: StartBody = exchange.body
    folder = exchange.path["folder"]
    folders.require(exchange, folder, "admin")
    entries = upload_entries.read(body.data_items, body.external_files, "externalFiles")
    if body.external_files is not None and body.integration_hash is None:
        raise RefusalError(Reason.INVALID, "integrationHash: needed with externalFiles")
    organisation.require_integration(exchange.store, body.integration_hash, "integrationHash")
    return upload_jobs.begin(
        exchange.emulation.jobs,
        entries.units,
        creator=exchange.caller.email,
        folder=folder,
        integration=body.integration_hash,
        file_name=body.file_name,
        ignore_errors=body.ignore_errors,
        skip_duplicates=entries.skip_duplicates,
        upsert_metadata=entries.upsert_metadata,
    )


async def poll(exchange: Exchange) -> dict[str, Any]:
    """How a job stands, as soon as it is over or the time is up."""
    query: PollQuery = exchange.query
    job = _job(exchange)
    await exchange.emulation.jobs.wait(job["uuid"], query.timeout_seconds)
    return upload_jobs.view_v2(exchange.store, _job(exchange))


def cancel(exchange: Exchange) -> dict[str, int]:
    """Stop a job."""
    folders.require(exchange, exchange.path["folder"], "admin")
    return {"unitsCancelledCount": upload_jobs.cancel(exchange.emulation.jobs, _job(exchange)["uuid"])}


def _job(exchange: Exchange) -> Row:
    sql = "SELECT * FROM jobs WHERE uuid = ? AND folder = ?"
    row = exchange.store.one(sql, exchange.path["job"], exchange.path["folder"])
    if row is None:
        raise RefusalError(Reason.NOT_FOUND, f"there is no job {exchange.path['job']} of this folder")
    return row
