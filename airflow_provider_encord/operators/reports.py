"""Report on projects."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.identifiers import require_id
from airflow_provider_encord.operators.arguments import (
    blank_to_none,
    parse_bool,
    parse_datetime,
    parse_url,
    storage_path,
)
from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.literals import check_literals

if TYPE_CHECKING:
    import datetime

    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath


class EncordProjectReportOperator(EncordBaseOperator):
    """Write how far a project is as one page in HTML: what is late and why, a forecast, plots and tables.

    The page needs nothing else, so it can be sent by mail or opened from an object store. It is made of the history of
    the project, which tasks keep if ``[encord] history`` is set in Airflow's configuration; then no request is sent and
    the connection is not used. What the history does not have, and what of it cannot be read, is said on the page.

    Only reads. Safe to repeat: the page is replaced as a whole, and no other file is. The same history at the same time
    has the same bytes. With `refresh`, it needs an SSH key. Encord API: ``project`` GET, ``analytics/task-actions`` and
    ``analytics/time-spent`` (v2), ``labelrowmetadata`` (v1); all of them only with `refresh`.

    :param project_id: Id of the project (templated).
    :param destination: Path or URI of the page (templated), such as ``s3://bucket/reports/streets.html``. It replaces
        only an earlier report.
    :param due: When the project should be done, a date or time (templated). The page then says whether it is late, and
        since when. Default: no date.
    :param refresh: Also ask Encord (templated), and keep the answers in the history: one request for the project, one
        whose response lists all label rows (about 800 bytes each, as a stream), and one for each page of the actions
        and the time spent of the last 28 days. Default: False.
    :param png: Path or URI of a picture of the same plots (templated), for mail or chat. It replaces only another PNG.
        Needs the extra ``png``. Default: no picture.
    :return: ``{"project_id", "destination": URI, "png": URI or None, "done": int or None, "total": int or None,
        "verdict", "forecast": date or None, "earliest", "latest", "late": int, "warnings": int, "wrong": int, "newer":
        int}``. ``verdict`` is ``forecast``, ``done``, ``too_short``, ``no_progress``, ``growing`` or ``unknown``.
        ``late`` and ``warnings`` are numbers of findings, ``wrong`` and ``newer`` are records of the history that
        cannot be used.
    :raises AirflowFailException: There is no history and `refresh` is False, a path has another file, Pillow is
        missing, or an argument is wrong.
    :raises AirflowException: The storage or Encord could not be reached; a retry may help.
    """

    template_fields: Sequence[str] = (
        "project_id",
        "destination",
        "due",
        "refresh",
        "png",
        *EncordBaseOperator.template_fields,
    )

    def __init__(
        self,
        *,
        project_id: str,
        destination: str | os.PathLike[str] | ObjectStoragePath,
        due: datetime.datetime | datetime.date | str | None = None,
        refresh: bool | str = False,
        png: str | os.PathLike[str] | ObjectStoragePath | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.project_id = project_id
        self.destination = destination
        self.due = due
        self.refresh = refresh
        self.png = png
        check_literals(
            project_id=(project_id, require_id),
            destination=(destination, parse_url),
            due=(due, _parse_due),
            refresh=(refresh, parse_bool),
            png=(png, parse_url),
        )

    def _execute(self, context: Context) -> dict[str, Any]:
        """Write the report."""
        from airflow_provider_encord.project_progress.reporting import report_project, result_of

        project_id = require_id(self.project_id, "project_id")
        path, due = storage_path(self.destination, "destination"), _parse_due(self.due, "due")
        refresh = parse_bool(self.refresh, "refresh", empty=False)
        png = storage_path(self.png, "png") if blank_to_none(self.png) else None
        self.push_project_page(context, project_id)
        progress, facts = report_project(
            project_id,
            self._learned.directory(),
            path,
            now=_now(),
            due=due,
            client=(lambda: self.client) if refresh else None,
            png=png,
        )
        self.remember(project_id, *facts)
        if progress.host:
            self.push_project_links(context, progress.host, project_id)
        for finding in progress.findings:
            self.log.info("%s: %s", finding.severity, finding.text)
        self.log.info("%s The report is %s.", progress.forecast.sentence, path)
        return result_of(progress, path, png)


def _now() -> datetime.datetime:
    import datetime

    return datetime.datetime.now(datetime.UTC)


def _parse_due(value: Any, name: str) -> datetime.date | None:
    """Parse a date, which may be a time; None for an empty value.

    :raises InvalidArgumentError: It is neither.
    """
    import datetime

    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    text = parse_datetime(value, name)
    if text is None:
        return None
    try:
        return datetime.datetime.fromisoformat(text).astimezone(datetime.UTC).date()
    except OverflowError:
        raise InvalidArgumentError(f"{name}: {text[:80]} is out of range. Pass a year from 1 to 9999.") from None
