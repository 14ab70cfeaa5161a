"""Required attributes that have no answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_encord.exports.formats.annotations import Annotation


class RequiredAttributes:
    """The attributes that the ontology requires, by feature.

    An attribute below an option is required only if that option was chosen. Attributes and options are found by their
    feature hashes, so the annotations need the answers of `ComparableAnswers`.

    :param structure: Structure of the project's ontology.
    """

    def __init__(self, structure: Mapping[str, Any]):
        features = [*(structure.get("objects") or ()), *(structure.get("classifications") or ())]
        self._attributes = {
            str(feature.get("featureNodeHash")): feature.get("attributes") or () for feature in features
        }

    def of(self, annotation: Annotation) -> dict[str, str]:
        """The names of the attributes that this annotation must have, by feature hash."""
        return dict(self._required(self._attributes.get(str(annotation.feature_hash), ()), annotation.answers))

    def missing(self, frames: Sequence[Annotation]) -> list[str]:
        """The names of those that have no answer.

        :param frames: One object or classification on all its frames. An attribute without an answer on some of them is
            missing, and named with the number of these frames.
        """
        names: dict[str, str] = {}
        counts: dict[str, int] = {}
        for annotation in frames:
            for hash_, name in self.of(annotation).items():
                if hash_ not in annotation.answers:
                    names[hash_] = name
                    counts[hash_] = counts.get(hash_, 0) + 1
        return [
            name if counts[hash_] == len(frames) else f"{name} (on {counts[hash_]} of {len(frames)} frames)"
            for hash_, name in names.items()
        ]

    def _required(self, attributes: Any, answers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for attribute in attributes:
            hash_ = str(attribute.get("featureNodeHash"))
            if attribute.get("required"):
                yield hash_, str(attribute.get("name"))
            chosen = answers.get(hash_)
            for option in attribute.get("options") or ():
                if isinstance(chosen, list) and option.get("featureNodeHash") in chosen:
                    yield from self._required(option.get("options") or (), answers)
