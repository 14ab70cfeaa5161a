"""Data rows: the data units of a dataset as the dataset shows them. Every key is always there; types are upper case."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from ..requests.exchange import Exchange
from ..requests.filters import Conditions
from ..state.store import Row
from ..wire import times
from ..wire.errors import Reason, RefusalError
from ..wire.shapes import Strict


class AccessSettings(Strict, frozen=True):
    fetch_client_metadata: bool = False
    fetch_rows: bool = True


class DataRowsQuestion(Strict, frozen=True):
    title_eq: str | None = None
    title_like: str | None = None
    created_before: str | None = None
    created_after: str | None = None
    data_types: list[str] | None = None
    data_hashes: list[str] | None = None
    dataset_access_settings: AccessSettings | None = None


class ImagesFetchOptions(Strict, frozen=True):
    fetch_signed_urls: bool = False


class AdditionalData(Strict, frozen=True):
    signed_url: bool = False
    images_data_fetch_options: ImagesFetchOptions | None = None
    client_metadata: bool = False


class DataRowQuestion(Strict, frozen=True):
    additional_data: AdditionalData = AdditionalData()


class DataUid(Strict, frozen=True):
    data_hash: str
    get_signed_url: bool = False


def of_dataset(exchange: Exchange, settings: AccessSettings, conditions: Conditions | None = None) -> list[Any]:
    """The rows of the dataset that the request is about, in the order in which the data came."""
    conditions = conditions or Conditions()
    conditions.add("dataset = ?", exchange.resource)
    sql = f"SELECT * FROM data_units WHERE {conditions.sql} ORDER BY position"  # noqa: S608 - see Conditions
    rows = exchange.store.all(sql, *conditions.values)
    return [shown(row, metadata=settings.fetch_client_metadata) for row in rows]


def list_rows(exchange: Exchange) -> list[Any]:
    question: DataRowsQuestion = exchange.payload
    conditions = Conditions()
    conditions.equal("title", question.title_eq)
    conditions.like("title", question.title_like)
    conditions.before("created_at", question.created_before, "created_before")
    conditions.after("created_at", question.created_after, "created_after")
    conditions.among("upper(data_type)", question.data_types)
    conditions.among("data_hash", question.data_hashes)
    return of_dataset(exchange, question.dataset_access_settings or AccessSettings(), conditions)


def get(exchange: Exchange) -> dict[str, Any]:
    question: DataRowQuestion | None = exchange.payload
    more = (question or DataRowQuestion()).additional_data
    row = row_of(exchange, exchange.uid)
    view = shown(row, metadata=more.client_metadata)
    if more.signed_url:
        view["signed_url"] = link(exchange, row["file_link"])
    options = more.images_data_fetch_options
    if options is not None and row["images"] is not None:
        view["images_data"] = [
            {**image, "signed_url": link(exchange, image["file_link"]) if options.fetch_signed_urls else None}
            for image in json.loads(row["images"])
        ]
    return view


def row_of(exchange: Exchange, data_hash: str) -> Row:
    """The data unit of the dataset that the request is about."""
    sql = "SELECT * FROM data_units WHERE data_hash = ? AND dataset = ?"
    row = exchange.store.one(sql, data_hash, exchange.resource)
    if row is None:
        raise RefusalError(Reason.NOT_FOUND, f"there is no data unit {data_hash} in this dataset")
    return row


def get_links(exchange: Exchange) -> dict[str, Any]:
    """Where the bytes of a data unit of a project are: a video, or images (one, or those of a group)."""
    uid: DataUid = exchange.uid
    row = exchange.store.one(
        "SELECT data_units.* FROM tasks JOIN data_units USING (data_hash) WHERE project = ? AND data_hash = ?",
        exchange.resource,
        uid.data_hash,
    )
    if row is None:
        raise RefusalError(Reason.NOT_FOUND, f"there is no data unit {uid.data_hash} in this project")

    def place(file_link: str | None) -> str | None:
        return link(exchange, file_link) if uid.get_signed_url else file_link

    answer: dict[str, Any] = {"data_hash": row["data_hash"], "video": None, "images": None}
    head = {"data_hash": row["data_hash"], "title": row["title"], "file_link": place(row["file_link"])}
    if row["data_type"] == "img_group":
        answer["images"] = [
            {
                "data_hash": row["data_hash"],
                "image_hash": image["image_hash"],
                "title": image["title"],
                "file_link": place(image["file_link"]),
            }
            for image in json.loads(row["images"])
        ]
    elif row["data_type"] == "image":
        answer["images"] = [{**head, "image_hash": row["data_hash"]}]
    else:
        answer["video"] = {**head, "backing_item_uuid": row["item_uuid"]}
    return answer


def link(exchange: Exchange, file_link: str | None) -> str | None:
    """A URL from which anyone can get the bytes behind a file link for an hour."""
    if file_link is None:
        return None
    return exchange.emulation.objects.signed_url(exchange.base_url, file_link, "GET")


def shown(row: Row, *, metadata: bool) -> dict[str, Any]:
    return {
        "data_hash": row["data_hash"],
        "data_title": row["title"],
        "data_type": row["data_type"].upper(),
        "created_at": times.v1_project(row["created_at"]),
        "last_edited_at": times.v1_project(row["last_edited_at"]),
        "width": row["width"],
        "height": row["height"],
        "file_link": row["file_link"],
        "file_size": row["file_size"],
        "file_type": row["file_type"],
        "storage_location": row["storage_location"],
        "frames_per_second": row["fps"],
        "duration": row["duration"],
        "client_metadata": raw(row["client_metadata"]) if metadata else None,
        "signed_url": None,
        "is_optimised_image_group": False if row["images"] is not None else None,
        "backing_item_uuid": row["item_uuid"],
        "images_data": None,
    }


def raw(text: str | None) -> msgspec.Raw | None:
    """Stored JSON text, to go out as it is."""
    return None if text is None else msgspec.Raw(text.encode())
