"""Move tasks to another stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.operators.arguments import blank_to_none, literal_word, parse_text
from airflow_provider_encord.operators.literals import check_literals
from airflow_provider_encord.operators.workflow.base import TasksOperator


class EncordMoveTasksOperator(TasksOperator):
    """Move tasks from a stage to another stage of any type, also out of final stages.

    Assignees are not kept: in the new stage, a task has no assignee. Encord API: ``move-tasks`` POST (v2). The other
    arguments are those of `TasksOperator`::

        EncordMoveTasksOperator(
            task_id="to_qa",
            project_id="...",
            stage="Annotate",
            to_stage="QA",
            report="s3://aws_default@work/{{ run_id }}/to_qa.jsonl",
        )

    :param to_stage: Title or id of the stage to move the tasks to (templated). An unknown stage fails with the stages
        of the workflow. Required, except with `plan`.
    """

    template_fields: Sequence[str] = ("to_stage", *TasksOperator.template_fields)

    def __init__(self, *, to_stage: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.to_stage = to_stage
        check_literals(to_stage=(to_stage, literal_word))

    def change(self) -> dict[str, Any]:
        """Return the fields of the change."""
        if blank_to_none(self.to_stage) is None and self.plan is None:
            raise AirflowFailException("to_stage: it is empty. Pass the title or the id of a stage.")
        return {"action": "move", "to_stage": parse_text(self.to_stage, "to_stage")}


class EncordReopenTasksOperator(TasksOperator):
    """Send tasks of a stage back to the first annotation stage, as "Reopen" in Encord does.

    Tasks whose data unit has no label row yet are skipped. Encord API: ``labelworkflowgraphnode`` POST (v1). The
    arguments are those of `TasksOperator`.
    """

    def change(self) -> dict[str, Any]:
        """Return the fields of the change."""
        return {"action": "reopen"}
