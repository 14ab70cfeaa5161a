"""A project as one page in HTML that needs nothing else: what is late first, then plots and the tables behind them.

It is light or dark as the reader's system is, and fits a phone. Every plot has its numbers in a table below it. The
same progress has the same bytes.
"""

from __future__ import annotations

import contextlib
import datetime
import html
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from airflow_provider_encord.client.errors import CredentialError
from airflow_provider_encord.client.transport.settings import web_app_url
from airflow_provider_encord.client.web_app import WebApp, project_url
from airflow_provider_encord.history.records import Task
from airflow_provider_encord.project_progress.forecast import said
from airflow_provider_encord.project_progress.plotted import Plotted, plotted
from airflow_provider_encord.project_progress.progress import Glance, ProjectProgress
from airflow_provider_encord.project_progress.stages import StageNow

BEGINNING = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="generator" content="Encord progress">'
)
"""How every such page begins, by which it is known."""
_STYLE = """
:root{color-scheme:light dark;--text:#1c1c22;--back:#fff;--soft:#5a5a66;--line:#d5d5dd;--late:#a31621;--look:#8a5300}
@media(prefers-color-scheme:dark){
:root{--text:#ececf1;--back:#15151b;--soft:#a9a9b6;--line:#3a3a45;--late:#ff8a8f;--look:#f0b35a}
.plot-0{fill:#a59cf5}.plot-1{fill:#e9a15c}.plot-2{fill:#58c4a7}.plot-3{fill:#e38ab8}.plot-4{fill:#9fb2c0}
.plot-5{fill:#d6b656}.line-0{stroke:#a59cf5}.line-1{stroke:#e9a15c}.line-2{stroke:#58c4a7}.line-3{stroke:#e38ab8}
.line-4{stroke:#9fb2c0}.line-5{stroke:#d6b656}}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;color:var(--text);background:var(--back);margin:0 auto;max-width:62rem;
padding:1rem;overflow-wrap:anywhere}
h1{margin-bottom:0;line-height:1.2}h2{margin-top:2rem}a{color:inherit}p.soft{color:var(--soft)}
ul.findings{padding:0;list-style:none}
ul.findings li{border-left:.35rem solid var(--line);padding:.3rem .8rem;margin:.5rem 0}
ul.findings li.late{border-color:var(--late)}li.late b{color:var(--late)}
ul.findings li.warning{border-color:var(--look)}li.warning b{color:var(--look)}
.scroll{overflow-x:auto}.scroll:focus{outline:2px solid}
table{border-collapse:collapse;width:100%}
th,td{padding:.25rem .6rem;text-align:left;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:normal}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}
svg{display:block;width:100%;min-width:34rem;height:auto;font:12px system-ui,sans-serif;fill:currentColor}
summary{cursor:pointer;padding:.4rem 0}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.6rem}
dl div{border:1px solid var(--line);border-radius:.4rem;padding:.5rem .8rem}
dt{color:var(--soft)}dd{margin:0;font-size:1.3rem}
"""
SEVERITY_WORDS = {"late": "Late", "warning": "Look at", "note": "Note"}
_EVENTS = {
    "export": "Export",
    "import": "Import",
    "snapshot": "Snapshot",
    "gate": "Quality gate",
    "analytics": "Export of analytics",
    "tasks": "Change of tasks",
    "agent": "Agent",
}
_COUNTS_SHOWN = 6


TaskAddress: TypeAlias = Callable[[Task], str]
"""The address of Airflow's page about a task instance."""


def page_of(progress: ProjectProgress, *, head: str = "", above: str = "", address: TaskAddress | None = None) -> str:
    """The page.

    :param head: HTML for the end of its head.
    :param above: HTML for its beginning, such as a way back.
    :param address: Where Airflow shows a task instance; None if the reader may have no Airflow.
    """
    return "\n".join(_page(progress, head, above, address)) + "\n"


def begin(title: str, head: str = "", above: str = "") -> Iterator[str]:
    """The beginning of a page.

    :param title: Of the page.
    """
    yield BEGINNING
    yield f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{_text(title)}</title>'
    yield f"<style>{_STYLE}</style>{head}</head><body>{above}<main>"


def _page(progress: ProjectProgress, head: str, above: str, address: TaskAddress | None) -> Iterator[str]:
    title = title_of(progress)
    yield from begin(f"{title}: progress", head, above)
    yield f"<h1>{_text(title)}</h1>"
    yield f'<p class="soft">{_about(progress)}</p>'
    yield from _answer(progress)
    yield from _figures(progress)
    yield from _stages(progress)
    for one in plotted(progress):
        yield from _plot(one)
    yield from _events(progress, address)
    yield from _problems(progress)
    yield "</main></body></html>"


def title_of(progress: Glance) -> str:
    """The title of the project, or its id."""
    return progress.title or f"Project {progress.project_id}"


def encord_address(progress: ProjectProgress) -> str | None:
    """The project in Encord's web app; None if that is not known."""
    if progress.web_app:
        with contextlib.suppress(CredentialError):  # the history is a file; a link must not be a script
            return project_url(WebApp(web_app_url(progress.web_app)), progress.project_id)
    return project_url(f"https://{progress.host}", progress.project_id) if progress.host else None


def _about(progress: ProjectProgress) -> str:
    parts = [f"Made {moment(progress.now)}"]
    parts.append(f"from a history up to {moment(progress.as_of)}" if progress.as_of else "from an empty history")
    if progress.status:
        parts.append(f"status {_text(progress.status)}")
    address = encord_address(progress)
    link = f'. <a href="{html.escape(address)}">Open in Encord</a>' if address else f". Id {progress.project_id}"
    return f"{', '.join(parts)}{link}"


def _answer(progress: ProjectProgress) -> Iterator[str]:
    """What is late, why, since when."""
    yield '<h2>What is late</h2><ul class="findings">'
    for finding in progress.findings:
        since = f" Since {said(finding.since)}." if finding.since else ""
        word = SEVERITY_WORDS[finding.severity]
        yield f'<li class="{finding.severity}"><b>{word}:</b> {_text(finding.text)}{since}</li>'
    if not progress.findings:
        known = "Nothing that the history knows of." if progress.as_of else "The history says nothing yet."
        yield f"<li>{known}</li>"
    yield f"</ul><h2>Forecast</h2><p>{_text(progress.forecast.sentence)}</p>"


def _figures(progress: ProjectProgress) -> Iterator[str]:
    last, ended = progress.last, progress.forecast
    figures = []
    if last and last.total:
        figures.append((f"Done ({progress.noun})", f"{last.done} of {last.total} ({_percent(last.done / last.total)})"))
    if ended.date:
        figures.append(("Done about" if ended.verdict == "forecast" else "Done since", said(ended.date)))
    if progress.due:
        figures.append(("Due", said(progress.due)))
    if ended.per_week is not None:
        figures.append(("Done per week", f"{ended.per_week:.0f}"))
    for name, share, form in (
        ("Rejected, last 4 weeks", progress.rejection, _percent),
        ("Time per task, last 4 weeks", progress.seconds_per_task, duration),
    ):
        if share.value is not None:
            before = f" (before: {form(share.before)})" if share.before is not None else ""
            figures.append((name, f"{form(share.value)}{before}"))
    if figures:
        shown = "".join(f"<div><dt>{_text(name)}</dt><dd>{_text(value)}</dd></div>" for name, value in figures)
        yield f"<dl>{shown}</dl>"


def _stages(progress: ProjectProgress) -> Iterator[str]:
    yield "<h2>Stages now</h2>"
    if not progress.stages:
        yield "<p>The history has no count of a stage.</p>"
        return
    head = ("Stage", "Tasks", "In two weeks", "No task left since", "Oldest since", "Counted")
    rows = [[stage.title, *_cells(stage)] for stage in progress.stages]
    yield from table("Tasks by stage, as they were last counted", head, rows, numbers=(1, 2))


def _cells(stage: StageNow) -> list[str]:
    since = ""
    if stage.still_since:
        since = f"{said(stage.still_since)}{' or earlier' if stage.at_least else ''}"
    return [
        "not known" if stage.tasks is None else str(stage.tasks),
        "" if stage.change is None else f"{stage.change:+d}",
        since,
        moment(stage.oldest_since) if stage.oldest_since else "",
        moment(stage.at) if stage.at else "",
    ]


def _plot(one: Plotted) -> Iterator[str]:
    yield f"<h2>{_text(one.title)}</h2>"
    if one.missing:
        yield f"<p>{_text(one.missing)}</p>"
        return
    yield f'<div class="scroll" role="region" tabindex="0" aria-label="{_text(one.title)}, plot">'
    yield from one.svg
    yield f"</div><details><summary>{_text(one.title)} as a table</summary>"
    yield from table(one.title, one.head, one.rows, numbers=range(1, len(one.head)))
    yield "</details>"


def _events(progress: ProjectProgress, address: TaskAddress | None) -> Iterator[str]:
    yield "<h2>Last export, import, snapshot and gate</h2>"
    if not progress.events:
        yield "<p>The history has none of them.</p>"
        return
    rows = []
    for name, event in progress.events.items():
        counts = ", ".join(f"{key} {value:g}" for key, value in list(event.counts.items())[:_COUNTS_SHOWN])
        texts = (_EVENTS.get(name, name), moment(event.at), event.outcome, counts, event.uri or "")
        rows.append([*map(_text, texts), _task(event.task, address) if event.task else ""])
    head = ("What", "When", "Outcome", "Counts", "File", "Task in Airflow")
    yield from html_table("The last time of each", head, rows)


def _task(task: Task, address: TaskAddress | None) -> str:
    text = _text(f"{task.dag_id}.{task.task_id}, run {task.run_id}")
    return f'<a href="{_text(address(task))}">{text}</a>' if address else text


def _problems(progress: ProjectProgress) -> Iterator[str]:
    if not progress.wrong + progress.newer:
        return
    yield "<h2>What of the history cannot be used</h2><p>"
    yield f"{progress.wrong} lines or files are damaged, and {progress.newer} records are of a newer version of the "
    yield "provider. They are in no number of this page.</p><ul>"
    yield from (f"<li>{_text(problem)}</li>" for problem in progress.problems)
    yield "</ul>"


def table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = ()
) -> Iterator[str]:
    """A table of texts whose first column names the rows.

    :param numbers: The columns of numbers.
    """
    yield from html_table(caption, head, [[_text(cell) for cell in row] for row in rows], numbers=numbers)


def html_table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = ()
) -> Iterator[str]:
    """As `table`, with cells of HTML."""

    def style(number: int) -> str:
        return ' class="number"' if number in numbers else ""

    yield f'<div class="scroll" role="region" tabindex="0" aria-label="{_text(caption)}"><table>'
    yield f"<caption hidden>{_text(caption)}</caption><thead><tr>"
    yield "".join(f'<th scope="col"{style(number)}>{_text(name)}</th>' for number, name in enumerate(head))
    yield "</tr></thead><tbody>"
    for row in rows:
        cells = "".join(f"<td{style(number)}>{cell}</td>" for number, cell in enumerate(row[1:], 1))
        yield f'<tr><th scope="row">{row[0]}</th>{cells}</tr>'
    yield "</tbody></table></div>"


def duration(seconds: float) -> str:
    """A number of seconds in words."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _percent(share: float) -> str:
    return f"{share:.1%}"


def moment(text: str | None) -> str:
    """A time of a record, in words."""
    moment = datetime.datetime.fromisoformat(text or "").astimezone(datetime.UTC)
    return f"{said(moment.date())} {moment:%H:%M} UTC"


def _text(text: str) -> str:
    return html.escape(text)
