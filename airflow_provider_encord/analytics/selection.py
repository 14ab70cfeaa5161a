"""Checking the filters of an export of analytics before anything is exported.

For a filter value that does not exist, Encord returns no records, which looks like a day without activity.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from airflow_provider_encord.analytics.reading import (
    DAY,
    EDITOR_LOGS,
    FIRST_DAY,
    TASK_ACTIONS,
    Interval,
    Selection,
    known_part,
)
from airflow_provider_encord.client.api import analytics
from airflow_provider_encord.client.api.labels import MOST_ROWS_PER_REQUEST, LabelRowFilter
from airflow_provider_encord.client.api.projects import ProjectRecord
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError, NotFoundError, PermissionDeniedError
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.client.flows.members import OF_PROJECT, all_groups, all_users

log = logging.getLogger(__name__)

_TASK_SUFFIX = "_task"
_LABEL_ACTIONS = tuple(
    f"{verb}_{noun}" for noun in ("object", "classification") for verb in ("add", "edit", "delete", "create", "update")
)
EDITOR_ACTIONS = (*(f"{task_action}{_TASK_SUFFIX}" for task_action in analytics.TASK_ACTIONS), *_LABEL_ACTIONS, "save")
"""The known actions in the editor. Encord may add others."""
_MOST_NAMED = 20


def known_selection(
    client: EncordClient,
    project: ProjectRecord,
    kinds: Sequence[str],
    *,
    interval: Interval,
    user_emails: Sequence[str],
    stages: Sequence[str],
    data_hashes: Sequence[str],
    actions: Sequence[str],
) -> Selection:
    """Check the filters and convert their values to Encord's spelling.

    :param kinds: The requested kinds of record.
    :param interval: The interval of the records.
    :param actions: ``submit`` is the action on a task and, in the editor logs, ``submit_task``.
    :raises InvalidArgumentError: A value does not exist. The message lists the valid values.
    """
    _require_stages(project, stages)
    task_actions, editor_actions = _actions(client, project, kinds, interval, actions)
    _require_data(client, project, data_hashes)
    return Selection(
        user_emails=tuple(_addresses(client, project, user_emails)),
        stages=tuple(stages),
        data_hashes=tuple(data_hashes),
        task_actions=task_actions,
        editor_actions=editor_actions,
    )


def _require_stages(project: ProjectRecord, wanted: Sequence[str]) -> None:
    stages = project.workflow.stages if project.workflow else []
    unknown = [item for item in wanted if item not in {stage.uuid for stage in stages}]
    if unknown:
        there = ", ".join(f"{stage.title!r} ({stage.stage_type}, {stage.uuid})" for stage in stages)
        raise InvalidArgumentError(
            f"stage_ids: the project has no stage {', '.join(unknown[:3])}. It has: {there or 'none'}. Pass the ids of "
            "these stages."
        )


def _require_data(client: EncordClient, project: ProjectRecord, wanted: Sequence[str]) -> None:
    there: set[str] = set()
    for part in chunks(wanted, MOST_ROWS_PER_REQUEST):
        which = LabelRowFilter(data_hashes=part, include_workflow_graph_node=False)
        there |= {row.data_hash for row in client.project(project.project_hash).label_rows(which)}
    unknown = [item for item in wanted if item not in there]
    if unknown:
        raise InvalidArgumentError(
            f"data_hashes: the project has no data unit {', '.join(unknown[:3])} ({len(unknown)} of {len(wanted)} are "
            "unknown). Pass data hashes of the project's label rows, as `EncordExportLabelsOperator` lists them."
        )


def _addresses(client: EncordClient, project: ProjectRecord, wanted: Sequence[str]) -> list[str]:
    """The addresses in Encord's spelling. Former users of the project are found by their past actions in it.

    If Encord does not return all members, an address that cannot be checked is used unchanged.
    """
    if not wanted:
        return []
    listed, complete = _members(client, project)
    members = {address.casefold(): address for address in listed}
    found = []
    for email in wanted:
        address = members.get(email.casefold()) or _former(client, project, email)
        if address is None and complete:
            there = ", ".join(sorted(members.values())[:_MOST_NAMED])
            raise InvalidArgumentError(
                f"user_emails: {email[:80]!r} is not a user of the project, and has never done anything in it. The "
                f"project's users are: {there}."
            )
        if address is None:
            log.warning(
                "Cannot check whether %s is a user of the project, because Encord does not list all members.", email
            )
        found.append(address or email)
    return list(dict.fromkeys(found))


def _members(client: EncordClient, project: ProjectRecord) -> tuple[list[str], bool]:
    """The users of the project and of its groups, and whether the list is complete."""
    id_, complete = project.project_hash, True
    emails: list[str] = []
    try:
        emails += [user.user_email for user in client.run(all_users(OF_PROJECT, id_))]
        groups = client.run(all_groups(OF_PROJECT, id_))
    except PermissionDeniedError:
        return emails, False
    for group in groups:
        try:
            emails += client.organisation.group(group.group_hash).users()
        except (PermissionDeniedError, NotFoundError):  # such as a group of another organisation
            complete = False
    return emails, complete


def _former(client: EncordClient, project: ProjectRecord, email: str) -> str | None:
    """The address as it is written in the records of past actions; None without past actions."""
    now = client.encord_time() + DAY
    for spelling in dict.fromkeys((email, email.lower())):
        only = [spelling]
        done = client.send(
            analytics.list_task_actions(project.project_hash, after=FIRST_DAY, before=now, user_emails=only)
        )
        spent = client.send(
            analytics.list_time_spent(project.project_hash, after=FIRST_DAY, before=now, user_emails=only)
        )
        if done.results or spent.results:
            return spelling
    return None


def _actions(
    client: EncordClient, project: ProjectRecord, kinds: Sequence[str], interval: Interval, wanted: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The types of action on tasks and the actions in the editor with these names.

    :raises InvalidArgumentError: A name is neither of them; or a requested kind of record has none of these actions.
    """
    names = list(dict.fromkeys(item.strip().lower() for item in wanted))
    on_tasks = {name: name.removesuffix(_TASK_SUFFIX) for name in names}
    task = {name: action for name, action in on_tasks.items() if action in analytics.TASK_ACTIONS}
    editor = {name: f"{task[name]}{_TASK_SUFFIX}" if name in task else name for name in names}
    known = {name: action for name, action in editor.items() if action in EDITOR_ACTIONS}
    if EDITOR_LOGS in kinds:
        known |= {name: name for name in names if name not in known and _occurs(client, project, interval, name)}
    possible = {TASK_ACTIONS: set(task), EDITOR_LOGS: set(known)}
    for kind in kinds:
        if names and kind in possible and not possible[kind]:
            raise InvalidArgumentError(f"actions: none of {', '.join(names)} is an {_WORDS[kind]}. {_valid([kind])}")
    unknown = [name for name in names if not any(name in possible.get(kind, ()) for kind in kinds)]
    if unknown:
        raise InvalidArgumentError(f"actions: unknown action {', '.join(unknown)}. {_valid(kinds)}")
    return tuple(task.values()), tuple(known.values())


_WORDS = {TASK_ACTIONS: "action on a task", EDITOR_LOGS: "action in the editor"}


def _valid(kinds: Iterable[str]) -> str:
    lists = {TASK_ACTIONS: analytics.TASK_ACTIONS, EDITOR_LOGS: EDITOR_ACTIONS}
    return " ".join(f"The actions of {kind} are {', '.join(lists[kind])}." for kind in kinds if kind in lists)


def _occurs(client: EncordClient, project: ProjectRecord, interval: Interval, action: str) -> bool:
    """Whether an action that is not in the list above occurs in the editor logs of the interval or the last 30 days."""
    now = client.encord_time()
    activity = client.project(project.project_hash).activity
    recent = (now - analytics.LONGEST_EDITOR_LOG, now)
    for start, end in filter(None, (known_part(interval, now), recent)):
        for spelling in (action, action.upper()):
            if next(activity.editor_logs(start, end, action=spelling), None) is not None:
                return True
    return False
