"""The pages of datasets and storage folders."""

from __future__ import annotations

from starlette.responses import Response

from ..state.store import Row
from .markup import Markup, facts, joined, link, page, table, tag
from .visit import PAGE_SIZE, Visit, dataset_address, editor_address, folder_address, named, project_address

_PROJECTS = """
SELECT projects.* FROM project_datasets JOIN projects ON projects.uuid = project WHERE dataset = ? ORDER BY title
"""
_ITEMS = """
SELECT * FROM items WHERE folder = ? AND NOT is_tombstone ORDER BY name, position LIMIT ? OFFSET ?
"""


def dataset_page(visit: Visit, dataset: str) -> Response:
    """The rows of a dataset."""
    about = visit.require("SELECT * FROM datasets WHERE uuid = ?", dataset, "dataset")
    projects = visit.store.all(_PROJECTS, dataset)
    folder = about["backing_folder"]
    known = {
        "Id": tag("code", dataset),
        "Description": about["description"] or None,
        "Folder": link(folder_address(folder), folder) if folder else None,
        "Projects": joined(
            *(tag("div", named(project_address(one["uuid"]), one["title"], one["uuid"])) for one in projects)
        )
        if projects
        else None,
    }
    total = visit.store.value("SELECT count(*) FROM data_rows WHERE dataset = ?", dataset)
    sql = "SELECT * FROM data_units WHERE dataset = ? ORDER BY position LIMIT ? OFFSET ?"
    rows = visit.store.all(sql, dataset, PAGE_SIZE, visit.offset)
    project = projects[0]["uuid"] if projects else None
    shown = [_data_row(row, project) for row in rows]
    return page(
        about["title"],
        facts(known),
        tag("h2", "Rows"),
        _gallery(visit, rows),
        table(f"{total} rows", ["Title", "Kind", "Size", "Added"], shown),
        visit.turning(total),
    )


def folder_page(visit: Visit, folder: str) -> Response:
    """The folders and items in a storage folder."""
    about = visit.require("SELECT * FROM folders WHERE uuid = ?", folder, "folder")
    dataset = about["synced_dataset"]
    known = {
        "Id": tag("code", folder),
        "Description": about["description"] or None,
        "In": link(folder_address(about["parent"]), "the folder above") if about["parent"] else None,
        "Synced from": about["remote_url"],
        "Mirrored by the dataset": link(dataset_address(dataset), dataset) if dataset else None,
    }
    below = visit.store.all("SELECT * FROM folders WHERE parent = ? ORDER BY name", folder)
    total = visit.store.value("SELECT count(*) FROM items WHERE folder = ? AND NOT is_tombstone", folder)
    rows = visit.store.all(_ITEMS, folder, PAGE_SIZE, visit.offset)
    shown: list[list[object]] = [
        [row["name"], row["item_type"], _size(row), row["client_metadata"] or ""] for row in rows
    ]
    return page(
        about["name"],
        facts(known),
        tag("h2", "Folders"),
        table("Folders", ["Name"], [[named(folder_address(one["uuid"]), one["name"], one["uuid"])] for one in below]),
        tag("h2", "Items"),
        _gallery(visit, rows),
        table(f"{total} items", ["Name", "Kind", "Size", "Client metadata"], shown),
        visit.turning(total),
    )


def _data_row(row: Row, project: str | None) -> list[object]:
    title = link(editor_address(project, row["data_hash"]), row["title"]) if project else row["title"]
    return [title, row["data_type"], _size(row), row["created_at"][:16].replace("T", " ")]


def _size(row: Row) -> str:
    parts = [f"{row['width']} × {row['height']}"] if row["width"] else []  # noqa: RUF001 - a sign
    parts += [f"{row['frames']} frames"] if row["frames"] > 1 else []
    parts += [f"{row['file_size']} bytes"] if row["file_size"] is not None else []
    return ", ".join(parts)


def _gallery(visit: Visit, rows: list[Row]) -> Markup:
    """The images among the rows."""
    cards = []
    for row in rows:
        is_image = row["item_type"] == "image"
        address = visit.file(row["file_link"]) if is_image else None
        if address is not None:
            name = row["title"] if "title" in row.keys() else row["name"]  # noqa: SIM118 - a row of the database
            image = tag("img", src=address, alt=name, loading="lazy", width=row["width"], height=row["height"])
            cards.append(tag("li", image, name))
    return tag("ul", *cards, class_="gallery") if cards else Markup()
