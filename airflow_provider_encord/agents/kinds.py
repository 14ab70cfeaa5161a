"""The types of an agent's function that are not records of the client. Imports nothing of this package."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any, NewType

LabelRowJson = NewType("LabelRowJson", dict[str, Any])
"""A label row as Encord sends it, as a dictionary. It may be changed, and returned in `AgentResult.labels`."""

SignedUrl = NewType("SignedUrl", str)
"""A URL from which the file can be read without a credential, for a limited time. It is a secret."""

LocalAsset = NewType("LocalAsset", pathlib.Path)
"""The path of a copy of the file on this machine. It is deleted as soon as the function has returned."""


@dataclasses.dataclass(frozen=True, slots=True)
class AgentResult:
    """What the function of an agent decides about a task.

    :param pathway: Title or id of the pathway that the task takes. None leaves it in the stage.
    :param labels: The labels to save: a complete label row (`LabelRowJson`), which replaces all labels of the row; an
        `EditableLabels`; or the short form of `EncordImportLabelsOperator`, ``{"objects": [...],
        "classifications": [...]}``, which adds to the labels of the row. None saves no labels.
    :param priority: The new priority of the task, from 0 (last) to 1 (first). None does not change it.
    """

    pathway: str | None = None
    labels: Mapping[str, Any] | Any = None
    priority: float | None = None
