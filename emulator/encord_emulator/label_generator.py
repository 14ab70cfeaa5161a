"""Made-up labels that are real ones: objects and classifications of the ontology, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from . import times
from .identifiers import label_identifier
from .label_content import Ontology, Unit

_SPAN = 3
"""Over how many frames of a video an object lasts."""


def paint(
    content: dict[str, Any], unit: Unit, ontology: Ontology, dice: random.Random, count: int, author: str, now: str
) -> None:
    """Add ``count`` objects to a label row, and answer its first classification, in place.

    :param content: The answers and ``data_units`` of the row. An ontology without a drawable object gets none.
    """
    pen = _Pen(dice, author, times.label_row(now))
    drawable = _drawable(ontology)
    for _ in range(count if drawable else 0):
        feature = drawable[int(dice.random() * len(drawable))]
        identifier = _unused(content["object_answers"], dice)
        for labels in _places(content["data_units"], unit, dice):
            labels["objects"].append(pen.draw(feature, identifier))
        content["object_answers"][identifier] = {
            "objectHash": identifier,
            "classifications": [
                pen.answer(attribute) for attribute in feature.get("attributes") or [] if not attribute.get("dynamic")
            ],
        }
    for feature in list(ontology.classifications.values())[:1]:
        _classify(content, unit, feature, pen)


def can_draw(ontology: Ontology) -> bool:
    """Whether the ontology has an object of one of the :data:`DRAWABLE` shapes."""
    return bool(_drawable(ontology))


def _drawable(ontology: Ontology) -> list[dict[str, Any]]:
    return [item for item in ontology.objects.values() if item.get("shape") in _SHAPES]


def _unused(answers: dict[str, Any], dice: random.Random) -> str:
    """A new identifier. Who annotates twice with the same seed would draw the same one again."""
    while (identifier := label_identifier(dice)) in answers:
        pass
    return identifier


def _classify(content: dict[str, Any], unit: Unit, feature: dict[str, Any], pen: _Pen) -> None:
    answers: dict[str, Any] = content["classification_answers"]
    given = [pen.answer(attribute) for attribute in feature["attributes"]]
    for answer in answers.values():
        if answer.get("featureHash") == feature["featureNodeHash"]:
            answer |= {"classifications": given, "lastEditedBy": pen.author, "lastEditedAt": pen.time}
            return
    identifier = _unused(answers, pen.dice)
    answers[identifier] = {
        "classificationHash": identifier,
        "featureHash": feature["featureNodeHash"],
        "classifications": given,
        "range": [[0, unit["frames"] - 1]],
        "spaces": {},
        "confidence": 1.0,
        "manualAnnotation": True,
        **pen.signature(),
    }


def _places(units: dict[str, Any], unit: Unit, dice: random.Random) -> list[dict[str, Any]]:
    """The frames in which one object is seen."""
    one = dice.choice(list(units.values()))
    if unit["data_type"] in ("image", "img_group"):
        return [one["labels"]]
    first = dice.randrange(unit["frames"])
    numbers = range(first, min(first + _SPAN, unit["frames"]))
    return [one["labels"].setdefault(str(number), {"objects": [], "classifications": []}) for number in numbers]


class _Pen:
    """Draws in one person's name."""

    def __init__(self, dice: random.Random, author: str, time: str) -> None:
        self.dice, self.author, self.time = dice, author, time

    def signature(self) -> dict[str, str]:
        return {
            "createdBy": self.author,
            "createdAt": self.time,
            "lastEditedBy": self.author,
            "lastEditedAt": self.time,
        }

    def draw(self, feature: dict[str, Any], identifier: str) -> dict[str, Any]:
        """An object in a frame."""
        return {
            "name": feature["name"],
            "color": feature.get("color", "#D33115"),
            "shape": feature["shape"],
            "value": feature["name"].lower().replace(" ", "_"),
            "confidence": 1.0,
            "objectHash": identifier,
            "featureHash": feature["featureNodeHash"],
            "manualAnnotation": True,
            **self.signature(),
            **_SHAPES[feature["shape"]](self.dice),
        }

    def answer(self, attribute: dict[str, Any]) -> dict[str, Any]:
        """An answer to an attribute: of its options, or a made-up text or number."""
        return {
            "name": attribute["name"],
            "value": attribute["name"].lower().replace(" ", "_"),
            "answers": self._value(attribute),
            "featureHash": attribute["featureNodeHash"],
            "manualAnnotation": True,
        }

    def _value(self, attribute: dict[str, Any]) -> Any:
        if attribute["type"] == "text":
            return f"note {self.dice.randrange(1000)}"
        if attribute["type"] == "numeric":
            return self.dice.randrange(1000)
        options = attribute.get("options") or []
        chosen = [self.dice.choice(options)] if options else []
        return [
            {"name": option["label"], "value": option["value"], "featureHash": option["featureNodeHash"]}
            for option in chosen
        ]


def _fraction(dice: random.Random, most: float = 0.6) -> float:
    # Not round(uniform()): a hundred thousand rows need a few million of these.
    return int((0.05 + dice.random() * (most - 0.05)) * 10_000) / 10_000


def _box(dice: random.Random) -> dict[str, Any]:
    size = {"h": _fraction(dice, 0.3), "w": _fraction(dice, 0.3), "x": _fraction(dice), "y": _fraction(dice)}
    return {"boundingBox": size}


def _turned_box(dice: random.Random) -> dict[str, Any]:
    return {"rotatableBoundingBox": {**_box(dice)["boundingBox"], "theta": round(dice.uniform(0, 359), 2)}}


def _points(dice: random.Random, count: int) -> list[dict[str, float]]:
    return [{"x": _fraction(dice), "y": _fraction(dice)} for _ in range(count)]


def _numbered(points: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    return {str(position): point for position, point in enumerate(points)}


def _polygon(dice: random.Random) -> dict[str, Any]:
    points = _points(dice, 4)
    flat = [number for point in points for number in (point["x"], point["y"])]
    return {"polygon": _numbered(points), "polygons": [[flat]]}


_SHAPES: dict[str, Callable[[random.Random], dict[str, Any]]] = {
    "bounding_box": _box,
    "rotatable_bounding_box": _turned_box,
    "polygon": _polygon,
    "polyline": lambda dice: {"polyline": _numbered(_points(dice, 3))},
    "point": lambda dice: {"point": _numbered(_points(dice, 1))},
}

DRAWABLE = tuple(_SHAPES)
"""Shapes of objects that are drawn."""
