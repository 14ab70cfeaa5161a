"""The questions of an ontology: the attributes of its objects and classifications, by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.exports.formats.answers import mappings

_MOST_NAMED = 20


class Question(msgspec.Struct):
    """All attributes of a name.

    :param options: The labels of their options, in order.
    :param types: Their types, such as ``"radio"``.
    """

    options: list[str] = []
    types: set[str] = msgspec.field(default_factory=set)


def add_questions(attributes: Any, questions: dict[str, Question]) -> Iterator[str]:
    """Add attributes, also those that are nested in options, and return their names.

    :param questions: Where they are added.
    """
    for attribute in mappings(attributes):
        name = str(attribute.get("name"))
        question = questions.setdefault(name, Question())
        question.types.add(str(attribute.get("type")))
        yield name
        for option in mappings(attribute.get("options")):
            label = option.get("label")
            if label is not None and str(label) not in question.options:
                question.options.append(str(label))
            yield from add_questions(option.get("options"), questions)


def listed(names: Sequence[str]) -> str:
    """Names for a message, of which only the first are shown."""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(repr(name[:80]) for name in names[:_MOST_NAMED]) + more
