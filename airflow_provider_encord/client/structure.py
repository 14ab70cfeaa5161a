"""Ontology structures: completing the short form that people write to the form that Encord stores.

The client must set all ids, colours and feature hashes (protocol, section 7.4). They are derived from the names and not
random, so writing the same structure twice gives the same ontology.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.errors import InvalidArgumentError

SHAPES = (
    "bounding_box",
    "polygon",
    "point",
    "skeleton",
    "polyline",
    "rotatable_bounding_box",
    "bitmask",
    "audio",
    "time_range",
    "text",
    "cuboid",
    "cuboid_2d",
    "segmentation",
    "circle",
    "ellipse",
)
ATTRIBUTE_TYPES = ("radio", "checklist", "text", "numeric")
_COLOURS = (
    "#D33115",
    "#E27300",
    "#16406C",
    "#FE9200",
    "#FCDC00",
    "#DBDF00",
    "#A4DD00",
    "#68CCCA",
    "#73D8FF",
    "#AEA1FF",
)
_PARTS = ("objects", "classifications", "skeleton_templates")


def complete_structure(structure: Mapping[str, Any] | None) -> dict[str, Any]:
    """Complete a structure: add all missing values, and keep the given ones.

    Short form: ``{"objects": [{"name": "Car", "shape": "bounding_box", "attributes": [{"name": "colour", "type":
    "radio", "options": ["red", "blue"]}]}], "classifications": [{"name": "note", "type": "text"}]}``.

    :param structure: ``objects``, ``classifications`` and ``skeleton_templates``; each may be left out. An option may
        be written as its label only. A classification may be written as its single attribute; it then applies to the
        whole file (``"level": "global"``). A classification with ``attributes`` keeps its given ``level``; without
        ``level``, it applies to single frames.
    :return: The structure with all ids, colours, feature hashes and flags that Encord requires.
    :raises InvalidArgumentError: A part is unknown, has no name, or has an unknown shape or type.
    """
    if structure is not None and not isinstance(structure, Mapping):
        raise InvalidArgumentError(f"structure: it must be an object with {', '.join(_PARTS)}.")
    given = dict(structure or {})
    unknown = sorted(map(str, set(given) - set(_PARTS)))
    if unknown:
        raise InvalidArgumentError(f"structure: unknown part {', '.join(unknown)}. Use {', '.join(_PARTS)}.")
    objects, classifications = _list(given, "objects", "objects"), _list(given, "classifications", "classifications")
    complete = {
        "objects": [_object(object_, number) for number, object_ in enumerate(objects, 1)],
        "classifications": [
            _classification(classification, number) for number, classification in enumerate(classifications, 1)
        ],
        "skeleton_templates": list(_list(given, "skeleton_templates", "skeleton_templates")),
    }
    _require_distinct_hashes(complete)
    _require_distinct_ids(complete)
    return complete


def _list(given: Mapping[str, Any], key: str, where: str) -> Sequence[Any]:
    value = given.get(key)
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise InvalidArgumentError(f"structure: {where} must be a list.")
    return value


def _object(given: Mapping[str, Any], number: int) -> dict[str, Any]:
    where = f"objects[{number - 1}]"
    name, shape = _text(given, "name", where), _text(given, "shape", where)
    if shape not in SHAPES:
        shapes = ", ".join(SHAPES)
        raise InvalidArgumentError(f"structure: {where} ({name}) has the unknown shape {shape!r}. Use one of {shapes}.")
    complete = {
        "id": str(number),
        "color": _COLOURS[(number - 1) % len(_COLOURS)],
        "featureNodeHash": _hex_hash("object", name),
        "required": False,
        "archived": False,
        **given,
    }
    complete.pop("attributes", None)
    if attributes := _list(given, "attributes", f"{where}.attributes"):
        complete["attributes"] = _attributes(attributes, f"{where}.attributes", str(complete["id"]), name)
    return complete


def _classification(given: Mapping[str, Any], number: int) -> dict[str, Any]:
    where = f"classifications[{number - 1}]"
    short = not (isinstance(given, Mapping) and "attributes" in given)
    attributes = [given] if short else given["attributes"]
    if not isinstance(attributes, list) or len(attributes) != 1:
        raise InvalidArgumentError(f"structure: {where} must have exactly one attribute.")
    name = _text(attributes[0], "name", where)
    complete: dict[str, Any] = {
        "id": str(number),
        "featureNodeHash": _hex_hash("classification", name),
        **({"level": "global"} if short else given),
    }
    complete["attributes"] = _attributes(attributes, f"{where}.attributes", str(complete["id"]), name)
    return complete


def _attributes(given: Sequence[Mapping[str, Any]], where: str, parent: str, path: str) -> list[dict[str, Any]]:
    return [
        _attribute(attribute, f"{where}[{number - 1}]", f"{parent}.{number}", path)
        for number, attribute in enumerate(given, 1)
    ]


def _attribute(given: Mapping[str, Any], where: str, identity: str, path: str) -> dict[str, Any]:
    name, kind = _text(given, "name", where), _text(given, "type", where)
    if kind not in ATTRIBUTE_TYPES:
        kinds = ", ".join(ATTRIBUTE_TYPES)
        raise InvalidArgumentError(f"structure: {where} ({name}) has the unknown type {kind!r}. Use one of {kinds}.")
    path = f"{path}/{name}"
    complete = {
        "id": identity,
        "featureNodeHash": _base64_hash("attribute", path),
        "required": False,
        "archived": False,
        "dynamic": False,
        **given,
    }
    complete.pop("options", None)
    if options := _list(given, "options", f"{where}.options"):
        complete["options"] = [
            _option(option, f"{where}.options[{number - 1}]", f"{complete['id']}.{number}", path)
            for number, option in enumerate(options, 1)
        ]
    return complete


def _option(given: Mapping[str, Any] | str, where: str, identity: str, path: str) -> dict[str, Any]:
    if isinstance(given, str):
        given = {"label": given}
    label = _text(given, "label", where)
    path = f"{path}/{label}"
    complete = {
        "id": identity,
        "value": "_".join(label.lower().split()),
        "featureNodeHash": _base64_hash("option", path),
        "archived": False,
        **given,
    }
    complete.pop("options", None)
    if options := _list(given, "options", f"{where}.options"):
        complete["options"] = _attributes(options, f"{where}.options", str(complete["id"]), path)
    return complete


def _text(given: Any, key: str, where: str) -> str:
    value = given.get(key) if isinstance(given, Mapping) else None
    if not isinstance(value, str) or not value.strip():
        raise InvalidArgumentError(f"structure: {where} has no {key!r}. Add it, as text.")
    return value


def _digest(kind: str, path: str) -> bytes:
    return hashlib.sha256(f"{kind}:{path}".encode("utf-8", "surrogatepass")).digest()


def _hex_hash(kind: str, path: str) -> str:
    return _digest(kind, path).hex()[:8]


def _base64_hash(kind: str, path: str) -> str:
    return base64.b64encode(_digest(kind, path)[:6]).decode()


def _require_distinct_hashes(structure: Mapping[str, Any]) -> None:
    seen: dict[str, str] = {}
    for name, feature in _features([*structure["objects"], *structure["classifications"]]):
        if feature in seen:
            raise InvalidArgumentError(
                f"structure: {seen[feature]!r} and {name!r} have the same featureNodeHash {feature}, which must be "
                "unique. Rename one of them, or set different featureNodeHash values."
            )
        seen[feature] = name


def _require_distinct_ids(structure: Mapping[str, Any]) -> None:
    """Check ids. An object and a classification may have the same id."""
    for part in ("objects", "classifications"):
        seen: set[str] = set()
        for feature in structure[part]:
            if str(feature["id"]) in seen:
                raise InvalidArgumentError(
                    f"structure: two {part} have the same id {feature['id']}. Change one of the ids."
                )
            seen.add(str(feature["id"]))


def _features(parts: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for part in parts:
        yield part.get("name") or part.get("label") or part["attributes"][0]["name"], part["featureNodeHash"]
        yield from _features([*part.get("attributes", []), *part.get("options", [])])
