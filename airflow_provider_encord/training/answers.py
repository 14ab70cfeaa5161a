"""Which answers are wanted: to classifications of images, or to attributes of objects; checked by the ontology."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.formats.annotations import Annotation
from airflow_provider_encord.exports.formats.answers import Document, mappings
from airflow_provider_encord.training.questions import Question, add_questions, listed

_NUMERIC, _TEXT = "numeric", "text"
_EMPTY: tuple[Any, ...] = (None, "", [])


class WantedAnswers:
    """Compares answers with those that are wanted.

    :param argument: Name of the operator's argument, for error messages.
    :param wanted: The wanted answers by the name of the question; None stands for no answer.
    :param structure: Structure of the ontology.
    :param kind: ``"objects"`` or ``"classifications"``: whose attributes the questions are.
    :raises InvalidArgumentError: The ontology does not have such a question or answer.
    """

    def __init__(self, argument: str, wanted: Mapping[str, Sequence[Any]], structure: Document, kind: str):
        questions: dict[str, Question] = {}
        self._of_feature: dict[str, frozenset[str]] = {}
        for feature in mappings(structure.get(kind)):
            own = add_questions(feature.get("attributes"), questions)
            self._of_feature[str(feature.get("featureNodeHash"))] = frozenset(own)
        unknown = [name for name in wanted if name not in questions]
        if unknown:
            raise InvalidArgumentError(
                f"{argument}: {kind} of the ontology have no attribute {listed(unknown)}. They have "
                f"{listed(list(questions)) or 'none'}."
            )
        self._wanted = {
            name: [_wanted(argument, name, questions[name], answer) for answer in answers]
            for name, answers in wanted.items()
        }

    def not_wanted(self, annotations: Iterable[Annotation]) -> str | None:
        """The first question to which none of some annotations, all on one image, has a wanted answer; else None."""
        annotations = list(annotations)
        for name in self._wanted:
            given = [value for one in annotations if (value := one.answers.get(name)) not in _EMPTY]
            if not any(self._accepts(name, value) for value in given or [None]):
                return name
        return None

    def not_wanted_of(self, object_: Annotation) -> str | None:
        """The first attribute of an object whose answer is not a wanted one; None if there is no such attribute."""
        if not self._wanted:
            return None
        own = self._of_feature.get(object_.feature_hash or "", frozenset())
        return next((n for n in self._wanted if n in own and not self._accepts(n, object_.answers.get(n))), None)

    def _accepts(self, name: str, value: Any) -> bool:
        wanted = self._wanted[name]
        if value in _EMPTY:
            return None in wanted
        return any(answer in wanted for answer in (value if isinstance(value, list) else [value]))


def _wanted(argument: str, name: str, question: Question, answer: Any) -> Any:
    """A wanted answer as label rows state it.

    :raises InvalidArgumentError: It is not an answer to this question.
    """
    if answer is None:
        return None
    if isinstance(answer, bool):  # an option of this name, in any case
        found = next((option for option in question.options if option.casefold() == str(answer).casefold()), None)
    elif question.options and str(answer) in question.options:
        found = str(answer)
    elif _NUMERIC in question.types and (number := _number(answer)) is not None:
        return number
    else:
        found = str(answer) if _TEXT in question.types else None
    if found is None:
        numbers = "a number, " if _NUMERIC in question.types else ""
        raise InvalidArgumentError(
            f"{argument}: {name!r} has no answer {str(answer)[:80]!r}. It has {numbers}{listed(question.options)}"
            f"{', ' if question.options else ''}or None for no answer."
        )
    return found


def _number(answer: Any) -> float | None:
    try:
        number = float(answer)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
