"""Storage items as the API shows them: read, listed, edited, moved, deleted. How they are kept is in :mod:`.items`.

An item is where its folder is: who has a role there sees it. Signed URLs are made for files, not for what consists of
several.
"""

from __future__ import annotations

import json
from typing import Any, Literal

import msgspec

from ..requests import access, listing
from ..requests.exchange import Exchange
from ..requests.filters import Conditions
from ..rows import data_rows
from ..state.objects import METADATA
from ..state.store import Row
from ..wire import times
from ..wire.errors import Reason, RefusalError
from ..wire.shapes import StrictCamel
from . import data_groups, folders, items, scenes

_ORDER = {"name": "name", "createdAt": "created_at"}
_OF_SEVERAL = ("imageGroup", "imageSequence", "dicomSeries", "group", "scene")


class ItemQuery(StrictCamel, frozen=True):
    search: str | None = None
    is_recursive: bool = False
    is_in_dataset: bool | None = None
    item_types: list[str] | None = None
    include_org_access: bool | None = None
    order: Literal["name", "createdAt"] = "name"
    desc: bool = False
    page_size: int = 100
    page_token: str | None = None
    sign_urls: bool = False
    include_client_metadata: bool = True
    client_metadata_as_signed_url: bool = False


class SignQuery(StrictCamel, frozen=True):
    sign_url: bool = False


class ChildrenQuery(StrictCamel, frozen=True):
    sign_urls: bool = False


class SummaryQuery(StrictCamel, frozen=True):
    include_group_layout: bool = False


class GetBody(StrictCamel, frozen=True):
    item_uuids: list[str]
    sign_urls: bool = False


class ItemPatch(StrictCamel, frozen=True):
    name: str | None = None
    description: str | None = None
    client_metadata: dict[str, Any] | None = None
    timeseries_settings: dict[str, Any] | msgspec.UnsetType | None = msgspec.UNSET
    scene_view_settings: dict[str, Any] | msgspec.UnsetType | None = msgspec.UNSET
    scene_layout: dict[str, Any] | msgspec.UnsetType | None = msgspec.UNSET


class ItemPatches(StrictCamel, frozen=True):
    item_patches: dict[str, ItemPatch]


class MoveBody(StrictCamel, frozen=True):
    item_uuids: list[str]
    new_parent_uuid: str
    allow_synced_dataset_move: bool = False


class DeleteBody(StrictCamel, frozen=True):
    child_uuids: list[str]
    remove_unused_frames: bool = True


def list_page(exchange: Exchange) -> dict[str, Any]:
    """Items of a folder, or with ``isRecursive`` of those in it, too."""
    query: ItemQuery = exchange.query
    folder = exchange.path["folder"]
    wanted = folders.below(exchange.store, folder) if query.is_recursive else [folder]
    return _page(exchange, query, wanted)


def search(exchange: Exchange) -> dict[str, Any]:
    """Items anywhere that the caller sees."""
    query: ItemQuery = exchange.query
    if query.search is None and query.item_types is None:
        raise RefusalError(Reason.INVALID, "search: this or itemTypes is needed")
    every = exchange.store.column("SELECT uuid FROM folders")
    return _page(exchange, query, [folder for folder in every if access.has_role(exchange, "folder", folder)])


def get(exchange: Exchange) -> dict[str, Any]:
    query: SignQuery = exchange.query
    return view(exchange, _item(exchange, exchange.path["item"], "user"), sign=query.sign_url)


def get_many(exchange: Exchange) -> dict[str, Any]:
    """Items by id, in the order of the request."""
    body: GetBody = exchange.body
    folders.check_number(len(body.item_uuids), "itemUuids")
    return listing.whole(
        [view(exchange, _item(exchange, uuid, "user"), sign=body.sign_urls) for uuid in body.item_uuids]
    )


def children(exchange: Exchange) -> dict[str, Any]:
    """What a group or series consists of, in order."""
    query: ChildrenQuery = exchange.query
    item = _in_folder(exchange, exchange.path["item"], "user")
    sql = "SELECT items.* FROM item_children AS part JOIN items ON items.uuid = child WHERE item = ? ORDER BY {}"
    rows = exchange.store.all(sql.format("part.position"), item["uuid"])
    return listing.whole([view(exchange, row, sign=query.sign_urls) for row in rows])


def summary(exchange: Exchange) -> dict[str, Any]:
    """Where an item is used."""
    query: SummaryQuery = exchange.query
    item, store = _in_folder(exchange, exchange.path["item"], "user"), exchange.store
    groups = store.all(
        "SELECT items.* FROM item_children JOIN items ON items.uuid = item WHERE child = ?", item["uuid"]
    )
    rows = store.all(
        "SELECT data_hash, data_rows.created_at, datasets.uuid, datasets.title, backing_folder FROM data_rows"
        " JOIN datasets ON datasets.uuid = dataset WHERE item_uuid = ? ORDER BY data_rows.position",
        item["uuid"],
    )
    used: dict[str, dict[str, Any]] = {}
    for row in rows:
        place = used.setdefault(
            row["uuid"],
            {
                "datasetHash": row["uuid"],
                "backingFolderUuid": row["backing_folder"],
                "title": row["title"],
                "dataHashes": [],
                "dataUnitsCreatedAt": times.v2(row["created_at"]),
            },
        )
        place["dataHashes"].append(row["data_hash"])
    return {
        "frameInGroups": len(groups),
        "accessibleGroupItems": [_group(exchange, row) for row in groups if _may_see(exchange, row["folder"])],
        "usedInDatasets": len(used),
        "accessibleDatasets": [dataset for uuid, dataset in used.items() if access.has_role(exchange, "dataset", uuid)],
        "groupLayout": data_groups.layout_of(item) if query.include_group_layout else None,
    }


def edit(exchange: Exchange) -> dict[str, Any]:
    item = _in_folder(exchange, exchange.path["item"], "admin")
    _patch(exchange, item["uuid"], exchange.body)
    return view(exchange, _item(exchange, item["uuid"], "user"), sign=False)


def edit_many(exchange: Exchange) -> dict[str, Any]:
    """Change many items, or none."""
    body: ItemPatches = exchange.body
    folders.check_number(len(body.item_patches), "itemPatches")
    for uuid, patch in body.item_patches.items():
        _patch(exchange, _item(exchange, uuid, "admin")["uuid"], patch)
    return listing.whole([view(exchange, _item(exchange, uuid, "user"), sign=False) for uuid in body.item_patches])


def move(exchange: Exchange) -> None:
    """Put items into another folder; datasets that mirror one of the two change only if that is said to be meant."""
    body: MoveBody = exchange.body
    store, now, source, target = exchange.store, exchange.clock.stamp(), exchange.path["folder"], body.new_parent_uuid
    folders.check_number(len(body.item_uuids), "itemUuids")
    folders.require(exchange, source, "admin")
    folders.require(exchange, target, "admin")
    for uuid in body.item_uuids:
        _in_folder(exchange, uuid, "admin")
    mirrors = {items.mirror_of(store, source), items.mirror_of(store, target)}
    if len(mirrors) > 1 and not body.allow_synced_dataset_move:
        raise RefusalError(Reason.INVALID, "allowSyncedDatasetMove: needed, as a folder mirrors a dataset")
    if len(mirrors) > 1:
        items.left(store, now, source, body.item_uuids)
    moved = json.dumps(body.item_uuids)
    store.run("UPDATE items SET folder = ? WHERE uuid IN (SELECT value FROM json_each(?))", target, moved)
    if len(mirrors) > 1:
        items.added(store, now, target, body.item_uuids)


def delete(exchange: Exchange) -> dict[str, int]:
    """Delete items, and the files of groups that nothing else uses if that is wanted."""
    body: DeleteBody = exchange.body
    folders.check_number(len(body.child_uuids), "childUuids")
    store, now = exchange.store, exchange.clock.stamp()
    gone = [_in_folder(exchange, uuid, "admin")["uuid"] for uuid in dict.fromkeys(body.child_uuids)]
    sql = "SELECT DISTINCT child FROM item_children WHERE item IN (SELECT value FROM json_each(?))"
    frames = store.column(sql, json.dumps(gone)) if body.remove_unused_frames else []
    items.removed(store, now, gone)
    unused = [
        frame
        for frame in frames
        if store.one("SELECT 1 FROM item_children WHERE child = ?", frame) is None
        and store.one("SELECT 1 FROM data_rows WHERE item_uuid = ?", frame) is None
    ]
    items.removed(store, now, unused)
    return {"removedItemsCount": len({*gone, *unused}), "removedFoldersCount": 0}


def _page(exchange: Exchange, query: ItemQuery, wanted: list[str]) -> dict[str, Any]:
    conditions = Conditions()
    conditions.among("folder", wanted)
    conditions.among("item_type", query.item_types)
    if query.search is not None:
        conditions.add("instr(lower(name), lower(?)) > 0", query.search)
    if query.is_in_dataset is not None:
        used = "EXISTS (SELECT 1 FROM data_rows WHERE item_uuid = items.uuid)"
        conditions.add(used if query.is_in_dataset else f"NOT {used}")
    start, size = listing.page_start(query.page_token), folders.page_size(exchange, query.page_size)
    rows = exchange.store.all(
        f"SELECT * FROM items WHERE {conditions.sql}"  # noqa: S608 - see Conditions
        f" ORDER BY {_ORDER[query.order]} {'DESC' if query.desc else 'ASC'}, position LIMIT ? OFFSET ?",
        *(*conditions.values, size + 1, start),
    )
    return listing.page([_listed(exchange, row, query) for row in rows], start, size)


def _listed(exchange: Exchange, row: Row, query: ItemQuery) -> dict[str, Any]:
    shown = view(exchange, row, sign=query.sign_urls)
    if not query.include_client_metadata:
        shown["clientMetadata"] = "{}"  # the vendor's SDK reads it as JSON
    elif query.client_metadata_as_signed_url:
        shown |= {"clientMetadata": "", "clientMetadataSignedUrl": data_rows.link(exchange, METADATA + row["uuid"])}
    return shown


def _item(exchange: Exchange, uuid: str, role: Literal["user", "admin"]) -> Row:
    row = exchange.store.one("SELECT * FROM items WHERE uuid = ?", folders.require_uuid(uuid, "item"))
    if row is None:
        raise RefusalError(Reason.NOT_YOURS, f"there is no item {uuid}")
    folders.require(exchange, row["folder"], role)
    return row


def _in_folder(exchange: Exchange, uuid: str, role: Literal["user", "admin"]) -> Row:
    """An item of the folder that the path names."""
    row = _item(exchange, uuid, role)
    if row["folder"] != exchange.path["folder"]:
        raise RefusalError(Reason.NOT_FOUND, f"item {uuid} is not in this folder")
    return row


def _may_see(exchange: Exchange, folder: str) -> bool:
    return access.has_role(exchange, "folder", folder)


def _group(exchange: Exchange, row: Row) -> dict[str, Any]:
    return {
        "uuid": row["uuid"],
        "name": row["name"],
        "parentUuid": row["folder"],
        "parentName": exchange.store.value("SELECT name FROM folders WHERE uuid = ?", row["folder"]),
        "itemType": row["item_type"],
    }


def _patch(exchange: Exchange, uuid: str, patch: ItemPatch) -> None:
    fields = {
        "name": patch.name,
        "description": patch.description,
        "client_metadata": None if patch.client_metadata is None else json.dumps(patch.client_metadata),
    }
    for column, value in fields.items():
        if value is not None:
            sql = f"UPDATE items SET {column} = ?, last_edited_at = ? WHERE uuid = ?"  # noqa: S608 - our own names
            exchange.store.run(sql, value, exchange.clock.stamp(), uuid)
    _patch_settings(exchange, uuid, patch)


def _patch_settings(exchange: Exchange, uuid: str, patch: ItemPatch) -> None:
    """Change how a time series or a scene is shown: null is the default, and what is left out stays.

    Settings of another type of item change nothing [inferred].
    """
    item = exchange.store.one("SELECT item_type, settings FROM items WHERE uuid = ?", uuid)
    assert item is not None  # noqa: S101 - found before
    changed: str | None
    if item["item_type"] == "scene":
        wanted = {"view_settings": patch.scene_view_settings, "layout": patch.scene_layout}
        if all(value is msgspec.UNSET for value in wanted.values()):
            return
        changed = scenes.with_settings(item["settings"], wanted)
    elif item["item_type"] == "timeseries" and patch.timeseries_settings is not msgspec.UNSET:
        changed = None if patch.timeseries_settings is None else json.dumps(patch.timeseries_settings)
    else:
        return
    sql = "UPDATE items SET settings = ?, last_edited_at = ? WHERE uuid = ?"
    exchange.store.run(sql, changed, exchange.clock.stamp(), uuid)


def view(exchange: Exchange, row: Row, *, sign: bool) -> dict[str, Any]:
    """An item as it is answered; what it is not (a sound, a study) is null."""
    signed = data_rows.link(exchange, row["file_link"]) if sign and row["item_type"] not in _OF_SEVERAL else None
    units = exchange.store.value("SELECT count(*) FROM data_rows WHERE item_uuid = ?", row["uuid"])
    return {
        "uuid": row["uuid"],
        "parent": row["folder"],
        "itemType": row["item_type"],
        "name": row["name"],
        "description": row["description"],
        "clientMetadata": row["client_metadata"] or "{}",
        "owner": row["owner"],
        "createdAt": times.v2(row["created_at"]),
        "lastEditedAt": times.v2(row["last_edited_at"]),
        "isTombstone": bool(row["is_tombstone"]),
        "isPlaceholder": bool(row["is_placeholder"]),
        "backedDataUnitsCount": units,
        "storageLocation": items.location_name(row["storage_location"]),
        "integrationHash": row["integration"],
        "url": row["file_link"] if row["integration"] else None,
        "signedUrl": signed,
        "fileSize": row["file_size"],
        "mimeType": row["file_type"],
        "duration": row["duration"],
        "fps": row["fps"],
        "height": row["height"],
        "width": row["width"],
        "dicomInstanceUid": row["dicom_instance"],
        "dicomStudyUid": row["dicom_study"],
        "dicomSeriesUid": row["dicom_series"],
        "frameCount": row["frames"],
        "audioSampleRate": row["audio_sample_rate"],
        "audioBitDepth": row["audio_bit_depth"],
        "audioCodec": row["audio_codec"],
        "audioNumChannels": row["audio_num_channels"],
        "timeseriesSettings": _channels(row["settings"]) if row["item_type"] == "timeseries" else None,
    }


def _channels(settings: str | None) -> dict[str, Any] | None:
    """The settings of a time series, in which each channel says also which of its texts it does not have."""
    if settings is None:
        return None
    stored: dict[str, Any] = json.loads(settings)
    channels = stored.get("channels") or {}
    return {**stored, "channels": {name: {"label": None, "color": None, **one} for name, one in channels.items()}}
