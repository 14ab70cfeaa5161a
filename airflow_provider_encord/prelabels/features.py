"""What an ontology allows: its objects, classifications, attributes and options, by name or feature hash."""

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
    """Labels that do not fit; the message names the field and the fix."""


class Features:
    """What of an ontology labels refer to.

    :param structure: Of the project's ontology.
    """

    def __init__(self, structure: Mapping[str, Any]):
        self._objects = list(structure.get("objects") or ())
        self._classifications = list(structure.get("classifications") or ())

    def object(self, wanted: Any) -> Mapping[str, Any]:
        """An object by its name or feature hash.

        :raises WrongLabelsError: None, or several have the name.
        """
        return _one("object", self._objects, wanted, lambda one: one.get("name"))

    def classification(self, wanted: Any) -> Mapping[str, Any]:
        """A classification by its name or feature hash.

        :raises WrongLabelsError: None, or several have the name.
        """
        return _one("classification", self._classifications, wanted, _name_of_classification)


def attribute_of(feature: Mapping[str, Any], wanted: Any) -> Mapping[str, Any]:
    """An attribute of an object or classification, nested ones among them.

    :raises WrongLabelsError: It does not exist.
    """
    return _one("attribute", list(_attributes(feature.get("attributes") or ())), wanted, lambda one: one.get("name"))


def answer_of(attribute: Mapping[str, Any], value: Any) -> Any:
    """An answer as a label row has it: text, a number, or options.

    :param value: Of options, the labels, values or feature hashes; one, or a list.
    :raises WrongLabelsError: It does not fit the attribute.
    """
    name, type_ = attribute.get("name"), attribute.get("type")
    if type_ == "text":
        if not isinstance(value, str):
            raise WrongLabelsError(f"answer to {name!r}: it must be a text.")
        return value
    if type_ == "numeric":
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise WrongLabelsError(f"answer to {name!r}: it must be a number.")
        return value
    chosen = value if isinstance(value, list) else [value]
    if type_ == "radio" and len(chosen) > 1:
        raise WrongLabelsError(f"answer to {name!r}: one option, and not {len(chosen)}.")
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


def _attributes(attributes: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    for attribute in attributes:
        yield attribute
        for option in attribute.get("options") or ():
            yield from _attributes(option.get("options") or ())


def _name_of_classification(one: Mapping[str, Any]) -> Any:
    attributes = one.get("attributes") or ()
    return attributes[0].get("name") if attributes else None


def _one(kind: str, features: Iterable[Mapping[str, Any]], wanted: Any, name_of: Any) -> Mapping[str, Any]:
    features = list(features)
    found = [feature for feature in features if feature.get("featureNodeHash") == wanted]
    found = found or [feature for feature in features if name_of(feature) == wanted]
    if len(found) == 1:
        return found[0]
    known = ", ".join(str(name_of(feature)) for feature in features) or "none"
    problem = f"{len(found)} {kind}s are named so; give the feature hash" if found else f"the ontology has {known}"
    raise WrongLabelsError(f"{kind} {str(wanted)[:80]!r}: {problem}.")
