"""Recorded requests of storage folders and items."""

from __future__ import annotations

from tests.wire.subjects.reading import UUID, Key, Read, groups_to_add, groups_to_remove, listed_below

ARGUMENTS: dict[Key, Read] = {}

ARGUMENTS |= {
    ("storage.folder.list_groups", "v2"): listed_below,
    ("storage.folder.add_group", "v2"): groups_to_add,
    ("storage.folder.remove_group", "v2"): groups_to_remove,
}

V1_SHAPES: dict[tuple[str, str], str] = {}

V2_SHAPES: list[tuple[str, str, str]] = [
    ("GET", f"storage/folders/{UUID}/groups", "storage.folder.list_groups"),
    ("POST", f"storage/folders/{UUID}/groups", "storage.folder.add_group"),
    ("DELETE", f"storage/folders/{UUID}/groups", "storage.folder.remove_group"),
]

NOT_YET: set[str] = {
    "storage.cloud_sync start",
    "storage.folder.create",
    "storage.folder.delete",
    "storage.folder.get",
    "storage.folder.items",
    "storage.folder.items.delete",
    "storage.folder.items.move",
    "storage.folder.subfolders",
    "storage.folder.summary",
    "storage.folder.update",
    "storage.folders.list",
    "storage.folders.search",
    "storage.item.get",
    "storage.item.summary",
    "storage.item.update",
    "storage.items.get_bulk",
    "storage.items.update_bulk",
}

NOT_SERVED_YET: set[Key] = {
    ("storage.cloud_sync start", "v2"),
    ("storage.folder.create", "v2"),
    ("storage.folder.delete", "v2"),
    ("storage.folder.get", "v2"),
    ("storage.folder.items", "v2"),
    ("storage.folder.items.delete", "v2"),
    ("storage.folder.items.move", "v2"),
    ("storage.folder.subfolders", "v2"),
    ("storage.folder.summary", "v2"),
    ("storage.folder.update", "v2"),
    ("storage.folders.list", "v2"),
    ("storage.folders.search", "v2"),
    ("storage.item.get", "v2"),
    ("storage.item.summary", "v2"),
    ("storage.item.update", "v2"),
    ("storage.items.get_bulk", "v2"),
    ("storage.items.update_bulk", "v2"),
}
