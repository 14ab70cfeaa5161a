"""Rows of the table: collections and filter presets of the data view."""

from __future__ import annotations

from ..collections import index_collections, index_presets
from ..requests.operations import Operation
from .rows import CHANGES, READS, v2

COLLECTIONS, PRESETS = "index/collections", "index/presets"
ONE, PRESET = f"{COLLECTIONS}/{{collection}}", f"{PRESETS}/{{preset}}"

# fmt: off
OPERATIONS: tuple[Operation, ...] = (
    v2(READS, "collections.list", f"GET {COLLECTIONS}", index_collections.list_page, index_presets.ListQuery),
    v2(CHANGES, "collections.create", f"POST {COLLECTIONS}", index_collections.create, index_presets.FolderQuery,
        body=index_collections.CollectionBody),
    v2(CHANGES, "collections.update", f"PATCH {ONE}", index_collections.update,
        body=index_collections.CollectionChange),
    v2(CHANGES, "collections.delete", f"DELETE {ONE}", index_collections.delete),
    v2(READS, "collections.items.list", f"GET {ONE}/accessible-items", index_collections.list_accessible,
        index_collections.ItemsQuery),
    v2(READS, "collections.items.list_all", f"GET {ONE}/all-items", index_collections.list_all,
        index_collections.ItemsQuery),
    v2(CHANGES, "collections.items.add", f"POST {ONE}/add-items", index_collections.add_items,
        body=index_collections.ItemsBody),
    v2(CHANGES, "collections.items.remove", f"POST {ONE}/remove-items", index_collections.remove_items,
        body=index_collections.ItemsBody),
    v2(CHANGES, "collections.items.add_by_title", f"POST {ONE}/add-data-title-items", index_collections.add_titles,
        body=index_collections.TitlesBody),
    v2(CHANGES, "collections.items.add_preset", f"POST {ONE}/add-preset-items", index_collections.add_preset,
        body=index_collections.PresetBody),
    v2(CHANGES, "collections.items.remove_preset", f"POST {ONE}/remove-preset-items", index_collections.remove_preset,
        body=index_collections.PresetBody),
    v2(READS, "presets.list", f"GET {PRESETS}", index_presets.list_page, index_presets.ListQuery),
    v2(CHANGES, "presets.create", f"POST {PRESETS}", index_presets.create, index_presets.FolderQuery,
        body=index_presets.PresetBody),
    v2(READS, "presets.definition", f"GET {PRESET}", index_presets.definition),
    v2(CHANGES, "presets.update", f"PATCH {PRESET}", index_presets.update, body=index_presets.PresetChange),
    v2(CHANGES, "presets.delete", f"DELETE {PRESET}", index_presets.delete),
)
# fmt: on
