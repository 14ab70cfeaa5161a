"""What a visitor sees in the place of a project that the history does not have, or that they may not see.

A task has its link to the page of its project while it runs, and it writes the history when it ends; so people come
here before there is anything to see. The page says nothing about the project that was asked for, not even whether the
history has it.
"""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_encord.project_progress.page import begin

_REASONS = (
    "<b>No task that works on the project has ended yet.</b> A task writes to the history when it ends. Load this page "
    "again then.",
    "<b>The tasks that have ended learned nothing about the project.</b> One task that counts all its tasks is enough "
    "for a page: <code>EncordProjectReportOperator</code> with <code>refresh=True</code>, or "
    "<code>EncordProjectProgressSensor</code>. Once a day, it also gives a forecast.",
    "<b>The tasks write somewhere else.</b> Workers, triggerers and the API server need the same option "
    "<code>history</code> in the section <code>[encord]</code> of Airflow's configuration, and a path on a disk must "
    "be one that they share. A task that cannot write to the history has a warning in its log.",
    "<b>You may not read a DAG that works on the project.</b> An administrator of Airflow can change that.",
)


def page_of_absent_project(*, head: str = "", above: str = "") -> str:
    """The page.

    :param head: HTML for the end of its head.
    :param above: HTML for its beginning, such as a way back.
    """
    return "\n".join(_page(head, above)) + "\n"


def _page(head: str, above: str) -> Iterator[str]:
    title = "No history of this project"
    yield from begin(title, head, above)
    yield f"<h1>{title}</h1>"
    yield "<p>The history has nothing about a project with this id that you may see. The reason is one of these:</p>"
    yield "<ul>"
    for reason in _REASONS:
        yield f"<li>{reason}</li>"
    yield "</ul></main></body></html>"
