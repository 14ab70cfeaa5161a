"""Sending the lines of a plan: like ones together, in as few requests as possible."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from airflow_provider_encord.client.api import (
    label_actions,
    labels,
    workflow,
    workflow_actions,
)
from airflow_provider_encord.client.api.labels import LabelRowFilter, LabelRowMetadata
from airflow_provider_encord.client.api.projects import Stage
from airflow_provider_encord.client.api.workflow import CONSENSUS_REVIEW
from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.flows.chunks import chunks, in_parts
from airflow_provider_encord.client.flows.workflow_actions import (
    TasksInStage,
    TasksOutcome,
    act_on,
    act_while_present,
)
from airflow_provider_encord.task_actions.issues import ISSUES_PER_REQUEST, add_comments
from airflow_provider_encord.task_actions.lines import (
    ADD_ISSUE,
    APPROVE,
    ASSIGN,
    MOVE,
    PRIORITIZE,
    PROCEED,
    REJECT,
    RELEASE,
    REOPEN,
    SUBMIT,
    TaskLine,
)

Send = Callable[[Sequence[str]], Call[None]]
_MOST = {MOVE: workflow.MOST_MOVES_PER_REQUEST, ADD_ISSUE: ISSUES_PER_REQUEST, REJECT: ISSUES_PER_REQUEST}
_ROWS = labels.MOST_ROWS_PER_REQUEST


class SentOutcome(TasksOutcome, frozen=True, kw_only=True):
    """The outcome of lines that were sent.

    :param unchanged: Ids of tasks that needed no change.
    """

    unchanged: list[str] = msgspec.field(default_factory=list)


def batches(lines: Iterable[TaskLine], most: int) -> Iterator[list[TaskLine]]:
    """Lines that one request can change together, in order of the first of each kind.

    :param most: How many lines at most.
    """
    alike: dict[tuple[object, ...], list[TaskLine]] = {}
    for line in lines:
        of_the_request = (line.new_assignee, line.retain_assignee) if line.action != ASSIGN else ()
        kind = (line.action, line.stage_id, line.new_stage_id, line.pathway_id, line.new_priority, *of_the_request)
        alike.setdefault(kind, []).append(line)
    for same in alike.values():
        size = min(most, _MOST.get(same[0].action, most))
        yield from (list(part) for part in chunks(same, size))


def send(project: str, stages: Sequence[Stage], lines: Sequence[TaskLine], *, accepted: bool) -> Flow[SentOutcome]:
    """Carry out the action of lines that are alike.

    :param accepted: Whether Encord has accepted the action for other tasks.
    :return: The outcome by task id.
    """
    if lines[0].action == ADD_ISSUE:
        return (yield from _add_issues(project, lines))
    if lines[0].action in (PRIORITIZE, REOPEN):
        return (yield from _send_rows(project, lines, accepted=accepted))
    stage = next((stage for stage in stages if stage.uuid == lines[0].stage_id), None)
    if stage is None:
        raise InvalidArgumentError(f"The workflow has no stage {lines[0].stage_id} any more, so nothing was changed.")
    tasks = TasksInStage(
        project=project,
        stage=stage.uuid,
        uuids=[str(line.id) for line in lines],
        data_hashes={str(line.id): line.data_hash for line in lines if line.data_hash},
    )
    call = _call(project, stage, lines)
    return _plain((yield from act_on(tasks, call, size=len(lines), isolate=True, accepted=accepted)))


def _add_issues(project: str, lines: Sequence[TaskLine]) -> Flow[SentOutcome]:
    found = yield from add_comments(project, lines)
    return SentOutcome(
        done=[str(line.id) for line in lines if line.data_hash in found.added],
        unchanged=[str(line.id) for line in lines if line.data_hash in found.there],
        already_left=[str(line.id) for line in lines if line.data_hash in found.deleted],
        not_done=[],
    )


def _plain(outcome: TasksOutcome) -> SentOutcome:
    return SentOutcome(**msgspec.structs.asdict(outcome))


def _call(project: str, stage: Stage, lines: Sequence[TaskLine]) -> Send:
    first, uuid = lines[0], stage.uuid
    following = {"assignee": first.new_assignee, "retain_assignee": first.retain_assignee}
    consensus = stage.stage_type == CONSENSUS_REVIEW
    assignees = {str(line.id): str(line.new_assignee) for line in lines}
    calls: dict[str, Send] = {
        MOVE: lambda some: workflow.move_tasks(project, uuid, some, str(first.new_stage_id)),
        ASSIGN: lambda some: workflow_actions.assign_tasks(project, uuid, {task: assignees[task] for task in some}),
        RELEASE: lambda some: workflow_actions.release_tasks(project, uuid, some),
        SUBMIT: lambda some: workflow_actions.submit_tasks(project, uuid, some, **following),  # type: ignore[arg-type]
        APPROVE: lambda some: workflow_actions.approve_tasks(project, uuid, some, consensus=consensus, **following),  # type: ignore[arg-type]
        REJECT: lambda some: workflow_actions.reject_tasks(project, uuid, some, consensus=consensus, **following),  # type: ignore[arg-type]
        PROCEED: lambda some: workflow_actions.proceed_tasks(
            project, uuid, by_uuid=dict.fromkeys(some, str(first.pathway_id))
        ),
    }
    return calls[first.action]


def _send_rows(project: str, lines: Sequence[TaskLine], *, accepted: bool) -> Flow[SentOutcome]:
    """Change label rows: set priorities, by data hash; or reopen, by label hash."""
    rows = yield from rows_of(project, [str(line.data_hash) for line in lines])
    by_data = {str(line.data_hash): str(line.id) for line in lines if _is_there(line, rows)}
    left = [str(line.id) for line in lines if str(line.data_hash) not in by_data]
    if lines[0].action == PRIORITIZE:
        names, priority = {data: data for data in by_data}, float(lines[0].new_priority or 0.0)

        def call(some: Sequence[str]) -> Call[None]:
            return label_actions.set_priorities(project, dict.fromkeys(some, priority))
    else:
        names = {str(rows[data].label_hash): data for data in by_data}

        def call(some: Sequence[str]) -> Call[None]:
            return label_actions.reopen_label_rows(project, some)

    def present(some: Sequence[str]) -> Flow[set[str]]:
        there = yield from rows_of(project, [names[name] for name in some])
        return {name for name in some if names[name] in there}

    outcome = yield from act_while_present(list(names), call, present, size=_ROWS, isolate=True, accepted=accepted)

    def tasks(some: Iterable[str]) -> list[str]:
        return [by_data[names[name]] for name in some]

    return SentOutcome(
        done=tasks(outcome.done),
        already_left=[*left, *tasks(outcome.already_left)],
        not_done=tasks(outcome.not_done),
        unknown=tasks(outcome.unknown),
        refused={by_data[names[name]]: reason for name, reason in outcome.refused.items()},
        error=outcome.error,
    )


def _is_there(line: TaskLine, rows: Mapping[str, LabelRowMetadata]) -> bool:
    """Whether the row of a task can be changed: it exists and, for `REOPEN`, is still in the stage."""
    row = rows.get(str(line.data_hash))
    if row is None or line.action != REOPEN:
        return row is not None
    node = row.workflow_graph_node
    return row.label_hash is not None and (node is None or node.uuid == line.stage_id)


def rows_of(project: str, data_hashes: Sequence[str]) -> Flow[dict[str, LabelRowMetadata]]:
    """The label rows of the main branch, by data hash. Data units that are not in the project are missing."""
    parts = yield from in_parts(
        list(dict.fromkeys(data_hashes)),
        lambda some: labels.list_label_rows(
            project, LabelRowFilter(data_hashes=list(some), branch_name=labels.MAIN_BRANCH)
        ),
        size=_ROWS,
    )
    return {row.data_hash: row for part in parts for row in part}
