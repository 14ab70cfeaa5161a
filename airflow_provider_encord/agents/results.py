"""What a function returned, checked."""

from __future__ import annotations

import dataclasses
import enum
import numbers
import uuid
from collections.abc import Mapping
from typing import Any

from airflow_provider_encord.agents.editable import EditableLabels
from airflow_provider_encord.agents.inputs import Prepared
from airflow_provider_encord.agents.kinds import AgentResult
from airflow_provider_encord.plain_json import plain_json

_OF_ENCORD_AGENTS = "TaskAgentReturnStruct"  # its class of results


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What the function did with a task.

    :param result: What it returned; None leaves the task.
    :param error: Why there is no result.
    :param cached: The result was in the cache, so the function did not run.
    """

    prepared: Prepared
    result: AgentResult | None = None
    error: str | None = None
    cached: bool = False


def checked(value: Any, edited: Any = None) -> AgentResult | None:
    """Convert what a function returned.

    :param edited: The labels that the function got and edited, which are saved if it returns no others.
    :raises TypeError: It is neither a pathway, an `AgentResult` nor None, or a field has the wrong type.
    :raises ValueError: The priority is out of range, or the labels are not JSON.
    """
    if value is None:
        return None
    result = _as_result(value)
    if not isinstance(result, AgentResult):
        raise TypeError(
            f"the function returned a {type(value).__name__}; return the title or id of a pathway, an AgentResult or "
            "None"
        )
    if result.pathway is not None and not isinstance(result.pathway, str):
        raise TypeError(f"pathway: it must be a title or an id, not a {type(result.pathway).__name__}")
    result = dataclasses.replace(result, priority=_priority(result.priority))
    labels = edited if result.labels is None else result.labels
    if hasattr(labels, "to_encord_dict"):  # a label row of Encord's SDK
        labels = labels.to_encord_dict()
    if labels is None or isinstance(labels, EditableLabels):
        return dataclasses.replace(result, labels=labels)
    if not isinstance(labels, Mapping):
        raise TypeError(f"labels: they must be a dictionary or EditableLabels, not a {type(labels).__name__}")
    return dataclasses.replace(result, labels=plain_json(labels, "labels"))


def _as_result(value: Any) -> Any:
    """The result of a function, also of one that is written for encord-agents."""
    if isinstance(value, str | uuid.UUID):
        value = AgentResult(value)  # type: ignore[arg-type]
    if type(value).__name__ == _OF_ENCORD_AGENTS:
        value = AgentResult(value.pathway, value.label_row, value.label_row_priority)
    if isinstance(value, AgentResult) and isinstance(value.pathway, str | uuid.UUID):
        return dataclasses.replace(value, pathway=_text(value.pathway))
    return value


def _text(pathway: str | uuid.UUID) -> str:
    """A pathway as text. The text of a member of an enumeration is its value, not its name."""
    return str(pathway.value if isinstance(pathway, enum.Enum) else pathway)


def _priority(priority: Any) -> float | None:
    """A priority, also one that is a number of numpy."""
    if priority is None:
        return None
    if isinstance(priority, bool) or not isinstance(priority, numbers.Real):
        raise TypeError(f"priority: it must be a number from 0 to 1, not a {type(priority).__name__}")
    number = float(priority)
    if not 0 <= number <= 1:
        raise ValueError(f"priority: {priority} is not a number from 0 to 1")
    return number
