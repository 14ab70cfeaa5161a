"""The features of an ontology: its objects, classifications, attributes and options, by name or feature hash."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

GEOMETRY = {
    "bounding_box": "boundingBox",
    "rotatable_bounding_box": "rotatableBoundingBox",
    "polygon": "polygon",
    "polyline": "polyline",
    "point": "point",
    "bitmask": "bitmask",
    "skeleton": "skeleton",
    "circle": "circle",
    "ellipse": "ellipse",
    "cuboid": "cuboid",
    "cuboid_2d": "cuboid_2d",
}
"""The key of the geometry, by shape (protocol, section 7.5)."""


class WrongLabelsError(ValueError):
    """Labels that do not match the ontology or the data unit. The message names the field and the fix."""


class Features:
    """The features of an ontology to which labels refer.

    :param structure: Structure of the project's ontology.
    """

    def __init__(self, structure: Mapping[str, Any]):
        self._objects = list(structure.get("objects") or ())
        self._found: dict[str, Mapping[str, Any]] = {}
        """The objects that were asked for, by what they were asked for; a source has many of each."""
        self._classifications = list(structure.get("classifications") or ())
        self._skeletons: list[Mapping[str, Any]] = [
            entry["template"] for entry in structure.get("skeleton_templates") or ()
        ]

    @property
    def names(self) -> str:
        """The names of all objects and classifications, with the shapes of the objects, for messages."""
        objects = [f"{object_.get('name')} ({object_.get('shape')})" for object_ in self._objects]
        names = [*objects, *(str(_name_of_classification(feature)) for feature in self._classifications)]
        return ", ".join(names) or "no features"

    def object(self, wanted: Any) -> Mapping[str, Any]:
        """Find an object by its name or feature hash.

        :raises WrongLabelsError: No object has the name, or several do.
        """
        if not isinstance(wanted, str):
            return _one("object", self._objects, wanted, lambda object_: object_.get("name"))
        found = self._found.get(wanted)
        if found is None:
            found = _one("object", self._objects, wanted, lambda object_: object_.get("name"))
            self._found[wanted] = found
        return found

    def classification(self, wanted: Any) -> Mapping[str, Any]:
        """Find a classification by its name or feature hash.

        :raises WrongLabelsError: No classification has the name, or several do.
        """
        return _one("classification", self._classifications, wanted, _name_of_classification)

    def skeleton(self, feature: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The template of a skeleton object, which has the same hash or name; None if it does not exist."""
        for key, value in (("feature_node_hash", feature["featureNodeHash"]), ("name", feature["name"])):
            for template in self._skeletons:
                if template.get(key) == value:
                    return template
        return None


def attribute_of(feature: Mapping[str, Any], wanted: Any) -> Mapping[str, Any]:
    """Find an attribute of an object or classification, including nested attributes.

    :raises WrongLabelsError: It does not exist.
    """
    return _one(
        "attribute",
        list(attributes_in(feature.get("attributes") or ())),
        wanted,
        lambda attribute: attribute.get("name"),
    )


def answer_of(attribute: Mapping[str, Any], value: Any) -> Any:
    """Convert an answer to the format of a label row: text, a number, or options.

    :param value: The answer. For options, one or several labels, values or feature hashes.
    :raises WrongLabelsError: The answer does not match the attribute.
    """
    name, type_ = attribute.get("name"), attribute.get("type")
    if type_ == "text":
        if not isinstance(value, str):
            raise WrongLabelsError(f"answer to {name!r}: it is not text.")
        return value
    if type_ == "numeric":
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise WrongLabelsError(f"answer to {name!r}: it is not a number.")
        return value
    chosen = value if isinstance(value, list) else [value]
    if type_ == "radio" and len(chosen) > 1:
        raise WrongLabelsError(f"answer to {name!r}: it has {len(chosen)} options. Choose exactly one.")
    return [_option(attribute, choice) for choice in chosen]


def _option(attribute: Mapping[str, Any], wanted: Any) -> dict[str, Any]:
    if isinstance(wanted, Mapping):
        wanted = wanted.get("featureHash") or wanted.get("value") or wanted.get("name")
    options = attribute.get("options") or ()
    for option in options:
        if wanted in (option.get("featureNodeHash"), option.get("label"), option.get("value")):
            return {"name": option["label"], "value": option["value"], "featureHash": option["featureNodeHash"]}
    known = ", ".join(str(option.get("label")) for option in options)
    raise WrongLabelsError(f"answer to {attribute.get('name')!r}: {str(wanted)[:80]!r} is not one of {known}.")


def attributes_in(attributes: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    """These attributes, and those of their options, at any depth."""
    for attribute in attributes:
        yield attribute
        for option in attribute.get("options") or ():
            yield from attributes_in(option.get("options") or ())


def _name_of_classification(classification: Mapping[str, Any]) -> Any:
    attributes = classification.get("attributes") or ()
    return attributes[0].get("name") if attributes else None


def _one(kind: str, features: Iterable[Mapping[str, Any]], wanted: Any, name_of: Any) -> Mapping[str, Any]:
    features = list(features)
    found = [feature for feature in features if feature.get("featureNodeHash") == wanted]
    found = found or [feature for feature in features if name_of(feature) == wanted]
    if len(found) == 1:
        return found[0]
    known = ", ".join(str(name_of(feature)) for feature in features) or "none"
    problem = f"{len(found)} {kind}s have this name; use the feature hash" if found else f"the ontology has {known}"
    raise WrongLabelsError(f"{kind} {str(wanted)[:80]!r}: {problem}.")
