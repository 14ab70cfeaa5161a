"""What belongs to the organisation: tags, and cloud integrations (made by a control: a folder stands for a bucket)."""

from __future__ import annotations

import pathlib
from typing import Any

from . import listing
from .exchange import Exchange
from .filters import Conditions
from .identifiers import new_uuid
from .shapes import StrictCamel
from .store import Row, Store


class IntegrationQuery(StrictCamel, frozen=True):
    filter_integration_uuids: list[str] | None = None
    filter_integration_titles: list[str] | None = None
    include_org_access: bool = False


def tags(exchange: Exchange) -> dict[str, Any]:
    """The tags of the organisation."""
    rows = exchange.store.all("SELECT uuid, name FROM organisation_tags ORDER BY name")
    return listing.whole([{"uuid": row["uuid"], "name": row["name"]} for row in rows])


def integrations(exchange: Exchange) -> dict[str, Any]:
    """The integrations, v2: in ``result``, not ``results``, and never paged."""
    query: IntegrationQuery = exchange.query
    rows = _integrations(exchange.store, query.filter_integration_uuids, query.filter_integration_titles)
    return {"result": [{"integrationUuid": row["uuid"], "title": row["title"]} for row in rows]}


def integrations_v1(exchange: Exchange) -> list[dict[str, str]]:
    """The integrations, v1."""
    return [{"id": row["uuid"], "title": row["title"]} for row in _integrations(exchange.store, None, None)]


def _integrations(store: Store, uuids: list[str] | None, titles: list[str] | None) -> list[Row]:
    conditions = Conditions()
    conditions.among("uuid", uuids)
    conditions.among("title", titles)
    sql = f"SELECT uuid, title FROM integrations WHERE {conditions.sql} ORDER BY title"  # noqa: S608 - see Conditions
    return store.all(sql, *conditions.values)


def map_bucket(store: Store, integration: str, url: str, directory: str) -> str:
    """Let a local folder stand for a bucket (or a prefix in it) of an integration; the integration's UUID."""
    store.run("INSERT OR IGNORE INTO integrations VALUES (?, ?)", new_uuid(), integration)
    uuid: str = store.value("SELECT uuid FROM integrations WHERE title = ?", integration)
    store.run("INSERT OR REPLACE INTO buckets VALUES (?, ?, ?)", uuid, url.rstrip("/"), directory)
    return uuid


def bucket_file(store: Store, integration: str, url: str) -> pathlib.Path | None:
    """The local file behind a cloud URL of an integration; ``None`` if no folder holds it (or it would leave it)."""
    rows = store.all("SELECT url, directory FROM buckets WHERE integration = ? ORDER BY length(url) DESC", integration)
    for row in rows:
        prefix = row["url"] + "/"
        if not url.startswith(prefix):
            continue
        folder = pathlib.Path(row["directory"]).resolve()
        path = (folder / url.removeprefix(prefix)).resolve()
        if path.is_relative_to(folder) and path.is_file():
            return path
    return None
