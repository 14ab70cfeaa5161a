"""All projects at a glance, the ones that are late first."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from airflow_provider_encord.project_progress.findings import SEVERITIES
from airflow_provider_encord.project_progress.forecast import said
from airflow_provider_encord.project_progress.page import SEVERITY_WORDS, begin, html_table, moment, title_of
from airflow_provider_encord.project_progress.progress import Glance

_HEAD = ("Project", "What to look at", "Done", "Forecast", "Open tasks", "As of")


def overview_of(projects: Sequence[Glance], *, head: str = "", hidden: bool = False) -> str:
    """The page.

    :param projects: Those that the reader may see.
    :param head: HTML for the end of its head.
    :param hidden: Whether there are others that the reader may not see.
    """
    return "\n".join(_page(sorted(projects, key=_urgency), head, hidden)) + "\n"


def _urgency(progress: Glance) -> tuple[int, str, str]:
    """The worst finding decides, then the title."""
    worst = SEVERITIES.index(progress.findings[0].severity) if progress.findings else len(SEVERITIES)
    return worst, title_of(progress).casefold(), progress.project_id


def _page(projects: Sequence[Glance], head: str, hidden: bool) -> Iterator[str]:
    yield from begin("Encord projects", head)
    yield "<h1>Encord projects</h1>"
    late = sum(bool(one.findings) and one.findings[0].severity == "late" for one in projects)
    noun = "project" if len(projects) == 1 else "projects"
    yield f'<p class="soft">{len(projects)} {noun}, {late} late. From the history that tasks write, in UTC.</p>'
    if projects:
        rows = [list(_cells(one)) for one in projects]
        yield from html_table("All projects, the ones that are late first", _HEAD, rows, numbers=(2, 4))
    elif hidden:
        yield "<p>You may not read a DAG that works on one of the projects.</p>"
    else:
        yield "<p>The history is empty. Tasks write to it when they work on a project.</p>"
    yield "</main></body></html>"


def _cells(progress: Glance) -> Iterator[str]:
    yield f'<a href="projects/{progress.project_id}">{html.escape(title_of(progress))}</a>'
    yield _worst(progress)
    last = progress.last
    yield f"{last.done / last.total:.0%} of {last.total}" if last and last.total else "not known"
    yield _forecast(progress)
    counts = [stage.tasks for stage in progress.stages if stage.tasks is not None and not stage.is_final]
    yield str(sum(counts)) if counts else "not known"
    yield moment(progress.as_of) if progress.as_of else "never"


def _worst(progress: Glance) -> str:
    """The first finding; how many more there are stands behind it."""
    unusable = progress.wrong + progress.newer
    parts = []
    if progress.findings:
        first, more = progress.findings[0], len(progress.findings) - 1
        since = f" Since {said(first.since)}." if first.since else ""
        also = f" And {more} more." if more else ""
        parts.append(f"<b>{SEVERITY_WORDS[first.severity]}:</b> {html.escape(first.text)}{since}{also}")
    if unusable:
        parts.append(f"{unusable} parts of the history cannot be used.")
    return " ".join(parts)


def _forecast(progress: Glance) -> str:
    ended = progress.forecast
    if ended.date is None:
        return {"growing": "no end in sight", "no_progress": "no progress"}.get(ended.verdict, "not known")
    if ended.verdict != "forecast" or ended.earliest is None:
        return f"done since {said(ended.date)}"
    latest = said(ended.latest) if ended.latest else "not sure"
    return f"{said(ended.date)} ({said(ended.earliest)} to {latest})"
