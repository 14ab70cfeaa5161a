"""Questions that a poll asks Encord. Waits with equal questions share a poll.

A poll serves several waits at once. Each wait says what it needs of the answer (`needs` in `conditions`), and the
question is asked so that the answer is enough for all of them. Nothing here changes anything at Encord.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from airflow_provider_encord.client.api.core.listing import PageTokens
from airflow_provider_encord.client.api.label_row_stamps import (
    LabelRowStamp,
    list_label_row_stages,
    list_label_row_stamps,
)
from airflow_provider_encord.client.api.labels import LabelRowFilter, StageName
from airflow_provider_encord.client.api.projects import ProjectRecord, get_project
from airflow_provider_encord.client.api.workflow import list_tasks
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.times import parse_time

_ONLY_EDITED = {"include_uninitialised_labels": False, "include_workflow_graph_node": False}


class TasksInStage(msgspec.Struct, frozen=True, kw_only=True):
    """The tasks that a poll found in a stage.

    :param task_ids: Ids in the order of Encord's listing.
    :param all_listed: Whether these are all tasks of the stage. If not, the listing stopped because there were enough.
    """

    task_ids: Sequence[str]
    all_listed: bool


class ProjectQuestion(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The record of a project, with its status and its stages. One request."""

    project_id: str

    def ask(self, _: Collection[Any], /) -> Flow[ProjectRecord]:
        """Read the record."""
        return (yield from get_project(self.project_id))


class TasksQuestion(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The tasks in a stage. One request for each page of the listing.

    :param stage_id: Id of the stage.
    """

    project_id: str
    stage_id: str

    def ask(self, needs: Collection[int | None], /) -> Flow[TasksInStage]:
        """List tasks page by page, until there are enough.

        :param needs: For each wait, how many tasks it has to see; None for all.
        """
        counts = [need for need in needs if need is not None]
        enough = max(counts) if len(counts) == len(needs) and counts else None
        ids: dict[str, None] = {}  # in order; people move tasks while pages are read, so one may come on two pages
        token, trail = None, PageTokens()
        while True:
            page = yield from (call := list_tasks(self.project_id, self.stage_id, page=token))
            ids |= dict.fromkeys(task.uuid for task in page.results)
            token = trail.follow(call, page)
            if token is None or (enough is not None and len(ids) >= enough):
                return TasksInStage(task_ids=list(ids), all_listed=token is None)


class StagesOfRowsQuestion(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """How many label rows of a project are in each stage. One request; its response lists all rows."""

    project_id: str

    def ask(self, _: Collection[Any], /) -> Flow[Counter[StageName | None]]:
        """Count the rows of the main branch by stage. None stands for rows without a stage."""
        return Counter((yield from list_label_row_stages(self.project_id)))


class EditedRowsQuestion(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The label rows that were edited after a time. One request; its response lists the edited rows.

    :param which: Other fields of the `LabelRowFilter`, as JSON types.
    """

    project_id: str
    which: Mapping[str, Any] = {}

    def ask(self, needs: Collection[str], /) -> Flow[list[LabelRowStamp]]:
        """List the edited rows.

        :param needs: For each wait, the time in ISO 8601. The earliest time is used for all.
        """
        earliest: datetime.datetime = min(map(parse_time, needs))
        which = {**_ONLY_EDITED, **self.which, "edited_after": earliest.isoformat()}
        return (yield from list_label_row_stamps(self.project_id, LabelRowFilter(**which)))


Question: TypeAlias = ProjectQuestion | TasksQuestion | StagesOfRowsQuestion | EditedRowsQuestion


def key_of(question: Question) -> bytes:
    """The key of a question. Equal questions have equal keys."""
    return msgspec.json.encode(question)


def ask(question: Question, needs: Collection[Any]) -> Flow[Any]:
    """Ask a question.

    :param needs: What each wait needs of the answer; see `conditions`.
    """
    flow: Flow[Any] = question.ask(needs)
    return (yield from flow)
