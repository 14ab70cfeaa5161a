"""Whole projects at once, as large as a test needs: a hundred thousand data units, tasks and label rows in seconds."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from . import datasets, items, label_content, labels, linking, media, ontologies, people, projects, workflow
from .emulation import Emulation
from .errors import Reason, RefusalError
from .exchange import Caller, Exchange
from .identifiers import feature_identifier, is_uuid, new_uuid, new_uuids
from .label_content import Ontology
from .label_generator import paint
from .shapes import Email, Share, Strict

SHOWN = 100
"""So many data hashes are answered."""
_AT_ONCE = 5_000
"""So many data units are in memory at once, beside the database."""
_SIZES = ((640, 480), (1280, 720), (1920, 1080))
_FRAMES = {"image": 1, "video": 10, "img_group": 3}
_FPS = 25.0


class NewProject(Strict, frozen=True):
    owner: Email
    title: str
    rows: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
    kind: Literal["image", "video", "img_group"] = "image"
    frames: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    objects_per_row: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 2
    created: Share = 0.0
    template: str | None = None
    seed: int = 0


def make(emulation: Emulation, wanted: NewProject) -> dict[str, Any]:
    """Make a project of the owner's with so many data units."""
    _check(wanted)
    people.ensure_user(emulation.store, emulation.clock, wanted.owner)
    exchange = Exchange(emulation, Caller("ssh", wanted.owner, "MEMBER"), "")
    dice = random.Random(wanted.seed)  # noqa: S311 - dice, not a secret
    stages = projects.template_stages(emulation.store, wanted.template)
    structure = example_structure(dice)
    ontology = ontologies.insert(exchange, f"{wanted.title} ontology", "", structure)
    dataset = datasets.insert(exchange, f"{wanted.title} dataset", "", 0, folder=True)["uuid"]
    project = projects.insert(exchange, projects.ProjectRequest(title=wanted.title), ontology, stages)
    now = emulation.clock.stamp()
    folder = emulation.store.value("SELECT backing_folder FROM datasets WHERE uuid = ?", dataset)
    chosen = set(dice.sample(range(wanted.rows), round(wanted.rows * wanted.created)))
    shown: list[str] = []
    for first in range(0, wanted.rows, _AT_ONCE):
        places = range(first, min(first + _AT_ONCE, wanted.rows))
        units = list(_units(wanted, places, dataset, dice, now))
        items.insert(emulation.store, (_item(unit, folder, wanted.owner) for unit in units))
        linking.insert(
            emulation.store,
            ((unit["data_hash"], dataset, unit["title"], unit["item_uuid"], now, now) for unit in units),
        )
        labelled = [unit for place, unit in zip(places, units, strict=True) if place in chosen]
        emulation.store.many(
            "INSERT INTO label_rows VALUES (?, ?, ?, ?, ?, ?, 'LABEL_IN_PROGRESS', 1, ?, ?)",
            _label_rows(wanted, project, labelled, Ontology(structure), dice, now),
        )
        shown += [unit["data_hash"] for unit in units[: SHOWN - len(shown)]]
    projects.attach(exchange, project, [dataset])
    return {
        "project_hash": project,
        "dataset_hash": dataset,
        "ontology_hash": ontology,
        "stages": [workflow.stage_view(stage) for stage in workflow.stages_of(emulation.store, project)],
        "data_hashes": shown,
    }


def example_structure(dice: random.Random) -> dict[str, Any]:
    """An ontology of a box with a colour, a polygon, and two classifications."""
    radio = {"type": "radio", "required": False, "archived": False, "dynamic": False}

    def attribute(identifier: str, name: str, labels: list[str]) -> dict[str, Any]:
        options = [
            {
                "id": f"{identifier}.{position}",
                "label": label,
                "value": label.lower().replace(" ", "_"),
                "featureNodeHash": feature_identifier(dice),
                "archived": False,
            }
            for position, label in enumerate(labels, 1)
        ]
        return {
            **radio,
            "id": identifier,
            "name": name,
            "featureNodeHash": feature_identifier(dice),
            "options": options,
        }

    def shape(identifier: str, name: str, color: str, kind: str) -> dict[str, Any]:
        feature = feature_identifier(dice)
        head = {"id": identifier, "name": name, "color": color, "shape": kind, "featureNodeHash": feature}
        return {**head, "required": False, "archived": False}

    note = {**radio, "type": "text", "id": "2.1", "name": "Note", "featureNodeHash": feature_identifier(dice)}
    car = {**shape("1", "Car", "#D33115", "bounding_box"), "attributes": [attribute("1.1", "Colour", ["Red", "Blue"])]}
    weather = [attribute("1.1", "Weather", ["Clear", "Rain", "Heavy snow"])]
    return {
        "objects": [car, shape("2", "Person", "#E27300", "polygon")],
        "classifications": [
            {"id": "1", "featureNodeHash": feature_identifier(dice), "attributes": weather},
            {"id": "2", "featureNodeHash": feature_identifier(dice), "attributes": [note]},
        ],
        "skeleton_templates": [],
    }


def _check(wanted: NewProject) -> None:
    if wanted.frames is not None and wanted.kind == "image" and wanted.frames != 1:
        raise RefusalError(Reason.MALFORMED, "body: frames must be exactly 1 for images")
    if wanted.template is not None and not is_uuid(wanted.template):
        raise RefusalError(Reason.MALFORMED, "body: template must be the uuid of a template")


def _units(wanted: NewProject, places: range, dataset: str, dice: random.Random, now: str) -> Iterator[dict[str, Any]]:
    """The data units, as the view of them shows them."""
    frames = wanted.frames or _FRAMES[wanted.kind]
    hashes, items = new_uuids(len(places)), new_uuids(len(places))
    video = wanted.kind == "video"
    suffix = {"image": ".png", "video": ".mp4", "img_group": ""}[wanted.kind]
    for place, data_hash, item in zip(places, hashes, items, strict=True):
        width, height = dice.choice(_SIZES)
        link = f"{media.MADE_UP}{width}x{height}/{data_hash}"
        yield {
            "data_hash": data_hash,
            "dataset": dataset,
            "title": f"{wanted.kind}-{place:06d}{suffix}",
            "data_type": wanted.kind,
            "created_at": now,
            "last_edited_at": now,
            "width": width,
            "height": height,
            "frames": frames,
            "fps": _FPS if video else None,
            "duration": frames / _FPS if video else None,
            "file_link": None if wanted.kind == "img_group" else link,
            "file_size": 100_000,
            "file_type": "video/mp4" if video else "image/png",
            "storage_location": 0,
            "client_metadata": None,
            "images": _images(width, height, frames, now) if wanted.kind == "img_group" else None,
            "item_uuid": item,
        }


_ITEM_TYPES = {"image": "image", "video": "video", "img_group": "imageGroup"}
_OF_ITEM = (
    *("created_at", "last_edited_at", "width", "height", "frames", "fps", "duration", "file_link", "file_size"),
    *("file_type", "storage_location", "client_metadata", "images"),
)


def _item(unit: dict[str, Any], folder: str, owner: str) -> dict[str, Any]:
    """The storage item behind a data unit."""
    known = {column: unit[column] for column in _OF_ITEM}
    item_type = _ITEM_TYPES[unit["data_type"]]
    return {
        **known,
        "uuid": unit["item_uuid"],
        "folder": folder,
        "owner": owner,
        "item_type": item_type,
        "name": unit["title"],
    }


def _images(width: int, height: int, count: int, now: str) -> str:
    return json.dumps(
        [
            {
                "image_hash": (image := new_uuid()),
                "title": f"image-{place:06d}.png",
                "file_link": f"{media.MADE_UP}{width}x{height}/{image}",
                "file_type": "image/png",
                "file_size": 100_000,
                "storage_location": 0,
                "created_at": now,
                "last_edited_at": now,
                "height": height,
                "width": width,
            }
            for place in range(count)
        ]
    )


def _label_rows(
    wanted: NewProject, project: str, units: list[dict[str, Any]], ontology: Ontology, dice: random.Random, now: str
) -> Iterator[tuple[Any, ...]]:
    for label_hash, unit in zip(new_uuids(len(units)), units, strict=True):
        answers, parts = label_content.empty(unit)
        content = {**answers, "data_units": parts}
        paint(content, unit, ontology, dice, wanted.objects_per_row, wanted.owner, now)
        answers, parts = label_content.completed(content, unit, ontology, wanted.owner, now)
        inner, text = labels.inner(answers), labels.text(parts)
        yield label_hash, project, unit["data_hash"], "main", now, now, inner, text
