"""Sensors on projects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.defaults import PROJECT_STATUSES
from airflow_provider_encord.operators.arguments import blank_to_none, parse_choice, parse_fraction, parse_texts
from airflow_provider_encord.operators.literals import InvalidLiteralError, check_literals, is_literal
from airflow_provider_encord.sensors.base import EncordBaseSensor

if TYPE_CHECKING:
    from airflow_provider_encord.waits.conditions import ProgressCondition, StatusCondition


class EncordProjectProgressSensor(EncordBaseSensor):
    """Wait until a fraction of the label rows of a project, or all of them, are in the given workflow stages.

    A project without rows never meets the condition. The rows of the main branch are counted, with and without labels.

    Only reads. Needs an SSH key. Each poll takes one request, whose response lists all rows of the project (about 800
    bytes each, as a stream): for large projects, use a long `poke_interval`. The first poll takes another request for
    the stages; with ``mode="reschedule"``, each poll is a first poll.

    :param project_id: Id of the project (templated).
    :param stages: Titles or ids of the stages, such as ``["Complete", "Archive"]``, or one of them (templated).
    :param min_fraction: The fraction to wait for, over 0 and up to 1 (templated). Default: 1, all rows.
    :return: ``{"project_id", "stage_ids": [...], "rows": int, "rows_in_stages": int, "fraction": float,
        "rows_by_stage": {title: int}}``. Rows without a stage have the title ``""``.
    :raises AirflowFailException: The project does not exist or does not have one of the stages (the message lists the
        stages), the connection has no access to it, or an argument is wrong. It is not retried.
    :raises AirflowSensorTimeout: The condition was not met within `timeout`. It is not retried.
    """

    template_fields: Sequence[str] = ("project_id", "stages", "min_fraction", *EncordBaseSensor.template_fields)

    def __init__(
        self,
        *,
        project_id: str,
        stages: Sequence[str] | str,
        min_fraction: float | str = 1.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.project_id = project_id
        self.stages = stages
        self.min_fraction = min_fraction
        check_literals(stages=(stages, parse_texts), min_fraction=(min_fraction, parse_fraction))
        _require_some(InvalidLiteralError, "stages", stages)

    def prepare(self) -> ProgressCondition:
        """Return the condition."""
        from airflow_provider_encord.waits.conditions import ProgressCondition

        _require_some(InvalidArgumentError, "stages", self.stages)
        return ProgressCondition(
            project_id=self.client.project(blank_to_none(self.project_id)).id,
            stages=parse_texts(self.stages, "stages") or [],
            min_fraction=parse_fraction(self.min_fraction, "min_fraction"),
        )


class EncordProjectStatusSensor(EncordBaseSensor):
    """Wait until a project has one of the given statuses.

    Only reads. Needs an SSH key. Each poll takes one request.

    :param project_id: Id of the project (templated).
    :param statuses: The statuses, or one of them (templated): ``"notStarted"``, ``"inProgress"``, ``"inReview"``,
        ``"paused"``, ``"completed"``, ``"cancelled"``, ``"archived"``.
    :return: ``{"project_id", "title", "status"}``.
    :raises AirflowFailException: The project does not exist, the connection has no access to it, or an argument is
        wrong. It is not retried.
    :raises AirflowSensorTimeout: The condition was not met within `timeout`. It is not retried.
    """

    template_fields: Sequence[str] = ("project_id", "statuses", *EncordBaseSensor.template_fields)

    def __init__(self, *, project_id: str, statuses: Sequence[str] | str, **kwargs: Any):
        super().__init__(**kwargs)
        self.project_id = project_id
        self.statuses = statuses
        check_literals(statuses=(statuses, _parse_statuses))
        _require_some(InvalidLiteralError, "statuses", statuses)

    def prepare(self) -> StatusCondition:
        """Return the condition."""
        from airflow_provider_encord.waits.conditions import StatusCondition

        _require_some(InvalidArgumentError, "statuses", self.statuses)
        return StatusCondition(
            project_id=self.client.project(blank_to_none(self.project_id)).id,
            statuses=_parse_statuses(self.statuses, "statuses"),
        )


def _parse_statuses(value: Any, name: str) -> list[str]:
    """Parse a list of statuses.

    :raises InvalidArgumentError: One of them is not a status of projects.
    """
    return [parse_choice(text, name, PROJECT_STATUSES) for text in parse_texts(value, name) or ()]


def _require_some(error: type[Exception], name: str, value: Any) -> None:
    """Check that a list has an element, if it is known already.

    :param error: The class of the error to raise.
    """
    if is_literal(value) and not parse_texts(value, name):
        raise error(f"{name}: it is empty. Pass at least one.")
