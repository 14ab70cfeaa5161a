"""Ontologies: their structure is the client's and is kept as it came; only the three lists are asked for.

Two families: v2 by path, v1 (up to SDK 0.1.152) by ``uid``, under the ontology's headers, a project's, or none.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..requests import access, listing
from ..requests.exchange import Exchange
from ..requests.filters import Listing, V1FilterPayload, matching
from ..state.store import Row
from ..wire import times
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import is_uuid, new_uuid
from ..wire.shapes import Strict, StrictCamel

EMPTY: dict[str, Any] = {"objects": [], "classifications": [], "skeleton_templates": []}


class OntologyBody(StrictCamel, frozen=True):
    title: str
    description: str
    editor: dict[str, Any]


class OntologyRequest(Strict, frozen=True):
    title: str
    editor: dict[str, Any]
    description: str | None = None


class WholeOntology(Strict, frozen=True):
    """What v1 sends to save: all that it reads."""

    ontology_hash: str
    title: str
    editor: dict[str, Any]
    description: str | None = None
    created_at: Any = None
    last_edited_at: Any = None


def get(exchange: Exchange) -> dict[str, Any]:
    uuid = exchange.path["ontology"]
    return _v2(_row(exchange, uuid), access.enter(exchange, "ontology", uuid, changes=False))


def list_all(exchange: Exchange) -> dict[str, Any]:
    query: Listing = exchange.query
    rows = listing.visible(exchange, "ontology", matching(query, "ontologies"), organisation=query.include_org_access)
    return listing.whole([_v2(row, row["role"]) for row in rows])


def create(exchange: Exchange) -> dict[str, Any]:
    body: OntologyBody = exchange.body
    return _v2(_row(exchange, insert(exchange, body.title, body.description, body.editor)), 0)


def update(exchange: Exchange) -> None:
    body: OntologyBody = exchange.body
    _save(exchange, exchange.path["ontology"], body.title, body.description, body.editor)


def get_v1(exchange: Exchange) -> dict[str, Any]:
    _require_read(exchange, exchange.uid)
    return _v1(_row(exchange, exchange.uid))


def list_v1(exchange: Exchange) -> list[dict[str, Any]]:
    """Exactly these keys: the SDKs that ask this way take no other."""
    request: V1FilterPayload = exchange.payload
    rows = listing.visible(exchange, "ontology", matching(request.filter, "ontologies"))
    return [{"user_role": row["role"], "user_email": exchange.caller.email, "ontology": _v1(row)} for row in rows]


def create_v1(exchange: Exchange) -> dict[str, Any]:
    request: OntologyRequest = exchange.payload
    return _v1(_row(exchange, insert(exchange, request.title, request.description or "", request.editor)))


def update_v1(exchange: Exchange) -> bool:
    request: WholeOntology = exchange.payload
    if request.ontology_hash != exchange.uid:
        raise RefusalError(Reason.INVALID, "ontology_hash: differs from the uid")
    _save(exchange, exchange.uid, request.title, request.description or "", request.editor)
    return True


def insert(exchange: Exchange, title: str, description: str, editor: dict[str, Any]) -> str:
    """A new ontology of the caller's; its UUID."""
    _check(editor)
    uuid, now = new_uuid(), exchange.clock.stamp()
    sql = "INSERT INTO ontologies VALUES (?, ?, ?, ?, ?, ?)"
    exchange.store.run(sql, uuid, title, description, _text(editor), now, now)
    exchange.store.run("INSERT INTO members VALUES ('ontology', ?, ?, 0)", uuid, exchange.caller.email)
    return uuid


def replace_structure(exchange: Exchange, uuid: str, editor: dict[str, Any]) -> None:
    """Another structure for an ontology that the caller may change by way of a project."""
    _check(editor)
    sql = "UPDATE ontologies SET editor = ?, last_edited_at = ? WHERE uuid = ?"
    exchange.store.run(sql, _text(editor), exchange.clock.stamp(), uuid)


def _save(exchange: Exchange, uuid: str, title: str, description: str, editor: dict[str, Any]) -> None:
    if access.role_in(exchange, "ontology", uuid) != 0:
        raise RefusalError(Reason.NOT_YOURS, f"only an administrator of ontology {uuid} may change it")
    sql = "UPDATE ontologies SET title = ?, description = ? WHERE uuid = ?"
    exchange.store.run(sql, title, description, uuid)
    replace_structure(exchange, uuid, editor)


def _require_read(exchange: Exchange, uuid: str) -> None:
    """A member of the ontology may read it, and so may members of a project that uses it."""
    if not is_uuid(uuid):
        raise RefusalError(Reason.MALFORMED, "uid: this is not a UUID")
    sql = "SELECT 1 FROM projects WHERE uuid = ? AND ontology = ?"
    if exchange.resource and exchange.store.one(sql, exchange.resource, uuid) is not None:
        return
    access.role_in(exchange, "ontology", uuid)


def _check(editor: dict[str, Any]) -> None:
    for name in ("objects", "classifications"):
        if not isinstance(editor.get(name), list):
            raise RefusalError(Reason.MALFORMED, f"editor: `{name}` must be a list")


def _row(exchange: Exchange, uuid: str) -> Row:
    row = exchange.store.one("SELECT * FROM ontologies WHERE uuid = ?", uuid)
    if row is None:
        raise RefusalError(Reason.NOT_FOUND, f"there is no ontology {uuid}")
    return row


def _text(editor: dict[str, Any]) -> str:
    return msgspec.json.encode(editor).decode()


def _v2(row: Row, role: int | None) -> dict[str, Any]:
    return {
        "ontologyUuid": row["uuid"],
        "title": row["title"],
        "description": row["description"],
        "editor": msgspec.Raw(row["editor"].encode()),
        "createdAt": times.v2(row["created_at"]),
        "lastEditedAt": times.v2(row["last_edited_at"]),
        "userRole": role,
    }


def _v1(row: Row) -> dict[str, Any]:
    return {
        "ontology_hash": row["uuid"],
        "title": row["title"],
        "description": row["description"],
        "editor": msgspec.Raw(row["editor"].encode()),
        "created_at": times.v1_project(row["created_at"]),
        "last_edited_at": times.v1_project(row["last_edited_at"]),
    }
