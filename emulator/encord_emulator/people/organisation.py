"""The organisation: its users, tags, and cloud integrations (made by a control: a folder stands for a bucket).

There is one. Everyone in it may look; its administrators change it. Who is taken out keeps his key and what he was
given by name, as an outsider may have it, and loses his rights in the organisation and what he had by its groups.
"""

from __future__ import annotations

import pathlib
import uuid
from typing import Any, Literal

from ..requests import access, listing
from ..requests.exchange import Exchange
from ..requests.filters import Conditions
from ..state.store import Row, Store
from ..wire import times
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import StrictCamel
from . import members, people


class IntegrationQuery(StrictCamel, frozen=True):
    filter_integration_uuids: list[str] | None = None
    filter_integration_titles: list[str] | None = None
    include_org_access: bool = False


class UserBody(StrictCamel, frozen=True):
    email: str
    role_mnemonic_name: Literal["ADMIN", "MEMBER", "TASKER", "WORKFORCE_MANAGER"]
    member_type: Literal["internal", "external"]


class TagBody(StrictCamel, frozen=True):
    name: str
    description: str | None = None


def users(exchange: Exchange) -> dict[str, Any]:
    rows = exchange.store.all("SELECT * FROM organisation_users JOIN users USING (email) ORDER BY email")
    return listing.whole(
        [
            {
                "email": row["email"],
                "roleMnemonicName": row["role"],
                "roleUuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"organisation-role:{row['role']}")),
                "memberType": row["member_type"],
                "createdAt": times.v2(row["created_at"]),
                "lastEditedAt": times.v2(row["last_edited_at"]),
            }
            for row in rows
        ]
    )


def add_user(exchange: Exchange) -> None:
    body: UserBody = exchange.body
    access.require_organisation_admin(exchange)
    members.check_emails([body.email], "email")
    store, now = exchange.store, exchange.clock.stamp()
    if store.one("SELECT 1 FROM organisation_users WHERE email = ?", body.email) is not None:
        raise RefusalError(Reason.EXISTS, f"email: {body.email} is in the organisation already")
    store.run("INSERT INTO organisation_users VALUES (?, ?, ?, ?)", body.email, body.member_type, now, now)
    people.ensure_user(store, exchange.clock, body.email, body.role_mnemonic_name)


def remove_user(exchange: Exchange) -> None:
    email, store = exchange.path["email"], exchange.store
    access.require_organisation_admin(exchange)
    if not store.run("DELETE FROM organisation_users WHERE email = ?", email):
        raise RefusalError(Reason.NOT_FOUND, f"{email} is not in the organisation")
    store.run("DELETE FROM group_users WHERE email = ?", email)
    store.run("UPDATE users SET role = 'MEMBER' WHERE email = ?", email)
    if store.one("SELECT 1 FROM users WHERE role = 'ADMIN'") is None:
        raise RefusalError(Reason.INVALID, "email: the organisation would have no administrator left")


def create_tag(exchange: Exchange) -> dict[str, Any]:
    """A tag; no answer contains its description."""
    body: TagBody = exchange.body
    access.require_organisation_admin(exchange)
    if not body.name.strip():
        raise RefusalError(Reason.INVALID, "name: must not be empty")
    if exchange.store.one("SELECT 1 FROM organisation_tags WHERE name = ?", body.name) is not None:
        raise RefusalError(Reason.EXISTS, f"name: there is a tag {body.name!r} already")
    tag = new_uuid()
    exchange.store.run("INSERT INTO organisation_tags VALUES (?, ?)", tag, body.name)
    return {"uuid": tag, "name": body.name}


def delete_tag(exchange: Exchange) -> None:
    """The tag goes, also from every project that has it."""
    access.require_organisation_admin(exchange)
    tag = exchange.path["tag"]
    if not exchange.store.run("DELETE FROM organisation_tags WHERE uuid = ?", tag):
        raise RefusalError(Reason.NOT_FOUND, f"the organisation has no tag {tag}")
    exchange.store.run("DELETE FROM project_tags WHERE tag = ?", tag)


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


def require_integration(store: Store, integration: str | None, field: str) -> None:
    """:raises RefusalError: An integration is named that is not there."""
    if integration is not None and store.one("SELECT 1 FROM integrations WHERE uuid = ?", integration) is None:
        raise RefusalError(Reason.NOT_FOUND, f"{field}: there is no integration {integration}")


def bucket_files(store: Store, integration: str, url: str) -> list[str]:
    """The cloud URLs below a place in a bucket, in order."""
    prefix, found = url.rstrip("/") + "/", []
    for row in store.all("SELECT url, directory FROM buckets WHERE integration = ?", integration):
        folder = pathlib.Path(row["directory"]).resolve()
        files = (path for path in folder.rglob("*") if path.is_file())
        found += [f"{row['url']}/{path.relative_to(folder).as_posix()}" for path in files]
    return sorted(match for match in set(found) if match.startswith(prefix))


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
