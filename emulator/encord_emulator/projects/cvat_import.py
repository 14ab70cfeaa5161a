"""Importing a CVAT export: its images come into the dataset, and its labels into the ontology of a new project.

The project is there from the start and is named when the images are in. Shapes that people drew are not brought in: a
warning counts them.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Literal
from xml.etree import ElementTree

from ..requests import access
from ..requests.exchange import Exchange
from ..state.store import Row
from ..uploads import jobs as upload_jobs
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import StrictCamel
from . import ontologies, projects

_SHAPES = {
    "rectangle": "bounding_box",
    "polygon": "polygon",
    "polyline": "polyline",
    "points": "point",
    "mask": "bitmask",
}
_DRAWN = ("box", *_SHAPES)


class CvatImage(StrictCamel, frozen=True):
    data_path: str
    data_link: str
    title: str


class ImportBody(StrictCamel, frozen=True):
    annotations_base64: str
    dataset_uuid: str
    review_mode: Literal["unlabelled", "labelled", "reviewed"]
    data: list[CvatImage]
    transform_bounding_boxes_to_polygons: bool


class PollQuery(StrictCamel, frozen=True):
    timeout_seconds: int = 0


def start(exchange: Exchange) -> str:
    """Make the project and let the images come; the job's id."""
    body: ImportBody = exchange.body
    store, dataset = exchange.store, body.dataset_uuid
    access.require_manager(exchange, "dataset", dataset)
    folder = store.value("SELECT backing_folder FROM datasets WHERE uuid = ?", dataset)
    if folder is None or not body.data:
        raise RefusalError(Reason.INVALID, "datasetUuid, data: a dataset with a backing folder and images are needed")
    annotations = _parsed(body.annotations_base64)
    title = store.value("SELECT title FROM datasets WHERE uuid = ?", dataset)
    structure = _structure(annotations, polygons=body.transform_bounding_boxes_to_polygons)
    ontology = ontologies.insert(exchange, f"{title} ontology", "", structure)
    project = projects.insert(
        exchange, projects.ProjectRequest(title=title), ontology, projects.template_stages(store, None)
    )
    projects.attach(exchange, project, [dataset])
    units = [("images", {"objectUrl": image.data_link, "title": image.title}) for image in body.data]
    job = upload_jobs.begin(
        exchange.emulation.jobs, units, creator=exchange.caller.email, folder=folder, dataset=dataset
    )
    uuid = new_uuid()
    warnings = json.dumps(_warnings(annotations))
    store.run("INSERT INTO cvat_imports VALUES (?, ?, ?, ?, ?)", uuid, exchange.caller.email, job, project, warnings)
    return uuid


async def poll(exchange: Exchange) -> dict[str, Any]:
    """How it stands, as soon as the images are in or the time is up."""
    query: PollQuery = exchange.query
    row = _row(exchange)
    await exchange.emulation.jobs.wait(row["upload_job"], query.timeout_seconds)
    row = _row(exchange)
    if row["status"] == "PENDING":
        return {"status": "PENDING"}
    done = row["status"] == "DONE"
    sql = "SELECT error FROM job_units WHERE job = ? AND error IS NOT NULL ORDER BY position"
    errors = exchange.store.column(sql, row["upload_job"])
    return {
        "status": "DONE" if done else "ERROR",
        "projectUuid": row["project"] if done else None,
        "issues": {
            "errors": [{"issue_type": "image", "instances": errors}] if errors else [],
            "warnings": json.loads(row["warnings"]),
            "infos": [],
        },
    }


def _parsed(text: str) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(base64.b64decode(text, validate=True))  # noqa: S314 - the user's own file
    except (binascii.Error, ElementTree.ParseError):
        raise RefusalError(Reason.INVALID, "annotationsBase64: this is not XML in base64") from None


def _structure(annotations: ElementTree.Element, *, polygons: bool) -> dict[str, Any]:
    """An ontology with an object for each label that has a shape."""
    objects = []
    for number, label in enumerate(annotations.iterfind("./meta//labels/label"), 1):
        shape = _SHAPES.get(label.findtext("type", "rectangle"), "bounding_box")
        objects.append(
            {
                "id": str(number),
                "name": label.findtext("name", f"label {number}"),
                "color": label.findtext("color") or "#D33115",
                "shape": "polygon" if polygons and shape == "bounding_box" else shape,
                "featureNodeHash": f"{number:08x}",
            }
        )
    return {**ontologies.EMPTY, "objects": objects}


def _warnings(annotations: ElementTree.Element) -> list[dict[str, Any]]:
    drawn = {
        image.get("name", ""): sum(len(image.findall(kind)) for kind in dict.fromkeys(_DRAWN))
        for image in annotations.iterfind("image")
    }
    places = [f"{count} in {name}" for name, count in drawn.items() if count]
    return [{"issue_type": "shapes_not_imported", "instances": places}] if places else []


def _row(exchange: Exchange) -> Row:
    sql = (
        "SELECT cvat_imports.*, status FROM cvat_imports JOIN jobs ON jobs.uuid = upload_job"
        " WHERE cvat_imports.uuid = ? AND cvat_imports.creator = ?"
    )
    row = exchange.store.one(sql, exchange.path["job"], exchange.caller.email)
    if row is None:
        raise RefusalError(Reason.NOT_FOUND, f"there is no import {exchange.path['job']}")
    return row
