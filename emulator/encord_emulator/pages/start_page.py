"""The first page: everything in the emulator, with the ids that DAGs ask for."""

from __future__ import annotations

from starlette.responses import Response

from .markup import NOT_ENCORD, Markup, page, table, tag
from .project_page import counts_by_stage
from .visit import PAGE_SIZE, Visit, dataset_address, folder_address, named, ontology_address, project_address


def start_page(visit: Visit, operations: str) -> Response:
    """All projects, datasets, folders and ontologies, the newest first.

    :param operations: What the emulator serves, as text.
    """
    return page(
        "What is in this emulator",
        tag("p", NOT_ENCORD),
        tag("h2", "Projects"),
        _projects(visit),
        tag("h2", "Data"),
        _titles(visit, "Datasets", "datasets", "title", dataset_address),
        _titles(visit, "Folders", "folders", "name", folder_address),
        _titles(visit, "Ontologies", "ontologies", "title", ontology_address),
        tag("h2", "For programs"),
        tag("details", tag("summary", "Operations of the API"), tag("pre", operations)),
    )


def _projects(visit: Visit) -> Markup:
    sql = "SELECT * FROM projects ORDER BY created_at DESC, title LIMIT ? OFFSET ?"
    rows: list[list[object]] = []
    for project in visit.store.all(sql, PAGE_SIZE, visit.offset):
        counts = counts_by_stage(visit, project["uuid"])
        stages = ", ".join(f"{stage['title']}: {number}" for stage, number in counts)
        title = named(project_address(project["uuid"]), project["title"], project["uuid"])
        rows.append([title, sum(number for _, number in counts), stages])
    shown = table("Projects", ["Project and its id", "Tasks", "By stage"], rows)
    return Markup(shown + visit.turning(visit.store.value("SELECT count(*) FROM projects")))


def _titles(visit: Visit, caption: str, name: str, column: str, address: object) -> Markup:
    rows = visit.store.all(
        f"SELECT uuid, {column} AS title FROM {name} ORDER BY created_at DESC LIMIT ?",  # noqa: S608 - our own names
        PAGE_SIZE,
    )
    assert callable(address)  # noqa: S101 - one of the functions of `visit`
    return table(
        caption,
        [f"{caption}, the newest first"],
        [[named(address(row["uuid"]), row["title"], row["uuid"])] for row in rows],
    )
