"""Items whose files have moved in a bucket, or that another integration reads: their URLs change, and no bytes move.

With ``validateAccess`` the folder that stands for the bucket must hold the file.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..people import organisation
from ..requests.exchange import Exchange
from ..state.store import Row
from ..wire.errors import Reason, RefusalError
from ..wire.shapes import StrictCamel
from . import folders, items


class MigrationBody(StrictCamel, frozen=True):
    urls_map: dict[str, str | None]
    items_map: dict[str, str | None]
    from_integration_hash: str | None = None
    to_integration_hash: str | None = None
    validate_access: bool = True
    skip_missing: bool = False


def migrate(exchange: Exchange) -> None:
    """Change all items, or none; those of another integration than ``fromIntegrationHash`` are left alone."""
    body: MigrationBody = exchange.body
    folders.check_number(len(body.urls_map) + len(body.items_map), "urlsMap and itemsMap")
    for field, integration in (
        ("fromIntegrationHash", body.from_integration_hash),
        ("toIntegrationHash", body.to_integration_hash),
    ):
        organisation.require_integration(exchange.store, integration, field)
    for item, url in list(_named(exchange, body)):
        if body.from_integration_hash in (None, item["integration"]):
            _change(exchange, body, item, url)


def _named(exchange: Exchange, body: MigrationBody) -> Iterator[tuple[Row, str | None]]:
    """The items with their new URLs.

    :raises RefusalError: One is not there, and that is not to be skipped.
    """
    by_url = "SELECT * FROM items WHERE integration IS NOT NULL AND file_link = ?"
    for sql, named in (("SELECT * FROM items WHERE uuid = ?", body.items_map), (by_url, body.urls_map)):
        for name, url in named.items():
            found = exchange.store.all(sql, name)
            if not found and not body.skip_missing:
                raise RefusalError(Reason.NOT_FOUND, f"there is no item {name}")
            yield from ((item, url) for item in found)


def _change(exchange: Exchange, body: MigrationBody, item: Row, new_url: str | None) -> None:
    folders.require(exchange, item["folder"], "admin")
    if new_url is None and body.to_integration_hash is None:
        raise RefusalError(Reason.INVALID, "toIntegrationHash: needed where the URL stays")
    url, integration = new_url or item["file_link"], body.to_integration_hash or item["integration"]
    if url is None or integration is None:
        raise RefusalError(Reason.INVALID, f"item {item['uuid']} is not in a bucket")
    if body.validate_access and organisation.bucket_file(exchange.store, integration, url) is None:
        raise RefusalError(Reason.INVALID, f"the integration cannot read the new URL of item {item['uuid']}")
    exchange.store.run(
        "UPDATE items SET file_link = ?, integration = ?, storage_location = ?, last_edited_at = ? WHERE uuid = ?",
        *(url, integration, items.location_of(url, integration), exchange.clock.stamp(), item["uuid"]),
    )
