"""Recorded requests of storage folders and items."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from airflow_provider_encord.client.api.composites.data_groups import CustomDataGroup, DataGroup
from airflow_provider_encord.client.api.folder_config import FolderConfig, MetadataIngestion
from airflow_provider_encord.client.api.storage_folders import FolderFilter
from airflow_provider_encord.client.api.storage_items import ItemFilter
from tests.wire.subjects.reading import (
    UUID,
    Arguments,
    Key,
    Read,
    given,
    groups_to_add,
    groups_to_remove,
    id_in_path,
    listed_below,
    parameter,
)


def _create(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    synced = body.get("cloudSyncedFolderParams", {})
    metadata = body.get("clientMetadata")
    return given(
        body["name"],
        description=body.get("description"),
        parent=body.get("parent"),
        client_metadata=None if metadata is None else json.loads(metadata),
        integration=synced.get("integrationUuid"),
        remote_url=synced.get("remoteUrl"),
    )


def _maybe(request: dict[str, Any], name: str) -> bool | None:
    return {"True": True, "False": False, None: None}[parameter(request, name)]


def _folder_filter(request: dict[str, Any]) -> FolderFilter:
    return FolderFilter(
        search=parameter(request, "search"),
        recursive=bool(_maybe(request, "isRecursive")),
        dataset_synced=_maybe(request, "datasetSynced"),
        organisation_tag_names=request["query"].get("organisationTagNamesAllof", ()),
        include_organisation=_maybe(request, "includeOrgAccess"),
        order=parameter(request, "order") or "",
        descending=bool(_maybe(request, "desc")),
        page_size=int(parameter(request, "pageSize") or 0),
    )


def _folders(request: dict[str, Any]) -> Arguments:
    return given(_folder_filter(request), page=parameter(request, "pageToken"))


def _subfolders(request: dict[str, Any]) -> Arguments:
    return given(id_in_path(request), _folder_filter(request), page=parameter(request, "pageToken"))


def _item_filter(request: dict[str, Any]) -> ItemFilter:
    return ItemFilter(
        search=parameter(request, "search"),
        recursive=_maybe(request, "isRecursive"),
        in_dataset=_maybe(request, "isInDataset"),
        item_types=request["query"].get("itemTypes", ()),
        include_organisation=_maybe(request, "includeOrgAccess"),
        order=parameter(request, "order") or "",
        descending=bool(_maybe(request, "desc")),
        page_size=int(parameter(request, "pageSize") or 0),
        sign_urls=bool(_maybe(request, "signUrls")),
        client_metadata=_maybe(request, "includeClientMetadata"),
        client_metadata_as_signed_url=_maybe(request, "clientMetadataAsSignedUrl"),
    )


def _items(request: dict[str, Any]) -> Arguments:
    return given(id_in_path(request), _item_filter(request), page=parameter(request, "pageToken"))


def _two_ids(request: dict[str, Any]) -> tuple[str, str]:
    """Of the folder and of what is in it."""
    parts = request["path"].split("/")
    return parts[5], parts[7]


def _move_folders(request: dict[str, Any]) -> Arguments:
    return given(request["json"]["folderUuids"], request["json"].get("newParentUuid"))


def _move_items(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(
        id_in_path(request),
        body["itemUuids"],
        body["newParentUuid"],
        allow_synced_dataset_move=body["allowSyncedDatasetMove"],
    )


def _delete_items(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(id_in_path(request), body["childUuids"], remove_unused_frames=body["removeUnusedFrames"])


def _poll_sync(request: dict[str, Any]) -> Arguments:
    return given(*_two_ids(request), timeout_seconds=int(parameter(request, "timeoutSeconds") or 0))


def _re_encode(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(body["storageItems"], title=body["processTitle"], force_full=body["forceFullReencoding"])


def _set_config(request: dict[str, Any]) -> Arguments:
    other = dict(request["json"])
    ingestion = msgspec.convert(other.pop("metadataIngestion"), MetadataIngestion)
    return given(id_in_path(request), FolderConfig(metadata_ingestion=ingestion, other=other))


def _data_groups(request: dict[str, Any]) -> Arguments:
    return given(id_in_path(request), [_data_group(entry) for entry in request["json"]])


def _data_group(entry: dict[str, Any]) -> DataGroup | CustomDataGroup:
    named = {"name": entry.get("name"), "client_metadata": entry.get("clientMetadata")}
    if entry["layoutType"] != "custom":
        return DataGroup(items=entry["layoutContents"], layout=entry["layoutType"], **named)
    about = {name: entry.get(name) for name in ("layout", "timeline", "settings")}
    return CustomDataGroup(items=entry["layoutContents"], **about, **named)


def _migrate(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(
        by_item=body["itemsMap"],
        by_url=body["urlsMap"],
        from_integration=body.get("fromIntegrationHash"),
        to_integration=body.get("toIntegrationHash"),
        validate_access=body["validateAccess"],
        skip_missing=body["skipMissing"],
    )


ARGUMENTS: dict[Key, Read] = {
    ("storage.folder.list_groups", "v2"): listed_below,
    ("storage.folder.add_group", "v2"): groups_to_add,
    ("storage.folder.remove_group", "v2"): groups_to_remove,
    ("storage.folder.config.get", "v2"): lambda request: given(id_in_path(request)),
    ("storage.folder.config.set", "v2"): _set_config,
    ("storage.data_groups.create", "v2"): _data_groups,
    ("storage.items.migrate", "v2"): _migrate,
    ("scene.get", "v2"): lambda request: given(id_in_path(request)),
    ("storage.folder.create", "v2"): _create,
    ("storage.folder.get", "v2"): lambda request: given(id_in_path(request)),
    ("storage.folders.list", "v2"): _folders,
    ("storage.folders.search", "v2"): _folders,
    ("storage.folder.subfolders", "v2"): _subfolders,
    ("storage.folder.update", "v2"): lambda request: given(id_in_path(request), request["json"]),
    ("storage.folders.update_bulk", "v2"): lambda request: given(request["json"]["folderPatches"]),
    ("storage.folders.move", "v2"): _move_folders,
    ("storage.folder.delete", "v2"): lambda request: given(id_in_path(request)),
    ("storage.folder.summary", "v2"): lambda request: given(id_in_path(request)),
    ("storage.cloud_sync start", "v2"): lambda request: given(id_in_path(request)),
    ("storage.cloud_sync result", "v2"): _poll_sync,
    ("storage.folder.items", "v2"): _items,
    ("storage.items.search", "v2"): lambda request: given(_item_filter(request), page=parameter(request, "pageToken")),
    ("storage.item.get", "v2"): lambda request: given(id_in_path(request), sign_url=_maybe(request, "signUrl")),
    ("storage.items.get_bulk", "v2"): lambda request: given(
        request["json"]["itemUuids"], sign_urls=request["json"]["signUrls"]
    ),
    ("storage.item.children", "v2"): lambda request: given(*_two_ids(request), sign_urls=_maybe(request, "signUrls")),
    ("storage.item.summary", "v2"): lambda request: given(*_two_ids(request)),
    ("storage.item.update", "v2"): lambda request: given(*_two_ids(request), request["json"]),
    ("storage.items.update_bulk", "v2"): lambda request: given(request["json"]["itemPatches"]),
    ("storage.folder.items.move", "v2"): _move_items,
    ("storage.folder.items.delete", "v2"): _delete_items,
    ("storage.items.re_encode", "v2"): _re_encode,
    ("storage.items.re_encode_status", "v2"): lambda request: given(id_in_path(request)),
}

V1_SHAPES: dict[tuple[str, str], str] = {}

_FOLDER = f"storage/folders/{UUID}"
_ITEM = f"{_FOLDER}/items/{UUID}"
V2_SHAPES: list[tuple[str, str, str]] = [
    ("GET", f"{_FOLDER}/groups", "storage.folder.list_groups"),
    ("POST", f"{_FOLDER}/groups", "storage.folder.add_group"),
    ("DELETE", f"{_FOLDER}/groups", "storage.folder.remove_group"),
    ("GET", f"{_FOLDER}/folder-config", "storage.folder.config.get"),
    ("POST", f"{_FOLDER}/folder-config", "storage.folder.config.set"),
    ("POST", f"{_FOLDER}/create-group-items", "storage.data_groups.create"),
    ("POST", "storage/items/migrate-storage", "storage.items.migrate"),
    ("GET", f"scene/{UUID}", "scene.get"),
    ("POST", "storage/folders", "storage.folder.create"),
    ("GET", _FOLDER, "storage.folder.get"),
    ("GET", "storage/folders", "storage.folders.list"),
    ("GET", "storage/search/folders", "storage.folders.search"),
    ("GET", f"{_FOLDER}/folders", "storage.folder.subfolders"),
    ("PATCH", _FOLDER, "storage.folder.update"),
    ("PATCH", "storage/folders/patch-bulk", "storage.folders.update_bulk"),
    ("POST", "storage/folders/move", "storage.folders.move"),
    ("DELETE", _FOLDER, "storage.folder.delete"),
    ("GET", f"{_FOLDER}/summary", "storage.folder.summary"),
    ("POST", f"{_FOLDER}/cloud-synced-folder-syncs", "storage.cloud_sync start"),
    ("GET", f"{_FOLDER}/cloud-linked-folder-syncs/{UUID}/long-polling", "storage.cloud_sync result"),
    ("GET", f"{_FOLDER}/items", "storage.folder.items"),
    ("GET", "storage/search/items", "storage.items.search"),
    ("GET", f"storage/items/{UUID}", "storage.item.get"),
    ("POST", "storage/items/get-bulk", "storage.items.get_bulk"),
    ("GET", f"{_ITEM}/child-items", "storage.item.children"),
    ("GET", f"{_ITEM}/summary", "storage.item.summary"),
    ("PATCH", _ITEM, "storage.item.update"),
    ("PATCH", "storage/items/patch-bulk", "storage.items.update_bulk"),
    ("POST", f"{_FOLDER}/items/move", "storage.folder.items.move"),
    ("POST", f"{_FOLDER}/items/delete", "storage.folder.items.delete"),
    ("POST", "storage/items/reencode", "storage.items.re_encode"),
    ("GET", f"storage/items/reencode/{UUID}", "storage.items.re_encode_status"),
]

NOT_YET: set[str] = set()

NOT_SERVED_YET: set[Key] = set()
