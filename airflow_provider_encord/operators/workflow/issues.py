"""Add issues to the data units of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.operators.arguments import literal_word, parse_text, parse_texts
from airflow_provider_encord.operators.literals import check_literals
from airflow_provider_encord.operators.workflow.base import TasksOperator


class EncordAddIssuesOperator(TasksOperator):
    """Add a comment to the data units of tasks, as an issue. The tasks stay where they are.

    A data unit that has an open issue with this comment gets no second one, so the task can be repeated. Takes one
    request for each task, and one for each 100. `EncordRevertTasksOperator` does not remove issues. Encord API:
    ``issues`` GET and POST (v2). The other arguments are those of `TasksOperator`.

    :param comment: The text of the issue (templated). Required, except with `plan`.
    :param issue_tags: Names of issue tags of the project, or one name (templated). Default: no tags.
    """

    template_fields: Sequence[str] = ("comment", "issue_tags", *TasksOperator.template_fields)

    def __init__(self, *, comment: str | None = None, issue_tags: Sequence[str] | str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.comment = comment
        self.issue_tags = issue_tags
        check_literals(comment=(comment, literal_word))

    def change(self) -> dict[str, Any]:
        """Return the fields of the change."""
        comment = parse_text(self.comment, "comment")
        if comment is None and self.plan is None:
            raise AirflowFailException("comment: it is empty. Pass the text of the issue.")
        return {"action": "add_issue", "comment": comment, "issue_tags": parse_texts(self.issue_tags, "issue_tags")}
