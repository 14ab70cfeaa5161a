"""A report on a project, as a task writes it: from the history, and from Encord if that is wanted."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable
from typing import Any

from airflow_provider_encord import plot_pictures
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.history.daily import ProjectDays
from airflow_provider_encord.history.reading import ProjectHistory, read_project
from airflow_provider_encord.history.records import Fact, record_of
from airflow_provider_encord.history.store import OPTION, Problems
from airflow_provider_encord.html_pages import require_replaceable_page
from airflow_provider_encord.project_progress.page import BEGINNING, page_of, title_of
from airflow_provider_encord.project_progress.plotted import plotted
from airflow_provider_encord.project_progress.progress import ProjectProgress, progress_of
from airflow_provider_encord.project_progress.refresh import DAYS_OF_ACTIVITY, ask_encord
from airflow_provider_encord.storage_paths import StoragePath, storage_errors, write_whole

log = logging.getLogger(__name__)

_ARGUMENT, _PNG = "destination", "png"


def report_project(
    project_id: str,
    root: StoragePath | None,
    destination: StoragePath,
    *,
    now: datetime.datetime,
    due: datetime.date | None,
    client: Callable[[], EncordClient] | None,
    png: StoragePath | None = None,
) -> tuple[ProjectProgress, list[Fact]]:
    """Write the page.

    :param root: The directory of the history; None if none is kept.
    :param destination: The page. It replaces only an earlier page.
    :param due: When the project should be done.
    :param client: Returns the client with which Encord is asked; None to send nothing.
    :param png: The plots of the page as a picture; None for no picture.
    :return: What the page shows, and what Encord said.
    :raises InvalidArgumentError: There is neither a history nor a client, or the destination cannot be written.
    :raises EncordError: The history cannot be listed, or Encord cannot be asked.
    """
    if root is None and client is None:
        raise InvalidArgumentError(
            f"refresh: Airflow's configuration has no history ({OPTION} is empty), so there is nothing to report. Set "
            "the option, or pass refresh=True to ask Encord."
        )
    require_replaceable_page(destination, _ARGUMENT, BEGINNING, "a report on a project")
    if png is not None:
        plot_pictures.require_pillow(_PNG)
        require_replaceable_page(png, _PNG, plot_pictures.BEGINNING, "a PNG")
    found = ProjectHistory(project_id, ProjectDays(), Problems()) if root is None else read_project(root, project_id)
    facts = [] if client is None else _asked(client(), project_id, now)
    for fact in facts:
        found.days.add(record_of(project_id, fact, now))
    progress = progress_of(found, now, due=due)
    _warn(progress)
    with storage_errors(_ARGUMENT, destination):
        write_whole(destination, [page_of(progress).encode()])
    if png is not None:
        plots = [(one.title, one.svg, one.missing) for one in plotted(progress)]
        picture = plot_pictures.picture_of(title_of(progress), progress.forecast.sentence, plots)
        with storage_errors(_PNG, png):
            write_whole(png, [picture])
    return progress, facts


def _asked(client: EncordClient, project_id: str, now: datetime.datetime) -> list[Fact]:
    log.info(
        "refresh: asking Encord, with one request for the project, one for the stages of all rows, and one for each "
        "page of the actions and the time spent of the last %d days.",
        DAYS_OF_ACTIVITY,
    )
    return ask_encord(client, project_id, now)


def _warn(progress: ProjectProgress) -> None:
    if progress.as_of is None:
        log.warning("The history has nothing about project %s; the report says so.", progress.project_id)
    if progress.wrong + progress.newer:
        log.warning(
            "%d lines or files of the history are damaged, and %d records are of a newer version of the provider. They "
            "are not used, and the report lists them, such as: %s",
            progress.wrong,
            progress.newer,
            "; ".join(progress.problems[:3]),
        )


def result_of(progress: ProjectProgress, destination: Any, png: Any = None) -> dict[str, Any]:
    """The counts and dates of a report, and where it is, for XCom."""
    last, ended = progress.last, progress.forecast
    return {
        "project_id": progress.project_id,
        "destination": str(destination),
        "png": None if png is None else str(png),
        "done": last.done if last else None,
        "total": last.total if last else None,
        "verdict": ended.verdict,
        "forecast": _text(ended.date),
        "earliest": _text(ended.earliest),
        "latest": _text(ended.latest),
        "late": sum(finding.severity == "late" for finding in progress.findings),
        "warnings": sum(finding.severity == "warning" for finding in progress.findings),
        "wrong": progress.wrong,
        "newer": progress.newer,
    }


def _text(day: datetime.date | None) -> str | None:
    return None if day is None else day.isoformat()
