"""Compare the fields of responses with the fields in the protocol reference.

This module returns only names of fields, never values. Some objects have ids or the customer's words as keys. These
objects are not compared, and a key that does not look like a field name is not shown.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z_]*[0-9]?[A-Za-z_]*")
_LONGEST_NAME = 40
NAMELESS = "(a key that does not look like a field)"


@dataclasses.dataclass(frozen=True)
class Shape:
    """The fields of an object, or of each object in a list.

    :param required: Fields that are always present.
    :param optional: Fields that may be absent.
    :param inside: Shapes of the fields that contain objects or lists of objects. Other fields are not compared further.
    :param keyed: The value is an object that maps ids to objects with these fields.
    """

    required: frozenset[str]
    optional: frozenset[str]
    inside: Mapping[str, Shape]
    keyed: bool = False


def shape(names: str, **inside: Shape) -> Shape:
    """Create a shape.

    :param names: Field names, separated by blanks. Names of optional fields end with ``?``.
    """
    words = names.split()
    optional = frozenset(word.removesuffix("?") for word in words if word.endswith("?"))
    return Shape(frozenset(words) - {f"{name}?" for name in optional}, optional, inside)


def by_id(each: Shape) -> Shape:
    """The shape of an object that maps ids to objects of the given shape."""
    return dataclasses.replace(each, keyed=True)


@dataclasses.dataclass(frozen=True)
class Differences:
    """The fields in which responses differ from the reference.

    :param unknown: Fields in the response that the reference does not list.
    :param absent: Fields that the reference lists as always present, but that the response does not have.
    """

    unknown: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()

    def __or__(self, other: Differences) -> Differences:
        return Differences(self.unknown | other.unknown, self.absent | other.absent)


NO_DIFFERENCES = Differences()


def merged(every: Iterable[Differences]) -> Differences:
    """Merge differences."""
    return functools.reduce(operator.or_, every, NO_DIFFERENCES)


def differences(content: Any, expected: Shape, *, camel: bool) -> Differences:
    """Compare a response with the listed fields.

    :param camel: Treat ``snake_case`` names like ``camelCase``. Another check compares the spelling.
    """
    found = list(_found(content, expected, "", camel))
    return Differences(
        frozenset(name for kind, name in found if kind == "unknown"),
        frozenset(name for kind, name in found if kind == "absent"),
    )


def _found(content: Any, expected: Shape, path: str, camel: bool) -> Iterator[tuple[str, str]]:
    if expected.keyed and isinstance(content, dict):
        content, expected = list(content.values()), dataclasses.replace(expected, keyed=False)
    if isinstance(content, list):
        for item in content:
            yield from _found(item, expected, path, camel)
    if not isinstance(content, dict):
        return
    fields = {in_camel_case(name) if camel else name: value for name, value in content.items()}
    for name in fields.keys() - expected.required - expected.optional:
        yield "unknown", path + shown(name)
    for name in expected.required - fields.keys():
        yield "absent", path + name
    for name, inner in expected.inside.items():
        yield from _found(fields.get(name), inner, f"{path}{name}.", camel)


def in_camel_case(name: str) -> str:
    """``last_edited_at`` as ``lastEditedAt``."""
    return re.sub(r"(?<=[a-z0-9])_([a-z])", lambda match: match[1].upper(), name)


def shown(name: str) -> str:
    """The name, if it looks like the name of a field."""
    fits = len(name) <= _LONGEST_NAME and _FIELD_NAME.fullmatch(name)
    return name if fits and not re.fullmatch(r"[0-9a-f]{6,}", name) else NAMELESS
