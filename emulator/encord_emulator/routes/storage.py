"""Rows of the table: storage."""

from __future__ import annotations

from typing import Any

from ..datasets import reencoding
from ..requests.operations import Operation
from ..storage import data_groups, folder_config, folders, migration, scenes, storage_items
from ..uploads import folder_uploads, sync
from .rows import CHANGES, READS, v2

FOLDER = "storage/folders/{folder}"
ITEMS = f"{FOLDER}/items"

# fmt: off
OPERATIONS: tuple[Operation, ...] = (
    v2(CHANGES, "storage.folder.create", "POST storage/folders", folders.create, body=folders.FolderBody),
    v2(READS, "storage.folders.list", "GET storage/folders", folders.list_root, folders.FolderQuery),
    v2(READS, "storage.folders.search", "GET storage/search/folders", folders.search, folders.FolderQuery),
    v2(CHANGES, "storage.folders.update_bulk", "PATCH storage/folders/patch-bulk", folders.edit_many,
        body=folders.FolderPatches),
    v2(CHANGES, "storage.folders.move", "POST storage/folders/move", folders.move, body=folders.MoveBody),
    v2(READS, "storage.folder.get", f"GET {FOLDER}", folders.get),
    v2(CHANGES, "storage.folder.update", f"PATCH {FOLDER}", folders.edit, body=folders.FolderPatch),
    v2(CHANGES, "storage.folder.delete", f"DELETE {FOLDER}", folders.delete),
    v2(READS, "storage.folder.subfolders", f"GET {FOLDER}/folders", folders.list_below, folders.FolderQuery),
    v2(READS, "storage.folder.summary", f"GET {FOLDER}/summary", folders.summary),
    v2(READS, "storage.folder.config.get", f"GET {FOLDER}/folder-config", folder_config.get),
    v2(CHANGES, "storage.folder.config.set", f"POST {FOLDER}/folder-config", folder_config.save, body=dict[str, Any]),
    v2(CHANGES, "storage.data_groups.create", f"POST {FOLDER}/create-group-items", data_groups.create,
        body=data_groups.Groups),
    v2(CHANGES, "storage.items.migrate", "POST storage/items/migrate-storage", migration.migrate,
        body=migration.MigrationBody),
    v2(READS, "scene.get", "GET scene/{item}", scenes.get),
    v2(READS, "storage.folder.items", f"GET {ITEMS}", storage_items.list_page, storage_items.ItemQuery),
    v2(READS, "storage.items.search", "GET storage/search/items", storage_items.search, storage_items.ItemQuery),
    v2(READS, "storage.items.get_bulk", "POST storage/items/get-bulk", storage_items.get_many,
        body=storage_items.GetBody),
    v2(CHANGES, "storage.items.update_bulk", "PATCH storage/items/patch-bulk", storage_items.edit_many,
        body=storage_items.ItemPatches),
    v2(CHANGES, "storage.items.re_encode", "POST storage/items/reencode", reencoding.start,
        body=reencoding.ReEncodeBody),
    v2(READS, "storage.items.re_encode_status", "GET storage/items/reencode/{job}", reencoding.poll),
    v2(READS, "storage.item.get", "GET storage/items/{item}", storage_items.get, storage_items.SignQuery),
    v2(CHANGES, "storage.folder.items.move", f"POST {ITEMS}/move", storage_items.move, body=storage_items.MoveBody),
    v2(CHANGES, "storage.folder.items.delete", f"POST {ITEMS}/delete", storage_items.delete,
        body=storage_items.DeleteBody),
    v2(CHANGES, "storage.item.update", f"PATCH {ITEMS}/{{item}}", storage_items.edit, body=storage_items.ItemPatch),
    v2(READS, "storage.item.children", f"GET {ITEMS}/{{item}}/child-items", storage_items.children,
        storage_items.ChildrenQuery),
    v2(READS, "storage.item.summary", f"GET {ITEMS}/{{item}}/summary", storage_items.summary,
        storage_items.SummaryQuery),
    v2(READS, "storage.upload.signed_urls", f"POST {FOLDER}/upload-signed-urls", folder_uploads.signed_urls,
        body=folder_uploads.UrlsBody),
    v2(CHANGES, "storage.upload.start", f"POST {FOLDER}/data-upload-jobs", folder_uploads.start,
        body=folder_uploads.StartBody),
    v2(READS, "storage.upload.poll", f"GET {FOLDER}/data-upload-jobs/{{job}}", folder_uploads.poll,
        folder_uploads.PollQuery),
    v2(CHANGES, "storage.upload_job.cancel", f"POST {FOLDER}/data-upload-jobs/{{job}}/cancel", folder_uploads.cancel),
    v2(CHANGES, "storage.cloud_sync start", f"POST {FOLDER}/cloud-synced-folder-syncs", sync.start),
    v2(READS, "storage.cloud_sync result", f"GET {FOLDER}/cloud-linked-folder-syncs/{{job}}/long-polling", sync.poll,
        sync.PollQuery),
)
# fmt: on
