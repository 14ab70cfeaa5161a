"""Answers that change from frame to frame: those to the dynamic attributes of an object.

Encord stores them apart from the other answers, with the frames of each (protocol, section 7.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from airflow_provider_encord.prelabels.features import attributes_in
from airflow_provider_encord.prelabels.frame_ranges import ranges_of


def is_dynamic(feature: Mapping[str, Any], attribute: str) -> bool:
    """Whether the answer to an attribute may change. An attribute of an option is as dynamic as the one around it.

    :param attribute: Feature hash of the attribute.
    """
    around = (outer for outer in feature.get("attributes") or () if outer.get("dynamic"))
    return any(inner.get("featureNodeHash") == attribute for inner in attributes_in(around))


class ChangingAnswers:
    """The answers of the objects of a data unit, collected frame by frame."""

    def __init__(self) -> None:
        self._answers: dict[str, dict[bytes, tuple[Mapping[str, Any], list[int]]]] = {}

    def add(self, object_hash: str, frame: int, answer: Mapping[str, Any]) -> None:
        """Add the answer of an object on a frame.

        :param answer: The answer in the format of a label row.
        """
        key = msgspec.json.encode([answer["featureHash"], answer["answers"]])
        self._answers.setdefault(object_hash, {}).setdefault(key, (answer, []))[1].append(frame)

    def of_objects(self) -> dict[str, dict[str, Any]]:
        """The ``object_actions`` of a label row."""
        return {
            hash_: {"objectHash": hash_, "actions": [_action(*found) for found in answers.values()]}
            for hash_, answers in self._answers.items()
        }


def _action(answer: Mapping[str, Any], frames: list[int]) -> dict[str, Any]:
    return {**answer, "dynamic": True, "range": ranges_of(frames), "shouldPropagate": False}
