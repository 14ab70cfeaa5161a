"""Assign and release tasks, and set their priority. The tasks stay in their stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.defaults import IF_ASSIGNED, TASK_DISTRIBUTIONS
from airflow_provider_encord.operators.arguments import parse_choice, parse_share, parse_text, parse_texts
from airflow_provider_encord.operators.literals import check_literals, one_of
from airflow_provider_encord.operators.workflow.base import TasksOperator


class EncordAssignTasksOperator(TasksOperator):
    """Assign tasks to users of the project.

    In a consensus annotation stage, the sub-tasks are assigned, and no user gets two of one task. A task that another
    user has is not taken from this user, unless `if_assigned` says so. Encord API: ``actions`` POST (v2). The other
    arguments are those of `TasksOperator`.

    :param assignee: E-mail address of a user, or of several (templated). Required, except with `plan`.
    :param distribution: How tasks are distributed to several users (templated): ``"round_robin"`` (default), or
        ``"least_tasks"``: each task to the user who has the fewest tasks in the stage at that time; or ``"by_group"``:
        all tasks of a group to the same user, in every run.
    :param group_by: For ``"by_group"`` (templated): ``"dataset_id"``, or ``"client_metadata.<key>"``.
    :param if_assigned: What to do with tasks that belong to a user (templated). ``"skip"`` (default) leaves them;
        ``"overwrite"`` reassigns them.
    """

    template_fields: Sequence[str] = (
        "assignee",
        "distribution",
        "group_by",
        "if_assigned",
        *TasksOperator.template_fields,
    )

    def __init__(
        self,
        *,
        assignee: str | Sequence[str] | None = None,
        distribution: str = "round_robin",
        group_by: str | None = None,
        if_assigned: str = "skip",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.assignee = assignee
        self.distribution = distribution
        self.group_by = group_by
        self.if_assigned = if_assigned
        check_literals(
            distribution=(distribution, one_of(*TASK_DISTRIBUTIONS)), if_assigned=(if_assigned, one_of(*IF_ASSIGNED))
        )

    def change(self) -> dict[str, Any]:
        """Return the fields of the change."""
        people = parse_texts(self.assignee, "assignee") or []
        if not people and self.plan is None:
            raise AirflowFailException("assignee: it is empty. Pass at least one e-mail address.")
        distribution = parse_choice(self.distribution, "distribution", TASK_DISTRIBUTIONS)
        group_by = parse_text(self.group_by, "group_by")
        if (distribution == "by_group") != (group_by is not None):
            raise AirflowFailException("group_by: pass it with distribution='by_group', and not otherwise.")
        return {
            "action": "assign",
            "group_by": group_by,
            "assignees": people,
            "distribution": distribution,
            "overwrite": parse_choice(self.if_assigned, "if_assigned", IF_ASSIGNED) == "overwrite",
        }


class EncordReleaseTasksOperator(TasksOperator):
    """Remove the assignees of tasks, so that other users can take them.

    For example, release what a user has not touched for a day: ``user_emails=[...], min_age_seconds=86400``. In a
    consensus annotation stage, the sub-tasks are released. Encord API: ``actions`` POST (v2). The arguments are those
    of `TasksOperator`.
    """

    def change(self) -> dict[str, Any]:
        """Return the fields of the change."""
        return {"action": "release"}


class EncordSetPriorityOperator(TasksOperator):
    """Set the priority of tasks, which decides in what order Encord hands them out.

    Encord API: ``priorities`` POST (v2). The other arguments are those of `TasksOperator`.

    :param priority: From 0 (last) to 1 (first) (templated). Required, except with `plan`.
    """

    template_fields: Sequence[str] = ("priority", *TasksOperator.template_fields)

    def __init__(self, *, priority: float | str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.priority = priority
        check_literals(priority=(priority, parse_share))

    def change(self) -> dict[str, Any]:
        """Return the fields of the change."""
        if self.priority is None and self.plan is not None:
            return {"action": "prioritize"}
        return {"action": "prioritize", "priority": parse_share(self.priority, "priority")}
