"""The answers of annotations in a form that can be compared: by feature hash, and without an order of options."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airflow_provider_encord.exports.formats.answers import Document, Names


class ComparableAnswers(Names):
    """Answers by the feature hash of the attribute.

    Attributes of an ontology can have the same name, for example below different options, so names are not enough.
    """

    def answers(self, given: Iterable[Document]) -> dict[str, Any]:
        """Answers by feature hash: text, a number, or the sorted feature hashes of the chosen options.

        Empty answers are left out. Answers to one attribute are joined as in `Names.answers`.
        """
        found: dict[str, Any] = {}
        for value in given:
            hash_, answer = value.get("featureHash"), value.get("answers")
            key = hash_ if isinstance(hash_, str) else f"name: {value.get('name')}"
            if isinstance(answer, list):
                options = {_option(option) for option in answer}
                earlier = found.get(key)
                if isinstance(earlier, list) and key not in self._single:
                    options |= set(earlier)
                answer = sorted(options)
            found[key] = answer
        return {key: answer for key, answer in found.items() if answer not in (None, "", [])}


def _option(option: Any) -> str:
    """The feature hash of an option; of strange options, their text."""
    hash_ = option.get("featureHash") if isinstance(option, dict) else None
    return hash_ if isinstance(hash_, str) else str(option)
