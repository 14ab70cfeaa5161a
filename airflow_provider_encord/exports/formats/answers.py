"""The answers of a label row, with the names of the ontology.

Encord's editor writes the name of the *attribute* as the name of the chosen option; only the ``featureHash`` and the
``value`` identify the option. A checklist can have several answers to one attribute on a frame, one per chosen option.
So options are looked up in the ontology by their feature hash, and the answers to one attribute are joined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

Document: TypeAlias = Mapping[str, Any]

_RADIO = "radio"


class Names:
    """The names of attributes and options in an ontology.

    :param structure: Structure of the ontology; ``{}`` if it is not known.
    """

    def __init__(self, structure: Document):
        self._attributes: dict[str, str] = {}
        self._options: dict[str, str] = {}
        self._single: set[str] = set()
        for kind in ("objects", "classifications"):
            for feature in mappings(structure.get(kind)):
                self._add(feature)

    def answers(self, given: Iterable[Document]) -> dict[str, Any]:
        """Answers by attribute name: text, a number, or the names of the chosen options.

        Several answers to one attribute are joined: all options of a checklist; for other types, the last answer. If
        several attributes have the same name, the feature hash is added to the name of the later ones.
        """
        found: dict[str, tuple[str, Any]] = {}
        for value in given:
            hash_ = value.get("featureHash")
            name = self._attributes.get(str(hash_)) or str(value.get("name") or value.get("value"))
            key = hash_ if isinstance(hash_, str) else f"name: {name}"
            answer = self._answer(value.get("answers"), value.get("name"))
            if (
                key in found
                and isinstance(answer, list)
                and isinstance(found[key][1], list)
                and key not in self._single
            ):
                answer = [*found[key][1], *(option for option in answer if option not in found[key][1])]
            found[key] = (name, answer)
        return _by_name(found)

    def _add(self, feature: Document) -> None:
        """Add the attributes of an object or classification, including those that are nested in options."""
        for attribute in mappings(feature.get("attributes")):
            self._add_attribute(attribute)

    def _add_attribute(self, attribute: Document) -> None:
        hash_ = str(attribute.get("featureNodeHash"))
        self._attributes[hash_] = str(attribute.get("name"))
        if attribute.get("type") == _RADIO:
            self._single.add(hash_)
        for option in mappings(attribute.get("options")):
            self._options[str(option.get("featureNodeHash"))] = str(option.get("label"))
            for nested in mappings(option.get("options")):
                self._add_attribute(nested)

    def _answer(self, answers: Any, attribute: Any) -> Any:
        """The value of an answer: the names of options; text and numbers unchanged."""
        if not isinstance(answers, list):
            return answers
        return [self._option(answer, attribute) if isinstance(answer, Mapping) else answer for answer in answers]

    def _option(self, option: Document, attribute: Any) -> Any:
        label = self._options.get(str(option.get("featureHash")))
        if label is not None:
            return label
        name, value = option.get("name"), option.get("value")
        return value if name is None or (name == attribute and value is not None) else name


def _by_name(found: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for key, (name, answer) in found.items():
        if name in named:
            name = f"{name} ({key})"
        while name in named:
            name += "'"
        named[name] = answer
    return named


def mappings(values: Any) -> Iterator[Document]:
    """The JSON objects among some values, which may be in any container."""
    if type(values) is list:  # nearly always; asking whether it is iterable takes longer than what follows
        for value in values:
            if type(value) is dict or isinstance(value, Mapping):
                yield value
    elif values is not None and not isinstance(values, str | Mapping) and isinstance(values, Iterable):
        yield from (value for value in values if isinstance(value, Mapping))


NO_NAMES = Names({})
