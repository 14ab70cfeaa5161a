"""Logs and analytics of a project: who did what, and how long it took."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from airflow_provider_encord.client.api import analytics
from airflow_provider_encord.client.api.analytics import (
    BY_DATA_UNIT,
    CollaboratorTimer,
    EditorLog,
    LabelLog,
    TaskAction,
    TimeSpent,
)
from airflow_provider_encord.client.api.core.listing import Time
from airflow_provider_encord.client.client_protocol import ClientProtocol
from airflow_provider_encord.client.flows.activity import time_spent_key, windows
from airflow_provider_encord.client.flows.pages import each, each_once
from airflow_provider_encord.client.times import answered_time, given_time

_AHEAD = datetime.timedelta(days=1)  # more than the difference between any two clocks


class Activity:
    """Handle on the logs and analytics of a project. Each method reads page by page.

    SSH keys only, except `label_logs`.

    :param project: The project's id.
    """

    def __init__(self, client: ClientProtocol, project: str):
        self._client, self._project = client, project

    def __repr__(self) -> str:
        return f"Activity({self._project!r})"

    def label_logs(
        self,
        *,
        user_hash: str | None = None,
        user_email: str | None = None,
        data_hash: str | None = None,
        after: datetime.datetime | None = None,
        before: datetime.datetime | None = None,
    ) -> list[LabelLog]:
        """The changes of labels, in one response. Encord recommends `editor_logs` instead, which needs an SSH key."""
        call = analytics.list_label_logs(
            self._project,
            user_hash=user_hash,
            user_email=user_email,
            data_hash=data_hash,
            after=None if after is None else int(given_time(after).timestamp()),
            before=None if before is None else int(given_time(before).timestamp()),
        )
        return self._client.send(call)

    def editor_logs(
        self,
        start: Time,
        end: Time,
        *,
        action: str | None = None,
        user_email: str | None = None,
        stage: str | None = None,
        data_hash: str | None = None,
    ) -> Iterator[EditorLog]:
        """The actions in the label editor. An interval of more than 30 days is read in parts, up to the present.

        :raises InvalidArgumentError: The end is before the start, or one of them is not a time; nothing was sent.
        :raises UnexpectedResponseError: The time of a record cannot be parsed.
        """
        whole = (given_time(start), given_time(end))
        at_edge: set[str] = set()  # Encord returns a record on the border of two parts in both
        for first, last in windows(*whole):
            if first > whole[0] and first > self._client.encord_time() + _AHEAD:
                return  # the future has no logs
            before, at_edge = at_edge, set()
            for record in each_once(
                self._client,
                lambda page, first=first, last=last: analytics.list_editor_logs(  # type: ignore[misc]
                    self._project,
                    start=first,
                    end=last,
                    action=action,
                    user_email=user_email,
                    stage=stage,
                    data_hash=data_hash,
                    page=page,
                ),
                lambda record: record.id,
            ):
                if last < whole[1] and answered_time(record.timestamp, "timestamp") >= last:
                    at_edge.add(record.id)
                if record.id not in before:
                    yield record

    def time_spent(
        self,
        after: Time,
        before: Time | None = None,
        *,
        stage_ids: Sequence[str] = (),
        user_emails: Sequence[str] = (),
        dataset_ids: Sequence[str] = (),
        data_hashes: Sequence[str] = (),
        data_title: str | None = None,
    ) -> Iterator[TimeSpent]:
        """Time spent by user, task and day. Encord stores it per day (UTC), so both times should be midnight in UTC.

        :param before: End of the interval; None for now.
        """
        return each_once(
            self._client,
            lambda page: analytics.list_time_spent(
                self._project,
                after=after,
                before=before,
                stages=stage_ids,
                user_emails=user_emails,
                datasets=dataset_ids,
                data_hashes=data_hashes,
                data_title=data_title,
                page=page,
            ),
            time_spent_key,
        )

    def task_actions(
        self,
        after: Time,
        before: Time,
        *,
        user_emails: Sequence[str] = (),
        actions: Sequence[str] = (),
        stage_ids: Sequence[str] = (),
        data_hashes: Sequence[str] = (),
    ) -> Iterator[TaskAction]:
        """Actions on tasks.

        :param actions: Values of `analytics.TASK_ACTIONS`; empty for all.
        """
        return each_once(
            self._client,
            lambda page: analytics.list_task_actions(
                self._project,
                after=after,
                before=before,
                user_emails=user_emails,
                actions=actions,
                stages=stage_ids,
                data_hashes=data_hashes,
                page=page,
            ),
            lambda record: record,
        )

    def collaborator_timers(
        self, after: Time, before: Time | None = None, *, group_by: str = BY_DATA_UNIT
    ) -> Iterator[CollaboratorTimer]:
        """Time of each collaborator. Encord recommends `time_spent` instead.

        :param group_by: `analytics.BY_DATA_UNIT` or `analytics.BY_PROJECT`.
        """
        return each(
            self._client,
            lambda page: analytics.list_collaborator_timers(
                self._project, after=after, before=before, group_by=group_by, page=page
            ),
        )
