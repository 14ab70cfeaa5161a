"""Rows of the table: collections and filter presets of a project, and Active."""

from __future__ import annotations

from ..collections import active, index_collections, project_collections, project_presets
from ..requests.operations import Operation
from .rows import CHANGES, READS, v2

ACTIVE = "active/{project}"
COLLECTIONS, PRESETS = f"{ACTIVE}/collections", f"{ACTIVE}/presets"
ONE, PRESET = f"{COLLECTIONS}/{{collection}}", f"{PRESETS}/{{preset}}"

# fmt: off
OPERATIONS: tuple[Operation, ...] = (
    v2(CHANGES, "project.active.import", f"POST {ACTIVE}/import", active.start_import, body=active.ImportBody),
    v2(CHANGES, "project.active.sync", f"POST {ACTIVE}/sync", active.start_sync),
    v2(READS, "project.collections.list", f"GET {COLLECTIONS}", project_collections.list_page,
        project_collections.ListQuery),
    v2(CHANGES, "project.collections.create", f"POST {COLLECTIONS}", project_collections.create,
        project_collections.ProjectQuery, body=project_collections.CollectionBody),
    v2(CHANGES, "project.collections.update", f"PATCH {ONE}", project_collections.update,
        body=index_collections.CollectionChange),
    v2(CHANGES, "project.collections.delete", f"DELETE {ONE}", project_collections.delete),
    v2(READS, "project.collections.items", f"GET {ONE}/items", project_collections.list_items,
        project_collections.ItemsQuery),
    v2(CHANGES, "project.collections.items.add", f"POST {ONE}/add-items", project_collections.add_items,
        body=project_collections.PlacesBody),
    v2(CHANGES, "project.collections.items.remove", f"POST {ONE}/remove-items", project_collections.remove_items,
        body=project_collections.PlacesBody),
    v2(CHANGES, "project.collections.items.add_preset", f"POST {ONE}/add-preset-items",
        project_collections.add_preset, body=index_collections.PresetBody),
    v2(CHANGES, "project.collections.items.remove_preset", f"POST {ONE}/remove-preset-items",
        project_collections.remove_preset, body=index_collections.PresetBody),
    v2(READS, "project.presets.list", f"GET {PRESETS}", project_presets.list_page, project_presets.ListQuery),
    v2(CHANGES, "project.presets.create", f"POST {PRESETS}", project_presets.create,
        body=project_presets.PresetBody),
    v2(READS, "project.presets.definition", f"GET {PRESET}/raw", project_presets.definition),
    v2(CHANGES, "project.presets.update", f"PATCH {PRESET}", project_presets.update,
        body=project_presets.PresetChange),
    v2(CHANGES, "project.presets.delete", f"DELETE {PRESET}", project_presets.delete),
)
# fmt: on
