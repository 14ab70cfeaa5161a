"""The pages of a project: its stages with their tasks, pictures with their labels, and its rows."""

from __future__ import annotations

from starlette.responses import Response

from ..state.store import Row
from ..workflow import workflow
from ..workflow.stage_access import ROUTER
from .drawing import drawn
from .labelled import Content, pictures
from .markup import Markup, facts, joined, link, page, table, tag
from .visit import (
    PAGE_SIZE,
    NotFoundError,
    Visit,
    dataset_address,
    editor_address,
    named,
    ontology_address,
    project_address,
    queue_address,
)

PICTURES = 12
"""So many labelled pictures are shown."""
_DATASETS = """
SELECT datasets.* FROM project_datasets JOIN datasets ON datasets.uuid = dataset WHERE project = ?
ORDER BY project_datasets.position
"""
_LABELLED = """
SELECT unit.*, label_rows.answers, label_rows.units FROM label_rows JOIN data_units AS unit USING (data_hash)
WHERE project = ? AND branch = 'main' AND unit.data_type IN ('image', 'img_group', 'video', 'group')
ORDER BY label_rows.last_edited_at DESC, unit.position LIMIT ?
"""
_TASKS = """
SELECT tasks.*, unit.title, unit.data_type, stages.title AS stage_title,
  (SELECT max(last_edited_at) FROM label_rows WHERE label_rows.project = tasks.project
   AND label_rows.data_hash = tasks.data_hash) AS labelled_at
FROM tasks JOIN data_units AS unit USING (data_hash)
JOIN stages ON stages.project = tasks.project AND stages.uuid = tasks.stage
WHERE tasks.project = ? AND (? = '' OR tasks.stage = ?) ORDER BY unit.position LIMIT ? OFFSET ?
"""


def summary_page(visit: Visit, project: str) -> Response:
    """How far a project is, and what its labels look like."""
    about = visit.require("SELECT * FROM projects WHERE uuid = ?", project, "project")
    ontology = visit.store.value("SELECT title FROM ontologies WHERE uuid = ?", about["ontology"])
    datasets = [named(dataset_address(one["uuid"]), one["title"], one["uuid"]) for one in _datasets(visit, project)]
    known = {
        "Id": tag("code", project),
        "Description": about["description"] or None,
        "Status": about["status"],
        "Ontology": link(ontology_address(about["ontology"]), ontology or about["ontology"]),
        "Datasets": joined(*(tag("div", one) for one in datasets)) if datasets else None,
    }
    return page(
        about["title"],
        facts(known),
        tag("h2", "Stages"),
        _stages(visit, project),
        tag("h2", "Newest labels"),
        _gallery(visit, project),
        tag("p", link(queue_address(project), "All tasks")),
    )


def queue_page(visit: Visit, project: str) -> Response:
    """The tasks of a project, or of one of its stages."""
    about = visit.require("SELECT * FROM projects WHERE uuid = ?", project, "project")
    stages = {stage["uuid"]: stage["title"] for stage in workflow.stages_of(visit.store, project)}
    stage = visit.wanted("stage")
    if stage and stage not in stages:
        raise NotFoundError(f"The project {project} has no stage {stage}.")
    total = visit.store.value(
        "SELECT count(*) FROM tasks WHERE project = ? AND (? = '' OR stage = ?)", project, stage, stage
    )
    tasks = visit.store.all(_TASKS, project, stage, stage, PAGE_SIZE, visit.offset)
    kept = {"stage": stage} if stage else {}
    caption = f"Tasks in the stage {stages[stage]}" if stage else "Tasks"
    heads = ["Data unit", "Stage", "Status", "Priority", "Assigned to", "Labels saved"]
    return page(
        f"{about['title']}: tasks",
        tag("p", link(project_address(project), "The project")),
        _stages(visit, project),
        table(caption, heads, [_task(project, task) for task in tasks]),
        visit.turning(total, **kept),
    )


def counts_by_stage(visit: Visit, project: str) -> list[tuple[Row, int]]:
    """The stages of a project in order, and how many tasks are in each."""
    sql = "SELECT stage, count(*) AS number FROM tasks WHERE project = ? GROUP BY stage"
    counts = {row["stage"]: row["number"] for row in visit.store.all(sql, project)}
    stages = [stage for stage in workflow.stages_of(visit.store, project) if stage["stage_type"] != ROUTER]
    return [(stage, counts.get(stage["uuid"], 0)) for stage in stages]


def _datasets(visit: Visit, project: str) -> list[Row]:
    return visit.store.all(_DATASETS, project)


def _stages(visit: Visit, project: str) -> Markup:
    counts = counts_by_stage(visit, project)
    total = sum(number for _, number in counts)
    rows: list[list[object]] = []
    for stage, number in counts:
        share = f"{number / total:.0%}" if total else "no tasks"
        bar = tag("meter", share, min=0, max=total or 1, value=number, aria_label=f"Share of {stage['title']}")
        title = link(queue_address(project, stage["uuid"]), stage["title"])
        rows.append([title, stage["stage_type"].lower(), number, joined(bar, " ", share)])
    return table(f"{total} tasks by stage", ["Stage", "Type", "Tasks", "Share"], rows)


def _gallery(visit: Visit, project: str) -> Markup:
    cards = [card for row in visit.store.all(_LABELLED, project, PICTURES) if (card := _card(visit, project, row))]
    if not cards:
        return tag("p", "Nothing that can be drawn has labels yet.", class_="quiet")
    return tag("ul", *cards, class_="gallery")


def _card(visit: Visit, project: str, row: Row) -> Markup | None:
    """The first picture of a label row that has objects on it."""
    found = pictures(visit, row, Content(row))
    entries = [(key, picture) for key, picture in found.items() if picture.has_size]
    if not entries:
        return None
    key, picture = next(((key, picture) for key, picture in entries if picture.objects), entries[0])
    address = editor_address(project, row["data_hash"], key)
    objects = f", {len(picture.objects)} object{'s' * (len(picture.objects) != 1)}"
    return tag("li", drawn(picture, names=False), link(address, picture.title), objects)


def _task(project: str, task: Row) -> list[object]:
    labelled = (task["labelled_at"] or "")[:16].replace("T", " ")
    title = link(editor_address(project, task["data_hash"]), task["title"])
    return [title, task["stage_title"], task["status"], task["priority"], task["assignee"] or "", labelled]
