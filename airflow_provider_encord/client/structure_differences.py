"""The differences of two ontology structures in the properties that people see: names, shapes and types.

Ids, colours and feature hashes are not compared, because the web app makes other ones for the same ontology. Features
that are archived in Encord count as missing, because people cannot label with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_MOST_NAMED = 10


def differences(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """Describe the differences.

    :param wanted: The requested structure, completed by `complete_structure`.
    :param there: The structure at Encord.
    :return: Clauses about the structure at Encord: at most ten, and the number of further ones. Empty if nothing
        differs.
    """
    ours, theirs = dict(_parts(wanted)), dict(_parts(there))
    clauses = [f"it lacks {name}" for name in _topmost(ours, theirs)]
    clauses += [f"it has {name}, which was not requested" for name in _topmost(theirs, ours)]
    both = [name for name in ours if name in theirs]
    clauses += [f"{name} is {theirs[name]}, not {ours[name]}" for name in both if ours[name] != theirs[name]]
    more = len(clauses) - _MOST_NAMED
    return clauses if more <= 0 else [*clauses[:_MOST_NAMED], f"{more} more"]


def _topmost(some: Mapping[str, str], others: Mapping[str, str]) -> list[str]:
    """Names that the others do not have, without the names below one of them."""
    missing = [name for name in some if name not in others]
    return [name for name in missing if name.rpartition(" / ")[0] not in missing]


def _parts(structure: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every object, classification, attribute and option: its path of names, and its shape or type."""
    for object_ in _living(structure.get("objects")):
        yield from _part("object ", object_)
    for classification in _living(structure.get("classifications")):
        for attribute in _living(classification.get("attributes")):
            yield from _part("classification ", attribute)


def _part(path: str, feature: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    name = f"{path}{feature.get('name') or feature.get('label')}"
    yield name, str(feature.get("shape") or feature.get("type") or "")
    for below in (*_living(feature.get("attributes")), *_living(feature.get("options"))):
        yield from _part(f"{name} / ", below)


def _living(parts: Any) -> list[Mapping[str, Any]]:
    return [part for part in parts or () if isinstance(part, Mapping) and not part.get("archived")]
