"""What the answer of a poll says about a project, for its history."""

from __future__ import annotations

from typing import Any

from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.history.facts import project_fact, stage_fact, stages_fact
from airflow_provider_encord.history.records import Fact
from airflow_provider_encord.waits.questions import ProjectQuestion, Question, StagesOfRowsQuestion, TasksQuestion


def fact_of(question: Question, answer: Any, settings: Settings) -> Fact | None:
    """The fact that an answer is.

    :param settings: Those of the connection.
    :return: None if the answer is not about the whole of anything, such as a page of the tasks in a stage.
    """
    match question:
        case ProjectQuestion():
            return project_fact(answer, settings)
        case StagesOfRowsQuestion():
            return stages_fact(answer)
        case TasksQuestion() if answer.all_listed:
            return stage_fact(question.stage_id, len(answer.task_ids))
    return None
