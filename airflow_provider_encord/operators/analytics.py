"""Export what people did in a project, and how long it took them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.defaults import ANALYTICS_FORMATS, ANALYTICS_KINDS, JSON_LINES
from airflow_provider_encord.links import project_url
from airflow_provider_encord.operators.arguments import (
    check_literals,
    flag,
    given,
    location,
    moment,
    one_of,
    several,
    storage_path,
)
from airflow_provider_encord.operators.base import EncordBaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_encord.export.analytics import AnalyticsFilters, AnalyticsQuestion


class EncordExportAnalyticsOperator(EncordBaseOperator):
    """Export the time spent, the task actions and the editor logs of an interval to files and a manifest.

    Only reads. By default the interval is the data interval of the run, so runs that follow each other have every
    record once: its beginning is included, and its end is not. Longer intervals are asked for in parts of 30 days, and
    records go to files page by page. Time spent comes by user, task and day; it belongs to the interval that the
    beginning of its day (UTC) is in: ask for whole days.

    Names of files begin with ``time_spent-``, ``task_actions-`` or ``editor_logs-``; the manifest has them. Columns
    are the fields of the records in `airflow_provider_encord.client.api.analytics`. ``manifest.json`` is written last.

    Safe to repeat: a whole export of the same interval and question stays, unless it was taken before the interval was
    over. A destination that holds any other file is refused. If two intervals are exported
    to one destination at once, the one that began first fails. SSH keys only. Encord API: ``analytics/time-spent``,
    ``analytics/task-actions``, ``editor-logs`` (v2).

    :param project: Id of the project (templated).
    :param destination: Directory for the files (templated): any path of Airflow's object storage; one for each
        interval.
    :param what: ``"time_spent"``, ``"task_actions"``, ``"editor_logs"``, or several of them (templated); by default
        all.
    :param start: Beginning of the interval (templated).
    :param end: Its end, not included (templated).
    :param format: ``"jsonl"``, ``"jsonl.gz"``, or ``"parquet"`` (extra ``parquet``) (templated).
    :param user_emails: Only of these users, or one (templated).
    :param stages: Only in these workflow stages, by id, or one (templated).
    :param data_hashes: Only on these data units, or one (templated).
    :param actions: Only these actions, or one; of task actions and editor logs (templated).
    :param overwrite: Export anew what is there (templated).
    :return: ``{"project": id, "start": str, "end": str, "records": {what: int}, "manifest": URI}``.
    :raises AirflowFailException: The destination holds something else, an argument is wrong, or Encord refuses.
    :raises AirflowException: Encord was not reached; a retry may help.
    """

    template_fields: Sequence[str] = (
        "project",
        "destination",
        "what",
        "start",
        "end",
        "format",
        "user_emails",
        "stages",
        "data_hashes",
        "actions",
        "overwrite",
        *EncordBaseOperator.template_fields,
    )

    def __init__(
        self,
        *,
        project: str,
        destination: str | os.PathLike[str] | ObjectStoragePath,
        what: Sequence[str] | str = ("time_spent", "task_actions", "editor_logs"),
        start: Any = "{{ data_interval_start }}",
        end: Any = "{{ data_interval_end }}",
        format: str = JSON_LINES,  # noqa: A002 - the word for it
        user_emails: Sequence[str] | str | None = None,
        stages: Sequence[str] | str | None = None,
        data_hashes: Sequence[str] | str | None = None,
        actions: Sequence[str] | str | None = None,
        overwrite: bool | str = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.project = project
        self.destination = destination
        self.what = what
        self.start = start
        self.end = end
        self.format = format
        self.user_emails = user_emails
        self.stages = stages
        self.data_hashes = data_hashes
        self.actions = actions
        self.overwrite = overwrite
        check_literals(
            destination=(destination, location),
            what=(what, _kinds),
            start=(start, _interval_end),
            end=(end, _interval_end),
            format=(format, one_of(*ANALYTICS_FORMATS)),
            overwrite=(overwrite, flag),
        )

    def act(self, context: Context) -> dict[str, Any]:
        """Export the records."""
        from airflow_provider_encord.assets import project_uri
        from airflow_provider_encord.export.analytics import export_analytics
        from airflow_provider_encord.export.manifest import MANIFEST

        target = storage_path(self.destination, "destination")
        question = self._question()
        overwrite = flag(self.overwrite, "overwrite")
        self.show(context, project_url, question.project)
        manifest = export_analytics(self.client, question, target, overwrite=overwrite)
        told = {
            "project": question.project,
            "start": question.start,
            "end": question.end,
            "records": manifest.records,
            "manifest": str(target / MANIFEST),
        }
        self.tell_assets(context, project_uri(self.client.settings.base_url, question.project), told)
        return told

    def _question(self) -> AnalyticsQuestion:
        from airflow_provider_encord.client.errors import InvalidRequestError
        from airflow_provider_encord.export.analytics import AnalyticsQuestion
        from airflow_provider_encord.export.analytics_files import FORMATS
        from airflow_provider_encord.export.formats import require_format

        what = _kinds(self.what, "what")
        name = given(self.format) or JSON_LINES
        if name not in FORMATS:
            raise InvalidRequestError(f"format: {str(name)[:80]!r} is none of {', '.join(FORMATS)}.")
        require_format(name)
        start, end = self._time(self.start, "start"), self._time(self.end, "end")
        if start >= end:
            raise InvalidRequestError(
                f"start, end: the interval from {start} to {end} is empty. A run that somebody starts may have none; "
                "then give both."
            )
        return AnalyticsQuestion(
            project=self.client.project(self.project).id,
            what=tuple(dict.fromkeys(what)),
            start=start,
            end=end,
            format=name,
            filters=self._filters(what),
        )

    def _filters(self, what: Sequence[str]) -> AnalyticsFilters:
        from airflow_provider_encord.client.api.analytics import TASK_ACTIONS as KNOWN_ACTIONS
        from airflow_provider_encord.client.errors import InvalidRequestError
        from airflow_provider_encord.client.resources.identifiers import require_ids
        from airflow_provider_encord.export.analytics import TASK_ACTIONS, TIME_SPENT, AnalyticsFilters

        actions = several(self.actions, "actions")
        if actions and TIME_SPENT in what:
            raise InvalidRequestError("actions: time spent is not told by action; leave one of them out.")
        unknown = [one for one in actions if one not in KNOWN_ACTIONS]
        if unknown and TASK_ACTIONS in what:
            raise InvalidRequestError(f"actions: {unknown} is none of {', '.join(KNOWN_ACTIONS)}.")
        return AnalyticsFilters(
            user_emails=tuple(several(self.user_emails, "user_emails")),
            stages=tuple(require_ids(several(self.stages, "stages"), "stages")),
            data_hashes=tuple(require_ids(several(self.data_hashes, "data_hashes"), "data_hashes")),
            actions=tuple(actions),
        )

    def _time(self, value: Any, name: str) -> str:
        import datetime

        from airflow_provider_encord.client.errors import InvalidRequestError
        from airflow_provider_encord.client.times import parse_time

        text = _interval_end(value, name)
        if text is None:
            raise InvalidRequestError(
                f"{name}: it is empty. A run without a data interval, such as one that somebody starts, needs it given."
            )
        return parse_time(text).astimezone(datetime.UTC).isoformat()


def _kinds(value: Any, name: str) -> list[str]:
    from airflow_provider_encord.client.errors import InvalidRequestError

    kinds = several(value, name)
    unknown = [one for one in kinds if one not in ANALYTICS_KINDS]
    if unknown or not kinds:
        raise InvalidRequestError(f"{name}: {unknown or kinds} is none of {', '.join(ANALYTICS_KINDS)}.")
    return kinds


def _interval_end(value: Any, name: str) -> str | None:
    """A time; None for the text that a template makes of none."""
    return moment(None if str(value) == "None" else value, name)
