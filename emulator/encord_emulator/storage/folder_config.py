"""The configuration of a folder that is synced with a bucket. It is kept whole, also its unknown parts.

Here it has no effect: a synchronisation takes a file with the suffix as any other file.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import msgspec

from ..requests.exchange import Exchange
from ..wire import shapes
from ..wire.errors import Reason, RefusalError
from ..wire.shapes import StrictCamel
from . import folders


class Matcher(StrictCamel, frozen=True):
    mode: Literal["suffix"]
    suffix: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class Ingestion(StrictCamel, frozen=True):
    matcher: Matcher
    paused: bool


def get(exchange: Exchange) -> dict[str, Any]:
    folder = _synced_folder(exchange)
    text = exchange.store.value("SELECT config FROM folder_configs WHERE folder = ?", folder)
    config: dict[str, Any] = {"metadataIngestion": None} if text is None else json.loads(text)
    return config


def save(exchange: Exchange) -> None:
    """Replace the whole configuration."""
    body: dict[str, Any] = exchange.body
    folder = _synced_folder(exchange)
    folders.require(exchange, folder, "admin")
    if body.get("metadataIngestion") is not None:
        shapes.convert(Ingestion, body["metadataIngestion"], "metadataIngestion")
    exchange.store.run("INSERT OR REPLACE INTO folder_configs VALUES (?, ?)", folder, json.dumps(body))


def _synced_folder(exchange: Exchange) -> str:
    folder = exchange.path["folder"]
    if exchange.store.value("SELECT remote_url FROM folders WHERE uuid = ?", folder) is None:
        raise RefusalError(Reason.INVALID, "this folder is not synced with a bucket, so it has no configuration")
    return folder
