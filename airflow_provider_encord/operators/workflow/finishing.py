"""Submit, review and proceed: what brings tasks to the next stage of the workflow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.defaults import VERDICTS
from airflow_provider_encord.operators.arguments import (
    blank_to_none,
    literal_word,
    parse_bool,
    parse_choice,
    parse_text,
)
from airflow_provider_encord.operators.literals import InvalidLiteralError, check_literals, is_literal, one_of
from airflow_provider_encord.operators.workflow.base import TasksOperator


class _NextAssigneeOperator(TasksOperator):
    """Base of operators after which tasks can have an assignee in the next stage.

    :param assignee: E-mail address of the user who gets the tasks in the next stage (templated). Default: no user.
    :param retain_assignee: The present assignees keep the tasks in the next stage, unless `assignee` is given
        (templated). Encord refuses it for tasks without an assignee. Default: False.
    """

    template_fields: Sequence[str] = ("assignee", "retain_assignee", *TasksOperator.template_fields)

    def __init__(self, *, assignee: str | None = None, retain_assignee: bool | str = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.assignee = assignee
        self.retain_assignee = retain_assignee
        check_literals(assignee=(assignee, literal_word), retain_assignee=(retain_assignee, parse_bool))

    def _following(self) -> dict[str, Any]:
        person = parse_text(self.assignee, "assignee")
        return {
            "assignees": [person] if person else [],
            "retain_assignee": parse_bool(self.retain_assignee, "retain_assignee"),
        }


class EncordSubmitTasksOperator(_NextAssigneeOperator):
    """Submit tasks of an annotation stage; open label reviews of them are resolved, as in Encord's editor.

    In a consensus annotation stage, the sub-tasks are submitted. Encord API: ``actions`` POST (v2). The other arguments
    are those of `TasksOperator`.
    """

    def change(self) -> dict[str, Any]:
        """Return the fields of the change."""
        return {"action": "submit", **self._following()}


class EncordReviewTasksOperator(_NextAssigneeOperator):
    """Approve or reject tasks of a review stage, with all their open label reviews.

    Encord API: ``actions`` POST, ``issues`` GET and POST (v2). The other arguments are those of `TasksOperator`.

    :param verdict: ``"approve"`` or ``"reject"`` (templated).
    :param comment: With ``"reject"``: what is wrong (templated). It is added to each data unit as an issue, before the
        task is rejected, unless the data unit has an open issue with this comment. Takes one more request for each
        task.
    """

    template_fields: Sequence[str] = ("verdict", "comment", *_NextAssigneeOperator.template_fields)

    def __init__(self, *, verdict: str, comment: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.verdict = verdict
        self.comment = comment
        check_literals(verdict=(verdict, one_of(*VERDICTS)), comment=(comment, literal_word))
        if is_literal(verdict) and is_literal(comment):
            _require_reject(verdict, comment, InvalidLiteralError)

    def change(self) -> dict[str, Any]:
        """Return the fields of the change."""
        verdict = parse_choice(self.verdict, "verdict", VERDICTS)
        comment = parse_text(self.comment, "comment")
        _require_reject(verdict, comment, AirflowFailException)
        return {"action": verdict, "comment": comment, **self._following()}


def _require_reject(verdict: str, comment: str | None, error: type[Exception]) -> None:
    if verdict == "approve" and blank_to_none(comment) is not None:
        raise error(
            "comment: a comment is only added to tasks that are rejected. Pass verdict='reject', or no comment."
        )


class EncordProceedTasksOperator(TasksOperator):
    """Send tasks of an agent stage along one of its pathways.

    Encord API: ``actions`` POST (v2). The other arguments are those of `TasksOperator`.

    :param pathway: Title or id of the pathway (templated). An unknown one fails with the pathways of the stage.
        Required, except with `plan`.
    """

    template_fields: Sequence[str] = ("pathway", *TasksOperator.template_fields)

    def __init__(self, *, pathway: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.pathway = pathway
        check_literals(pathway=(pathway, literal_word))

    def change(self) -> dict[str, Any]:
        """Return the fields of the change."""
        pathway = parse_text(self.pathway, "pathway")
        if pathway is None and self.plan is None:
            raise AirflowFailException("pathway: it is empty. Pass the title or the id of a pathway.")
        return {"action": "proceed", "pathway": pathway}
