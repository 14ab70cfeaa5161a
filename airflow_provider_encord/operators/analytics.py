"""Export what people did in a project, and how long it took them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    import datetime

    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_encord.analytics.export import AnalyticsFilters, AnalyticsSelection


class EncordExportAnalyticsOperator(EncordBaseOperator):
    """Export the time spent, the task actions and the editor logs of an interval to files and a manifest.

    Only reads. By default the interval is that of the run, so consecutive runs have every record once: the start
    belongs to the interval, the end does not. ``CronDataIntervalTimetable`` gives runs an interval. The default
    timetable of Airflow 3, ``CronTriggerTimetable``, does not: then the interval is from the previous run to this one,
    and for the first run the day before.

    Encord keeps time spent by user, task and day (UTC). With ``time_spent`` the default interval is the whole days
    (UTC) that end in the interval of the run. If `start` and `end` are passed, a day belongs to the interval that it
    begins in. An interval that does not consist of whole days is refused as long as its last day is not over.

    Files are ``time_spent-...jsonl``, ``task_actions-...jsonl``, ``editor_logs-...jsonl``; columns are the fields of
    the records in `airflow_provider_encord.client.api.analytics`. ``manifest.json`` is written last and names them.

    Safe to repeat: a whole export of the same interval and question stays if it was begun `settle_seconds` after the
    end of the interval, by Encord's clock; else it is made again. A destination that holds anything else is refused.
    SSH keys only. Encord API: ``analytics/time-spent``, ``analytics/task-actions``, ``editor-logs``; to check what the
    filters name, the project, its users and its label rows (v2, v1).

    :param project_id: Id of the project (templated).
    :param destination: Directory for the files (templated): any path of Airflow's object storage; one for each
        interval.
    :param record_types: ``"time_spent"``, ``"task_actions"``, ``"editor_logs"``, or several of them (templated); by
        default all.
    :param start: Beginning of the interval (templated); by default see above.
    :param end: Its end, not included (templated); by default see above.
    :param format: ``"jsonl"``, ``"jsonl.gz"``, or ``"parquet"`` (extra ``parquet``) (templated).
    :param user_emails: Only of these users, or one (templated).
    :param stage_ids: Only in these workflow stages, by id, or one (templated).
    :param data_hashes: Only on these data units, or one (templated).
    :param actions: Only these actions, or one; of task actions and editor logs (templated). ``submit`` is
        ``submit_task`` in the editor logs. Refused together with ``time_spent``, which Encord does not record by
        action.
    :param settle_seconds: How long after the end of the interval records may still reach Encord (templated).
    :param overwrite: Export again what is there (templated).
    :return: ``{"project_id": id, "start": str, "end": str, "records": {record_type: int}, "final": bool, "manifest":
        URI}``; `final` says whether the interval had settled.
    :raises AirflowFailException: The destination holds something else, an argument is wrong or names nothing, the
        interval cannot be exported yet, or Encord refuses.
    :raises AirflowException: Encord was not reached; a retry may help.
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
        from airflow_provider_encord.analytics.export import export_analytics
        from airflow_provider_encord.assets import project_uri
        from airflow_provider_encord.exports.manifest import MANIFEST

        target = storage_path(self.destination, "destination")
        selection = self._selection(context)
        overwrite = parse_bool(self.overwrite, "overwrite")
        settle_seconds = parse_seconds(self.settle_seconds, "settle_seconds")
        self.push_link(context, project_url, selection.project_id)
        manifest = export_analytics(self.client, selection, target, overwrite=overwrite, settle_seconds=settle_seconds)
        result = {
            "project_id": selection.project_id,
            "start": selection.start,
            "end": selection.end,
            "records": manifest.records,
            "final": manifest.is_final(settle_seconds),
            "manifest": str(target / MANIFEST),
        }
        self.record_asset_event(context, project_uri(self.client.settings.base_url, selection.project_id), result)
        return result

    def _selection(self, context: Context) -> AnalyticsSelection:
        from airflow_provider_encord.analytics.export import AnalyticsSelection
        from airflow_provider_encord.client.errors import InvalidArgumentError
        from airflow_provider_encord.exports.formats import require_format

        what = _kinds(self.record_types, "record_types")
        name = parse_choice(blank_to_none(self.format) or JSON_LINES, "format", ANALYTICS_FORMATS)
        require_format(name)
        start, end = self._interval(context, what)
        if start >= end:
            raise InvalidArgumentError(
                f"start, end: the interval from {start} to {end} is empty. If it is that of the run, leave "
                "both out (Airflow 3's default timetable gives empty ones), or use CronDataIntervalTimetable."
            )
        return AnalyticsSelection(
            project_id=self.client.project(self.project_id).id,
            record_types=tuple(dict.fromkeys(what)),
            start=start.isoformat(),
            end=end.isoformat(),
            format=name,
            filters=self._filters(what),
        )

    def _filters(self, what: Sequence[str]) -> AnalyticsFilters:
        from airflow_provider_encord.analytics.export import AnalyticsFilters
        from airflow_provider_encord.client.errors import InvalidArgumentError
        from airflow_provider_encord.client.resources.identifiers import require_emails, require_ids

        actions = parse_texts(self.actions, "actions") or []
        if actions and "time_spent" in what:
            raise InvalidArgumentError("actions: time spent is not recorded by action; leave one of them out.")
        return AnalyticsFilters(
            user_emails=tuple(require_emails(parse_list(self.user_emails, "user_emails"), "user_emails")),
            stage_ids=tuple(require_ids(parse_list(self.stage_ids, "stage_ids"), "stage_ids")),
            data_hashes=tuple(require_ids(parse_list(self.data_hashes, "data_hashes"), "data_hashes")),
            actions=tuple(actions),
        )

    def _interval(self, context: Context, what: Sequence[str]) -> tuple[datetime.datetime, datetime.datetime]:
        """Start and end, as passed or of the run."""
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
        from airflow_provider_encord.client.errors import InvalidArgumentError
        from airflow_provider_encord.operators.runs import run_interval, whole_days

        run = run_interval(context)
        if run is None:
            raise InvalidArgumentError("start, end: the run has no interval. Pass both.")
        days = whole_days(run, context) if "time_spent" in what else run
        if start is None and end is None and days[0] == days[1]:
            raise InvalidArgumentError(
                "record_types: Encord keeps time spent by day (UTC), and no day ends in the interval of this run, "
                f"from {run[0].isoformat()} to {run[1].isoformat()}. Run the DAG once a day, or leave time_spent out "
                "of `record_types`."
            )
        return start or days[0], end or days[1]


def _time(value: Any, name: str) -> datetime.datetime:
    import datetime

    from airflow_provider_encord.client.errors import InvalidArgumentError
    from airflow_provider_encord.client.times import parse_time

    text = _interval_end(value, name)
    if text is None:
        raise InvalidArgumentError(
            f"{name}: it is empty. A run without a data interval, such as one that somebody starts, needs it given."
        )
    try:
        return parse_time(text).astimezone(datetime.UTC)
    except OverflowError:
        raise InvalidArgumentError(f"{name}: {text} is out of the range of years that can be exported.") from None


def _kinds(value: Any, name: str) -> list[str]:
    from airflow_provider_encord.client.errors import InvalidArgumentError

    kinds = parse_list(value, name)
    unknown = [kind for kind in kinds if kind not in ANALYTICS_KINDS]
    if unknown or not kinds:
        raise InvalidArgumentError(f"{name}: {unknown or kinds} is not one of {', '.join(ANALYTICS_KINDS)}.")
    return kinds


def _interval_end(value: Any, name: str) -> str | None:
    """A time; None for the text that a template makes of none."""
    return parse_datetime(None if str(value) == "None" else value, name)
