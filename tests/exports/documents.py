"""Label rows of every shape, small enough to be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st

from airflow_provider_encord.client.api.labels import LabelRow
from airflow_provider_encord.exports.formats.annotations import Annotation, annotations_of

RECORDED = Path(__file__).with_name("recorded") / "label_rows.json"
TIME = "Mon, 23 Nov 2026 06:59:47 UTC"
WIDTH, HEIGHT = 200, 100
STRUCTURE = {
    "objects": [
        {"id": str(number), "name": shape.title(), "shape": shape, "featureNodeHash": f"f-{shape}"}
        for number, shape in enumerate(
            ["bounding_box", "rotatable_bounding_box", "polygon", "bitmask", "polyline", "point", "cuboid"], start=1
        )
    ]
}


def drawn(shape: str, hash_: str, **geometry: Any) -> dict[str, Any]:
    """An object on a frame."""
    return {
        "name": shape.title(),
        "shape": shape,
        "value": shape,
        "objectHash": hash_,
        "featureHash": f"f-{shape}",
        "createdAt": TIME,
        "createdBy": "a@example.com",
        "lastEditedAt": "Mon, 23 Nov 2026 07:04:37 ",
        "confidence": 0.5,
        "manualAnnotation": False,
        **geometry,
    }


BOX = drawn("bounding_box", "box", boundingBox={"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4})
TURNED = drawn(
    "rotatable_bounding_box", "turned", rotatableBoundingBox={"x": 0.25, "y": 0.25, "w": 0.5, "h": 0.5, "theta": 90}
)
TRIANGLE = drawn(
    "polygon", "triangle", polygon={str(n): {"x": x, "y": y} for n, (x, y) in enumerate([(0, 0), (0.5, 0), (0, 0.5)])}
)
FRAME_OF_SQUARE = drawn(
    "polygon",
    "frame",
    polygon={"0": {"x": 0.1, "y": 0.1}},
    polygons=[[[0.1, 0.1, 0.5, 0.1, 0.5, 0.9, 0.1, 0.9], [0.2, 0.3, 0.4, 0.3, 0.4, 0.7, 0.2, 0.7]]],
)
TWO_PARTS = drawn("polygon", "parts", polygons=[[[0, 0, 0.1, 0, 0.1, 0.1]], [[0.5, 0.5, 0.6, 0.5, 0.6, 0.6]]])
# rows 010 / 011 of a part of the image, as the SDK's `serialise_bitmask` writes them
MASK = drawn("bitmask", "mask", bitmask={"top": 10, "left": 20, "height": 2, "width": 3, "rleString": "1121"})
LINE = drawn("polyline", "line", polyline={"0": {"x": 0.1, "y": 0.1}, "1": {"x": 0.2, "y": 0.3}})
POINT = drawn("point", "point", point={"0": {"x": 0.1, "y": 0.1}})
CUBOID = drawn("cuboid", "cuboid", cuboid={"position": [0, 0, 0]})
EVERY_SHAPE = [BOX, TURNED, TRIANGLE, FRAME_OF_SQUARE, TWO_PARTS, MASK, LINE, POINT, CUBOID]


def recorded(name: str) -> dict[str, Any]:
    """A label row as the vendor's SDK read it in a recording; of `shapes`, as it saved it."""
    rows: dict[str, dict[str, Any]] = json.loads(RECORDED.read_text())
    return rows[name]


def option(name: str, answers: Any, **more: Any) -> dict[str, Any]:
    """An attribute with its answer."""
    return {"name": name, "value": name.lower(), "answers": answers, "featureHash": f"f-{name}", **more}


def unit(data_hash: str, labels: Any, sequence: Any = "0", **more: Any) -> dict[str, Any]:
    """A data unit."""
    return {
        "data_hash": data_hash,
        "data_title": f"{data_hash}.jpg",
        "data_sequence": sequence,
        "data_type": "image/jpeg",
        "width": WIDTH,
        "height": HEIGHT,
        "labels": labels,
        **more,
    }


def row(data_type: str, *units: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A label row; its objects have answers without anything by default."""
    frames = [
        frame for one in units for frame in ([one["labels"]] if "objects" in one["labels"] else one["labels"].values())
    ]
    hashes = {one["objectHash"] for frame in frames for one in frame.get("objects", [])}
    return {
        "label_hash": "label",
        "data_hash": units[0]["data_hash"],
        "data_title": "title",
        "dataset_hash": "dataset",
        "branch_name": "main",
        "data_type": data_type,
        "data_units": {one["data_hash"]: one for one in units},
        "object_answers": {hash_: {"objectHash": hash_, "classifications": []} for hash_ in sorted(hashes)},
        "object_actions": {},
        "classification_answers": {},
        "spaces": {},
        **more,
    }


def image(*objects: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The label row of an image with these objects."""
    return row("image", unit("image", {"objects": list(objects), "classifications": []}), **more)


def label_row(document: dict[str, Any]) -> LabelRow:
    """As the client reads it."""
    content = msgspec.Raw(json.dumps(document).encode())
    return LabelRow(label_hash=document["label_hash"], data_hash=document["data_hash"], content=content)


NEW = {
    "c": {
        "classificationHash": "c",
        "featureHash": "f",
        "classifications": [option("Weather", "rain")],
        "range": [[0, 1], [4, 4]],
        "createdAt": TIME,
        "createdBy": "a@example.com",
        "confidence": 1.0,
        "manualAnnotation": True,
    }
}
"""Answers to a classification in the newer form."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
"""Anything that JSON can hold."""


def records_of(document: dict[str, Any]) -> list[Annotation]:
    """The annotations of a document, without what was left out."""
    return [one for one in annotations_of(document) if isinstance(one, Annotation)]
