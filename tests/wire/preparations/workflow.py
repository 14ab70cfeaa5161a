"""What recordings of workflow stages and tasks need: a project with a stage of every type, and tasks in the right one.

Recorded stages are numbered by their type. The tasks of the recorded data units are moved to the stage that the path
names; sub-tasks, label reviews and issues are read from there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

_NUMBERED = "{}-0000-4000-8000-{:012d}"
STAGE, TASK, REVIEW, ISSUE, DATA_UNIT, PROJECT = "56565656", "90909090", "23232323", "03030303", "12121212", "aaaaaaaa"
TITLES = {
    1: "Annotate",
    2: "Review",
    3: "Agent",
    4: "Complete",
    5: "Consensus",
    6: "Consensus review",
    7: "Archive",
}
"""The stages by the last digit of their recorded ids."""
_STAGES = [
    {"stageType": "ANNOTATION", "title": "Annotate", "next": "Review"},
    {"stageType": "REVIEW", "title": "Review", "next": "Agent"},
    {"stageType": "CONSENSUS_ANNOTATION", "title": "Consensus", "next": "Consensus review"},
    {"stageType": "CONSENSUS_REVIEW", "title": "Consensus review", "next": "Complete", "reject_to": "Consensus"},
    {"stageType": "DONE", "title": "Complete"},
    {"stageType": "DONE", "title": "Archive"},
]


def _recorded(world: Any) -> dict[str, Any]:
    request: dict[str, Any] = world.recording.exchanges[0].request
    return request


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(one)


def _actions(world: Any) -> list[dict[str, Any]]:
    sent = _recorded(world)["json"]
    return [one for one in sent if isinstance(one, dict)] if isinstance(sent, list) else []


def _workflow(world: Any) -> None:
    """A project of the same data with a stage of every type, whose tasks are where the recording wants them."""
    names = {action.get("pathwayName") for action in _actions(world)} - {None} or {"approve"}
    ways = [{"title": name, "to": "Complete"} for name in sorted(names)]
    stages = [*_STAGES, {"stageType": "AGENT", "title": "Agent", "next": "Complete", "pathways": ways}]
    template = world.user.server.control("POST", "templates", {"title": "Every type", "stages": stages})["uuid"]
    dataset = world.ids["bbbbbbbb-0000-4000-8000-000000000001"]
    wanted = {
        "title": "Tasks",
        "dataset_hashes": [dataset],
        "ontology_hash": world.ids["cccccccc-0000-4000-8000-000000000001"],
        "workflow_type": "manual",
        "workflow_template_id": template,
    }
    world.project = world.user.v1("project", "POST", None, wanted)
    world.ids[_NUMBERED.format(PROJECT, 1)] = world.project
    found = world.user.v2("GET", f"/v2/public/projects/{world.project}")["workflow"]["stages"]
    by_title = {stage["title"]: stage for stage in found}
    for number, title in TITLES.items():
        world.ids[_NUMBERED.format(STAGE, number)] = by_title[title]["uuid"]
    for one in _actions(world):
        if "pathwayUuid" in one:
            world.ids[one["pathwayUuid"]] = by_title["Agent"]["pathways"][0]["uuid"]
    _add_people(world)
    wanted = {"project_hash": world.project, "data_hashes": _data(world), "objects_per_row": 2, "advance": "none"}
    world.user.server.control("POST", "annotate", wanted)
    _bring_tasks(world)


def _data(world: Any) -> list[str]:
    return [world.ids[_NUMBERED.format(DATA_UNIT, number)] for number in (1, 2, 3)]


def _add_people(world: Any) -> None:
    """Everyone whom the recording names is an annotator and reviewer of the project."""
    people = sorted({text for text in _texts([_recorded(world)["json"], _recorded(world)["query"]]) if "@" in text})
    if people:
        payload = {"user_emails": people, "user_role": 3}
        world.user.v1("projectusers", "POST", world.project, payload, project=world.project)


def _stage_path(world: Any, uuid: str) -> str:
    return f"/v2/public/projects/{world.project}/workflow/stages/{uuid}"


def _tasks(world: Any, stage: str) -> list[dict[str, Any]]:
    """The tasks in a stage, in the order of the recorded data units."""
    world.user.server.control("POST", "limits", {"page_size": 100})
    listed = world.user.v2("GET", f"{_stage_path(world, stage)}/tasks")["results"]
    data = _data(world)
    return sorted((one for one in listed if one["dataHash"] in data), key=lambda one: data.index(one["dataHash"]))


def _bring_tasks(world: Any) -> None:
    """To the stage of the recorded path; recorded tasks stand for those of the data units, or for sub-tasks."""
    start = world.ids[_NUMBERED.format(STAGE, 1)]
    found = re.search(f"{STAGE}-0000-4000-8000-[0-9]{{12}}", _recorded(world)["path"])
    stage = world.ids[found[0]] if found else start
    uuids = [one["uuid"] for one in _tasks(world, start)]
    if stage == world.ids[_NUMBERED.format(STAGE, 6)]:
        _through_consensus(world, start, uuids)
    elif stage != start:
        body = {"taskUuids": uuids, "destinationStageUuid": stage}
        world.user.v2("POST", f"{_stage_path(world, start)}/move-tasks", body)
    tasks = _tasks(world, stage)
    consensual = stage == world.ids[_NUMBERED.format(STAGE, 5)] and _actions(world)
    chosen = tasks[0]["subtasks"] if consensual else tasks
    for number, task in enumerate(chosen, 1):
        world.ids[_NUMBERED.format(TASK, number)] = task["uuid"]
    for one in _actions(world):
        if "taskUuid" in one:
            world.ids.setdefault(one["taskUuid"], chosen[0]["uuid"])


def _through_consensus(world: Any, start: str, tasks: list[str]) -> None:
    """A consensus review has options when annotators have submitted."""
    consensus = world.ids[_NUMBERED.format(STAGE, 5)]
    body = {"taskUuids": tasks, "destinationStageUuid": consensus}
    world.user.v2("POST", f"{_stage_path(world, start)}/move-tasks", body)
    listed = _tasks(world, consensus)
    how = {"multi_request": True, "get_signed_url": False, "branch_name": listed[0]["subtasks"][0]["labelBranchName"]}
    world.user.v1("labelrow", "PUT", _data(world), how, project=world.project)
    subtasks = [subtask["uuid"] for task in listed for subtask in task["subtasks"]]
    actions = [{"taskUuid": uuid, "action": "SUBMIT"} for uuid in subtasks]
    world.user.v2("POST", f"{_stage_path(world, consensus)}/actions", actions)


def _somebody_has_them(world: Any) -> None:
    """For who is to keep tasks."""
    _workflow(world)
    path = _recorded(world)["path"]
    for recorded, real in world.ids.items():
        path = path.replace(recorded, real)
    keeping = [action["taskUuid"] for action in _actions(world) if action.get("retainAssignee")]
    actions = [{"taskUuid": world.ids[one], "action": "ASSIGN", "assignee": world.user.email} for one in keeping]
    if actions:
        world.user.v2("POST", path, actions)


def _some_are_assigned(world: Any) -> None:
    """Each of the people in the filter has a task, if it is a filter."""
    _workflow(world)
    people = _recorded(world)["query"].get("userEmails", [])
    if not people:
        return
    recorded = re.findall(f"{STAGE}-0000-4000-8000-[0-9]{{12}}", _recorded(world)["path"])[0]
    stage = world.ids[recorded]
    tasks = _tasks(world, stage)
    chosen = [task["subtasks"][0] if "subtasks" in task else task for task in tasks]
    turns = {task["uuid"]: people[number % len(people)] for number, task in enumerate(chosen)}
    action = "ASSIGN"
    if recorded.endswith("3"):  # agents are not assigned: a person with a task there got it from a review
        agent, stage, action = stage, world.ids[_NUMBERED.format(STAGE, 2)], "APPROVE"
        body = {"taskUuids": list(turns), "destinationStageUuid": stage}
        world.user.v2("POST", f"{_stage_path(world, agent)}/move-tasks", body)
    actions = [{"taskUuid": uuid, "action": action, "assignee": email} for uuid, email in turns.items()]
    world.user.v2("POST", f"{_stage_path(world, stage)}/actions", actions)


def _label_reviews(world: Any) -> None:
    _workflow(world)
    stage, task = world.ids[_NUMBERED.format(STAGE, 2)], world.ids[_NUMBERED.format(TASK, 1)]
    reviews = world.user.v2("GET", f"{_stage_path(world, stage)}/tasks/{task}/reviews")["results"]
    for number, review in enumerate(reviews, 1):
        world.ids[_NUMBERED.format(REVIEW, number)] = review["reviewUuid"]


def _issues(world: Any) -> None:
    """An issue of each kind, on the first data unit."""
    _workflow(world)
    data = world.ids[_NUMBERED.format(DATA_UNIT, 1)]
    anchors: list[dict[str, Any]] = [
        {"type": "dataUnit"},
        {"type": "frame", "frameIndex": 0},
        {"type": "annotation", "annotationId": "abcdefgh"},
    ]
    body = {
        "issues": [
            {"anchor": {**anchor, "dataUuid": data}, "comment": "blurry", "issueTags": ["quality"]}
            for anchor in anchors
        ]
    }
    path = f"/v2/public/projects/{world.project}/issues"
    world.user.v2("POST", path, body)
    for number, issue in enumerate(world.user.v2("GET", f"{path}?dataUnitId={data}")["results"], 1):
        world.ids[_NUMBERED.format(ISSUE, number)] = issue["uuid"]


PREPARATIONS: dict[str, Callable[[Any], None]] = {
    "workflow.tasks.list": _some_are_assigned,
    "workflow.task.submit": _somebody_has_them,
    "workflow.task.approve": _somebody_has_them,
    "workflow.task.reject": _somebody_has_them,
    "workflow.task.assign": _workflow,
    "workflow.task.release": _workflow,
    "workflow.task.proceed": _workflow,
    "workflow.task.move": _workflow,
    "workflow.task.label_reviews.list": _label_reviews,
    "workflow.task.label_review.approve": _label_reviews,
    "workflow.task.label_review.reject": _label_reviews,
    "workflow.task.label_review.reopen": _label_reviews,
    "workflow.task.issues.list": _issues,
    "workflow.task.issues.add": _workflow,
    "workflow.task.issues.delete": _issues,
}
