"""One annotation of a source, before its class is looked up in the ontology."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from airflow_provider_encord.prelabels.forms.scale import Scale

Draw: TypeAlias = Callable[[], Mapping[str, Any]]
"""Makes the geometry of the short form. Raises `WrongLabelsError`."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An object on a frame.

    :param where: Its place in the source, for messages.
    :param label: Class of the source.
    :param shapes: What it can be drawn as, by shape of the ontology. Only the shape of its feature is drawn.
    :param scale: Size of the image; it also notes whether a shape had to be clipped.
    :param score: The source's score; None if it has none.
    :param track: Id of an object that is on several frames; None if the object is identified by its content.
    :param attributes: Answers by attribute. Attributes that the ontology does not have are left out and counted.
    """

    where: str
    label: str
    shapes: Mapping[str, Draw]
    scale: Scale
    score: float | None = None
    frame: int | None = None
    track: str | int | None = None
    attributes: Mapping[str, Any] = {}


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """A classification of a data unit or of some of its frames.

    :param label: Name of the classification in the source.
    :param answer: Answer to its first attribute; None if the answers are in `attributes`.
    """

    where: str
    label: str
    answer: Any = None
    attributes: Mapping[str, Any] = {}
    score: float | None = None
    frames: list[list[int]] | None = None


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """An annotation that cannot be read.

    :param problem: What is wrong, and the fix.
    """

    where: str
    problem: str


Entry: TypeAlias = Item | Tag | Wrong
