"""The classes of a training set: those of the ontology, renamed, merged or dropped."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.formats.answers import mappings
from airflow_provider_encord.training.questions import Question, add_questions, listed


class Classes:
    """Finds the class of an object or answer.

    The numbers of the classes are their places in the ontology, after merging. They stay the same as long as
    classes are only added at the end.

    :param known: Names in the ontology, in order.
    :param class_map: New names by name; None drops a class. Names that are missing stay as they are.
    :param hashes: The names of objects by feature hash. Label rows keep the name that an object had when it was drawn.
    :raises InvalidArgumentError: `class_map` has a name that the ontology does not have, or drops all classes.
    """

    def __init__(self, known: Sequence[str], class_map: Mapping[str, Any], hashes: Mapping[str, str] | None = None):
        unknown = [name for name in class_map if name not in known]
        if unknown:
            raise InvalidArgumentError(
                f"class_map: the ontology does not have {listed(unknown)}. It has {listed(known) or 'no classes'}."
            )
        wrong = [name for name, new in class_map.items() if new is not None and (not isinstance(new, str) or not new)]
        if wrong:
            raise InvalidArgumentError(
                f"class_map: the new name of {listed(wrong)} is not a text. Pass a name, or None."
            )
        self._new = {name: class_map.get(name, name) for name in known}
        self.names = list(dict.fromkeys(name for name in self._new.values() if name is not None))
        if not self.names:
            raise InvalidArgumentError(
                "class_map: no class is left. The ontology has none that this form can use, or all of them are dropped."
            )
        self._hashes = hashes
        self._numbers = {name: number for number, name in enumerate(self.names)}

    def of(self, name: str | None) -> str | None:
        """The class; None if it is dropped."""
        return self._new.get(name or "")

    def name_of(self, feature_hash: str | None, name: str | None) -> str | None:
        """The name of an object in the ontology; None if the ontology does not have it any more."""
        return name if self._hashes is None else self._hashes.get(feature_hash or "")

    def knows(self, name: str | None) -> bool:
        """Whether the ontology has a class of this name."""
        return name in self._new

    def number(self, class_name: str) -> int:
        """The number of a class, from 0."""
        return self._numbers[class_name]


def object_names(structure: Mapping[str, Any]) -> list[str]:
    """The names of the objects in an ontology, in order, each once."""
    return list(dict.fromkeys(str(object_.get("name")) for object_ in mappings(structure.get("objects"))))


def names_by_hash(structure: Mapping[str, Any]) -> dict[str, str]:
    """The names of the objects in an ontology, by feature hash."""
    objects = mappings(structure.get("objects"))
    return {str(object_.get("featureNodeHash")): str(object_.get("name")) for object_ in objects}


def answer_names(structure: Mapping[str, Any], question: str) -> list[str]:
    """The answers to a classification or attribute, in order.

    :param question: Name of a classification, or of an attribute in one.
    :raises InvalidArgumentError: The ontology has no such question with options.
    """
    questions: dict[str, Question] = {}
    for classification in mappings(structure.get("classifications")):
        collections.deque(add_questions(classification.get("attributes"), questions), maxlen=0)
    answers = {name: found.options for name, found in questions.items() if found.options}
    if question not in answers:
        raise InvalidArgumentError(
            f"class_from: the ontology has no classification {question!r} with options. It has "
            f"{listed(list(answers)) or 'none'}."
        )
    return answers[question]
