"""Storage folders: made, read, listed, edited, moved, deleted.

What one may do in a folder one may do in those in it. Client metadata arrives as JSON text when a folder is made and as
an object when it is edited, and is read as text. Which folders may be deleted is [inferred]: empty ones that mirror no
dataset.
"""

from __future__ import annotations

import json
import uuid as uuids
from typing import Any, Literal

from ..people import organisation
from ..requests import access, listing
from ..requests.exchange import Exchange
from ..requests.filters import Conditions
from ..state.store import Row, Store
from ..wire import times
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import is_uuid, new_uuid
from ..wire.shapes import StrictCamel

MOST_AT_ONCE = 1000
_ADMIN = 0
_ORDER = {"name": "name", "createdAt": "created_at"}
_INSERT = "INSERT INTO folders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_BELOW = """
WITH RECURSIVE below (uuid) AS (
  SELECT uuid FROM folders WHERE uuid = ?
  UNION SELECT folders.uuid FROM folders JOIN below ON folders.parent = below.uuid)
SELECT uuid FROM below
"""
_COUNTED = {
    "videos": "video",
    "images": "image",
    "imageGroups": "imageGroup",
    "imageSequences": "imageSequence",
    "dicomFiles": "dicomFile",
    "dicomSeries": "dicomSeries",
    "niftis": "nifti",
    "audios": "audio",
    "pdfs": "pdf",
    "plainTexts": "plainText",
}


class SyncParameters(StrictCamel, frozen=True):
    integration_uuid: str
    remote_url: str


class FolderBody(StrictCamel, frozen=True):
    name: str
    description: str | None = None
    parent: str | None = None
    client_metadata: str | None = None
    cloud_synced_folder_params: SyncParameters | None = None


class FolderPatch(StrictCamel, frozen=True):
    name: str | None = None
    description: str | None = None
    client_metadata: dict[str, Any] | None = None


class FolderPatches(StrictCamel, frozen=True):
    folder_patches: dict[str, FolderPatch]


class MoveBody(StrictCamel, frozen=True):
    folder_uuids: list[str]
    new_parent_uuid: str | None = None


class FolderQuery(StrictCamel, frozen=True):
    search: str | None = None
    is_recursive: bool = False
    dataset_synced: bool | None = None
    include_org_access: bool | None = None
    organisation_tag_names_allof: list[str] | None = None
    order: Literal["name", "createdAt"] = "name"
    desc: bool = False
    page_size: int = 100
    page_token: str | None = None


def create(exchange: Exchange) -> dict[str, Any]:
    """Make a folder of the caller's."""
    body: FolderBody = exchange.body
    if not body.name.strip():
        raise RefusalError(Reason.INVALID, "name: must not be empty")
    if body.parent is not None:
        require(exchange, body.parent, "admin")
    synced = body.cloud_synced_folder_params
    if synced is not None:
        organisation.require_integration(exchange.store, synced.integration_uuid, "integrationUuid")
    uuid, now = new_uuid(), exchange.clock.stamp()
    exchange.store.run(
        _INSERT,
        *(uuid, body.parent, body.name, body.description or "", _metadata(body.client_metadata), exchange.caller.email),
        *("generic" if synced is None else "cloudLinked", synced and synced.integration_uuid),
        *(synced and synced.remote_url, None, now, now),
    )
    return view(exchange, uuid)


def insert_mirror(store: Store, uuid: str, dataset: str, title: str, description: str, owner: str, now: str) -> None:
    """Make the folder that a new dataset is kept in step with."""
    store.run(_INSERT, uuid, None, title, description, None, owner, "generic", None, None, dataset, now, now)


def synthetic(exchange: Exchange, dataset: str) -> str:
    """The implicit folder of a dataset that mirrors none; created when it is first needed."""
    uuid, now = str(uuids.uuid5(uuids.UUID(dataset), "folder")), exchange.clock.stamp()
    if exchange.store.one("SELECT 1 FROM folders WHERE uuid = ?", uuid) is None:
        title = exchange.store.value("SELECT title FROM datasets WHERE uuid = ?", dataset)
        owner = exchange.caller.email
        exchange.store.run(_INSERT, uuid, None, title, "", None, owner, "synthetic", None, None, None, now, now)
    return uuid


def require(exchange: Exchange, folder: str, role: Literal["user", "admin"]) -> None:
    """Let in who has this role in a folder.

    :raises RefusalError: It does not exist, or the caller has no access, or not enough of it.
    """
    if access.role_in(exchange, "folder", folder) != _ADMIN and role == "admin":
        raise RefusalError(Reason.NOT_YOURS, f"only an administrator of folder {folder} may do this")


def get(exchange: Exchange) -> dict[str, Any]:
    return view(exchange, exchange.path["folder"])


def list_root(exchange: Exchange) -> dict[str, Any]:
    """Folders at the root, or with ``isRecursive`` all."""
    query: FolderQuery = exchange.query
    return _page(exchange, query, "1" if query.is_recursive else "parent IS NULL")


def search(exchange: Exchange) -> dict[str, Any]:
    """Folders anywhere."""
    return _page(exchange, exchange.query, "1")


def list_below(exchange: Exchange) -> dict[str, Any]:
    """Folders in a folder, or with ``isRecursive`` at any depth."""
    query: FolderQuery = exchange.query
    folder = exchange.path["folder"]
    if query.is_recursive:
        inside = json.dumps([folder_id for folder_id in below(exchange.store, folder) if folder_id != folder])
        return _page(exchange, query, "uuid IN (SELECT value FROM json_each(?))", inside)
    return _page(exchange, query, "parent = ?", folder)


def edit(exchange: Exchange) -> dict[str, Any]:
    folder = exchange.path["folder"]
    require(exchange, folder, "admin")
    _patch(exchange, folder, exchange.body)
    return view(exchange, folder)


def edit_many(exchange: Exchange) -> dict[str, Any]:
    """Change many folders, or none."""
    body: FolderPatches = exchange.body
    check_number(len(body.folder_patches), "folderPatches")
    for folder, patch in body.folder_patches.items():
        require(exchange, folder, "admin")
        _patch(exchange, folder, patch)
    return listing.whole([view(exchange, folder) for folder in body.folder_patches])


def move(exchange: Exchange) -> None:
    """Put folders into another, or at the root; not into themselves."""
    body: MoveBody = exchange.body
    check_number(len(body.folder_uuids), "folderUuids")
    if body.new_parent_uuid is not None:
        require(exchange, body.new_parent_uuid, "admin")
    for folder in body.folder_uuids:
        require(exchange, folder, "admin")
        if body.new_parent_uuid in below(exchange.store, folder):
            raise RefusalError(Reason.INVALID, f"newParentUuid: folder {folder} cannot be put into itself")
        exchange.store.run("UPDATE folders SET parent = ? WHERE uuid = ?", body.new_parent_uuid, folder)


def delete(exchange: Exchange) -> None:
    folder, store = exchange.path["folder"], exchange.store
    require(exchange, folder, "admin")
    if store.value("SELECT synced_dataset FROM folders WHERE uuid = ?", folder) is not None:
        raise RefusalError(Reason.INVALID, "this folder mirrors a dataset")
    for table, column in (("folders", "parent"), ("items", "folder")):
        if store.one(f"SELECT 1 FROM {table} WHERE {column} = ?", folder) is not None:  # noqa: S608 - constants
            raise RefusalError(Reason.INVALID, "this folder is not empty")
    store.run("DELETE FROM folders WHERE uuid = ?", folder)
    store.run("DELETE FROM folder_configs WHERE folder = ?", folder)
    for table in ("members", "resource_groups"):
        store.run(f"DELETE FROM {table} WHERE kind = 'folder' AND resource = ?", folder)  # noqa: S608 - constants


def summary(exchange: Exchange) -> dict[str, Any]:
    """How much of what the folder itself holds."""
    store, folder = exchange.store, exchange.path["folder"]
    rows = store.all(
        "SELECT item_type, count(*), coalesce(sum(file_size), 0) FROM items WHERE folder = ? GROUP BY 1", folder
    )
    number = {row[0]: row[1] for row in rows}
    return {
        "files": sum(number.values()),
        "folders": store.value("SELECT count(*) FROM folders WHERE parent = ?", folder),
        **{name: number.get(item_type, 0) for name, item_type in _COUNTED.items()},
        "tombstones": store.value("SELECT count(*) FROM items WHERE folder = ? AND is_tombstone", folder),
        "uploadJobs": store.value("SELECT count(*) FROM jobs WHERE folder = ?", folder),
        "totalSize": float(sum(row[2] for row in rows)),
    }


def below(store: Store, folder: str) -> list[str]:
    """A folder and all that are in it, at any depth."""
    return store.column(_BELOW, folder)


def check_number(count: int, field: str) -> None:
    """:raises RefusalError: So many are too many for one request."""
    if count > MOST_AT_ONCE:
        raise RefusalError(Reason.TOO_MANY_LABELS, f"{field}: at most {MOST_AT_ONCE} at once")


def page_size(exchange: Exchange, wanted: int) -> int:
    """:raises RefusalError: No page may have this size."""
    if not 1 <= wanted <= MOST_AT_ONCE:
        raise RefusalError(Reason.MALFORMED, f"pageSize: must be from 1 to {MOST_AT_ONCE}")
    return min(wanted, exchange.emulation.limits.page_size)


def view(exchange: Exchange, folder: str) -> dict[str, Any]:
    """A folder as it is answered."""
    row = exchange.store.one("SELECT * FROM folders WHERE uuid = ?", folder)
    assert row is not None  # noqa: S101 - callers made sure
    role = access.role_in(exchange, "folder", folder)
    return {
        "uuid": folder,
        "parent": row["parent"],
        "name": row["name"],
        "description": row["description"],
        "clientMetadata": row["client_metadata"],
        "owner": row["owner"],
        "createdAt": times.v2(row["created_at"]),
        "lastEditedAt": times.v2(row["last_edited_at"]),
        "userRole": "admin" if role == _ADMIN else "user",
        "syncedDatasetHash": row["synced_dataset"],
        "pathToRoot": _path_to_root(exchange.store, row),
        "folderType": row["folder_type"],
        "integrationHash": row["integration"],
        "remoteUrl": row["remote_url"],
    }


def _path_to_root(store: Store, row: Row | None) -> list[dict[str, Any]]:
    path = []
    while row is not None:
        path.append(
            {
                "uuid": row["uuid"],
                "parentUuid": row["parent"],
                "name": row["name"],
                "syncedDatasetHash": row["synced_dataset"],
            }
        )
        row = store.one("SELECT * FROM folders WHERE uuid = ?", row["parent"]) if row["parent"] else None
    return path


def _page(exchange: Exchange, query: FolderQuery, place: str, *values: Any) -> dict[str, Any]:
    conditions = Conditions()
    conditions.add(place, *values)
    if query.search is not None:
        conditions.add("instr(lower(name), lower(?)) > 0", query.search)
    if query.dataset_synced is not None:
        conditions.add(f"synced_dataset IS {'NOT ' if query.dataset_synced else ''}NULL")
    if query.organisation_tag_names_allof:
        conditions.add("0")  # nothing that the emulator serves gives a folder a tag
    direction = "DESC" if query.desc else "ASC"
    found = exchange.store.column(
        f"SELECT uuid FROM folders WHERE {conditions.sql}"  # noqa: S608 - see Conditions
        f" ORDER BY {_ORDER[query.order]} {direction}, uuid",
        *conditions.values,
    )
    start, size = listing.page_start(query.page_token), page_size(exchange, query.page_size)
    mine = [folder for folder in found if access.has_role(exchange, "folder", folder)][start : start + size + 1]
    return listing.page([view(exchange, folder) for folder in mine], start, size)


def _patch(exchange: Exchange, folder: str, patch: FolderPatch) -> None:
    fields = {
        "name": patch.name,
        "description": patch.description,
        "client_metadata": None if patch.client_metadata is None else json.dumps(patch.client_metadata),
    }
    for column, value in fields.items():
        if value is not None:
            sql = f"UPDATE folders SET {column} = ?, last_edited_at = ? WHERE uuid = ?"  # noqa: S608 - our own names
            exchange.store.run(sql, value, exchange.clock.stamp(), folder)


def _metadata(text: str | None) -> str | None:
    """Client metadata that arrived as text.

    :raises RefusalError: It is not a JSON object.
    """
    if text is None:
        return None
    try:
        read = json.loads(text)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise RefusalError(Reason.INVALID, "clientMetadata: must be the JSON text of an object")
    return text


def require_uuid(text: str, field: str) -> str:
    """:raises RefusalError: It is not a UUID."""
    if not is_uuid(text):
        raise RefusalError(Reason.MALFORMED, f"{field}: this is not a UUID")
    return text
