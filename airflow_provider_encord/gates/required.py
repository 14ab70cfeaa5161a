"""Required attributes that have no answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_encord.exports.formats.annotations import Annotation


class RequiredAttributes:
    """The attributes that the ontology requires, by feature.

    An attribute below an option is required only if that option was chosen.

    :param structure: Structure of the project's ontology.
    """

    def __init__(self, structure: Mapping[str, Any]):
        features = [*(structure.get("objects") or ()), *(structure.get("classifications") or ())]
        self._attributes = {
            str(feature.get("featureNodeHash")): feature.get("attributes") or () for feature in features
        }

    def of(self, annotation: Annotation) -> list[str]:
        """The names of the attributes that this annotation must have."""
        return list(self._required(self._attributes.get(str(annotation.feature_hash), ()), annotation.answers))

    def missing(self, annotation: Annotation) -> list[str]:
        """The names of those that have no answer."""
        return [name for name in self.of(annotation) if annotation.answers.get(name) in (None, "", [])]

    def _required(self, attributes: Any, answers: Mapping[str, Any]) -> Iterator[str]:
        for attribute in attributes:
            name = str(attribute.get("name"))
            if attribute.get("required"):
                yield name
            chosen = answers.get(name)
            for option in attribute.get("options") or ():
                if isinstance(chosen, list) and option.get("label") in chosen:
                    yield from self._required(option.get("options") or (), answers)
