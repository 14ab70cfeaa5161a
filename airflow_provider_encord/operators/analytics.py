"""Export the analytics of a project: time spent, task actions and editor logs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.assets import project_uri
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.defaults import ANALYTICS_FORMATS, ANALYTICS_KINDS, JSON_LINES, SETTLE_SECONDS
from airflow_provider_encord.links import project_url
from airflow_provider_encord.operators.arguments import (
    blank_to_none,
    parse_bool,
    parse_choice,
    parse_datetime,
    parse_list,
    parse_seconds,
    parse_texts,
    storage_path,
)
from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.literals import check_destination, check_literals, one_of
from airflow_provider_encord.operators.runs import run_interval, whole_days

if TYPE_CHECKING:
    import datetime

    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath


class EncordExportAnalyticsOperator(EncordBaseOperator):
    """Export the time spent, the task actions and the editor logs of an interval to files and a manifest.

    Only reads. The default interval is the data interval of the run. It includes its start but not its end, so
    consecutive runs export every record exactly once. Use ``CronDataIntervalTimetable`` for data intervals. With
    ``CronTriggerTimetable``, the default timetable of Airflow 3, data intervals are empty: then the interval is from
    the previous run to this run, and for the first run it is the day before.

    Encord stores time spent per user, task and day (UTC). With ``time_spent``, the default interval is the whole days
    (UTC) that end in the data interval. If you pass `start` and `end`, they select the days that begin between them. If
    they are not at midnight (UTC), the task fails until the last of these days is over.

    The files are ``time_spent-...jsonl``, ``task_actions-...jsonl`` and ``editor_logs-...jsonl``. Their columns are the
    fields of the records in `airflow_provider_encord.client.api.analytics`. ``manifest.json`` lists the files and is
    written last.

    Safe to repeat: a complete export with the same interval and filters is kept, if it was started at least
    `settle_seconds` after the end of the interval, by Encord's clock; otherwise it is made again. If the destination
    contains anything else, the task fails. Needs an SSH key. Encord API: ``analytics/time-spent``,
    ``analytics/task-actions``, ``editor-logs``; and to check the filters, the project, its users and its label rows
    (v2, v1).

    :param project_id: Id of the project (templated).
    :param destination: Directory for the files (templated): any path of Airflow's object storage. Use a different
        directory for each interval.
    :param record_types: ``"time_spent"``, ``"task_actions"``, ``"editor_logs"``, or a list of them (templated).
        Default: all three.
    :param start: Start of the interval (templated). Default: see above.
    :param end: End of the interval, not included (templated). Default: see above.
    :param format: ``"jsonl"`` (default), ``"jsonl.gz"``, or ``"parquet"`` (extra ``parquet``) (templated).
    :param user_emails: Only records of these users, or of one user (templated).
    :param stage_ids: Only records of these workflow stages, by id, or of one stage (templated).
    :param data_hashes: Only records of these data units, or of one data unit (templated).
    :param actions: Only task actions and editor logs with these actions, or with one action (templated). The action
        ``submit`` is called ``submit_task`` in the editor logs. An error together with ``time_spent``, which Encord
        does not record by action.
    :param settle_seconds: How long after the end of the interval Encord may still receive records of it, in seconds
        (templated). Default: 24 hours.
    :param overwrite: Replace an existing export (templated). Default: False.
    :return: ``{"project_id": id, "start": str, "end": str, "records": {record_type: int}, "final": bool, "manifest":
        URI}``. ``final`` is True if the export was started at least `settle_seconds` after the end of the interval.
    :raises AirflowFailException: The destination has other files, an argument is wrong, a filter matches nothing in
        the project, the interval cannot be exported yet, or Encord rejects the request.
    :raises AirflowException: Encord could not be reached; a retry may help.
    """

    template_fields: Sequence[str] = (
        "project_id",
        "destination",
        "record_types",
        "start",
        "end",
        "format",
        "user_emails",
        "stage_ids",
        "data_hashes",
        "actions",
        "settle_seconds",
        "overwrite",
        *EncordBaseOperator.template_fields,
    )

    def __init__(
        self,
        *,
        project_id: str,
        destination: str | os.PathLike[str] | ObjectStoragePath,
        record_types: Sequence[str] | str = ("time_spent", "task_actions", "editor_logs"),
        start: Any = None,
        end: Any = None,
        format: str = JSON_LINES,  # noqa: A002 - the word for it
        user_emails: Sequence[str] | str | None = None,
        stage_ids: Sequence[str] | str | None = None,
        data_hashes: Sequence[str] | str | None = None,
        actions: Sequence[str] | str | None = None,
        settle_seconds: float | str = SETTLE_SECONDS,
        overwrite: bool | str = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.project_id = project_id
        self.destination = destination
        self.record_types = record_types
        self.start = start
        self.end = end
        self.format = format
        self.user_emails = user_emails
        self.stage_ids = stage_ids
        self.data_hashes = data_hashes
        self.actions = actions
        self.settle_seconds = settle_seconds
        self.overwrite = overwrite
        check_destination(destination)
        check_literals(
            record_types=(record_types, _kinds),
            start=(start, _interval_end),
            end=(end, _interval_end),
            format=(format, one_of(*ANALYTICS_FORMATS)),
            settle_seconds=(settle_seconds, parse_seconds),
            overwrite=(overwrite, parse_bool),
        )

    def _execute(self, context: Context) -> dict[str, Any]:
        """Export the records."""
        from airflow_provider_encord.analytics.export import ActivityTally, export_analytics, select_records

        target = storage_path(self.destination, "destination")
        record_types = _kinds(self.record_types, "record_types")
        selection = select_records(
            self.client,
            self.project_id,
            record_types=record_types,
            interval=self._interval(context, record_types),
            format=parse_choice(blank_to_none(self.format) or JSON_LINES, "format", ANALYTICS_FORMATS),
            user_emails=parse_list(self.user_emails, "user_emails"),
            stage_ids=parse_list(self.stage_ids, "stage_ids"),
            data_hashes=parse_list(self.data_hashes, "data_hashes"),
            actions=parse_texts(self.actions, "actions") or [],
        )
        overwrite = parse_bool(self.overwrite, "overwrite")
        settle_seconds = parse_seconds(self.settle_seconds, "settle_seconds")
        self.push_link(context, project_url, selection.project_id)
        tally = ActivityTally()
        manifest = export_analytics(
            self.client, selection, target, overwrite=overwrite, settle_seconds=settle_seconds, tally=tally
        )
        result = manifest.summary(target, settle_seconds)
        if not selection.filters.any and (tally.has_actions or tally.has_time):
            self.remember(selection.project_id, tally.fact(*selection.interval, final=result["final"]))
        self.remember_event(selection.project_id, "analytics", result["records"], uri=result["manifest"])
        self.record_asset_event(context, project_uri(self.client.settings.base_url, selection.project_id), result)
        return result

    def _interval(self, context: Context, what: Sequence[str]) -> tuple[datetime.datetime, datetime.datetime]:
        """Return start and end; values that were not passed come from the run."""
        start = None if self.start is None else _time(self.start, "start")
        end = None if self.end is None else _time(self.end, "end")
        if start is not None and end is not None:
            return start, end
        return self._default_interval(context, what, start, end)

    def _default_interval(
        self,
        context: Context,
        what: Sequence[str],
        start: datetime.datetime | None,
        end: datetime.datetime | None,
    ) -> tuple[datetime.datetime, datetime.datetime]:
        run = run_interval(context)
        if run is None:
            raise InvalidArgumentError("start, end: this run has no data interval. Pass both arguments.")
        days = whole_days(run, context) if "time_spent" in what else run
        if start is None and end is None and days[0] == days[1]:
            raise InvalidArgumentError(
                "record_types: time_spent cannot be exported, because Encord stores it per day (UTC) and no day ends "
                f"in the interval of this run, {run[0].isoformat()} to {run[1].isoformat()}. Run the DAG once a day, "
                "or remove time_spent from `record_types`."
            )
        return start or days[0], end or days[1]


def _time(value: Any, name: str) -> datetime.datetime:
    import datetime

    text = _interval_end(value, name)
    if text is None:
        raise InvalidArgumentError(
            f"{name}: it is empty (check the rendered template). A run without a data interval, such as a manual run, "
            "needs a time here."
        )
    try:
        return parse_time(text).astimezone(datetime.UTC)
    except OverflowError:
        raise InvalidArgumentError(f"{name}: {text} is out of range. Pass a year from 1 to 9999.") from None


def _kinds(value: Any, name: str) -> list[str]:
    kinds = parse_list(value, name)
    unknown = [kind for kind in kinds if kind not in ANALYTICS_KINDS]
    if unknown or not kinds:
        raise InvalidArgumentError(
            f"{name}: {unknown or kinds} is not allowed. Pass one or more of {', '.join(ANALYTICS_KINDS)}."
        )
    return kinds


def _interval_end(value: Any, name: str) -> str | None:
    """Parse a time; None for an empty value and for the string ``None``."""
    return parse_datetime(None if str(value) == "None" else value, name)
