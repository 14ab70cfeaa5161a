"""Projects with a stage of every type, and how to call every operation of their tasks, label reviews and issues."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider_encord.client.api import workflow as api
from airflow_provider_encord.client.api import workflow_actions as actions
from airflow_provider_encord.client.api import workflow_issues as issues
from airflow_provider_encord.client.api import workflow_reviews as reviews
from airflow_provider_encord.client.api.workflow import Task
from airflow_provider_encord.client.call import Call
from airflow_provider_encord.client.resources.projects import Project
from airflow_provider_encord.client.resources.workflow import WorkflowStage
from tests.client.emulated import OWNER, Asked, World

STAGES = [
    {"stageType": "ANNOTATION", "title": "Annotate", "next": "Review"},
    {"stageType": "REVIEW", "title": "Review", "next": "Complete"},
    {"stageType": "CONSENSUS_ANNOTATION", "title": "Consensus", "next": "Choose"},
    {"stageType": "CONSENSUS_REVIEW", "title": "Choose", "next": "Complete", "reject_to": "Consensus"},
    {"stageType": "DONE", "title": "Complete"},
    {"stageType": "DONE", "title": "Archive"},
    {
        "stageType": "AGENT",
        "title": "Agent",
        "next": "Complete",
        "pathways": [{"title": "yes", "to": "Complete"}, {"title": "no", "to": "Archive"}],
    },
]


@dataclasses.dataclass(frozen=True)
class Board:
    """A project with a stage of every type, its tasks in the first one."""

    world: World
    project: Project
    data: list[str]

    def stage(self, title: str) -> WorkflowStage:
        return self.project.stage(title)

    def tasks(self, title: str) -> list[Task]:
        return list(self.stage(title).tasks())

    def moved_to(self, title: str) -> list[Task]:
        """All tasks, in another stage."""
        self.stage("Annotate").move(self.tasks("Annotate"), title)
        return self.tasks(title)

    def counts(self) -> dict[str, int]:
        found = {stage.title: len(list(stage.tasks())) for stage in self.project.stages()}
        return {title: count for title, count in found.items() if count}

    def requests(self, work: Callable[[], Any], path: str) -> int:
        """How many requests to such paths something takes."""
        return sum(1 for entry in self.world.journal(work) if entry["path"].endswith(path))


@pytest.fixture
def make(world: World) -> Iterator[Callable[[int], Board]]:
    template = world.emulator.template("every type", STAGES)["uuid"]

    def board(rows: int, created: float = 0.0) -> Board:
        made = world.emulator.project(owner=OWNER, title="Tasks", rows=rows, template=template, created=created)
        return Board(world, world.user.project(made["project_id"]), made["data_hashes"])

    yield board
    world.emulator.clear_faults()
    world.emulator.limits(page_size=100)


@pytest.fixture
def board(make: Callable[[int], Board]) -> Board:
    return make(4)


def fault(board: Board, match: dict[str, str], do: dict[str, Any], **when: int) -> None:
    board.world.emulator.faults([{"match": match, "when": when or {"times": 1}, "do": do}])


class Place:
    """The tasks of a new project, all of them in one stage."""

    def __init__(self, world: World, title: str) -> None:
        template = world.emulator.template("every type", STAGES)["uuid"]
        made = world.emulator.project(owner=OWNER, title="Tasks", rows=2, template=template, created=1.0)
        self.handle: Project = world.user.project(made["project_id"])
        start, stage = self.handle.stage("Annotate"), self.handle.stage(title)
        if title != "Annotate":
            start.move(list(start.tasks()), stage)
        (self.first, self.second), self.project, self.stage = list(stage.tasks()), self.handle.id, stage.uuid

    @property
    def reviews(self) -> list[str]:
        """Ids of the label reviews of the first task."""
        return [review.review_uuid for review in self.handle.stage("Review").reviews(self.first)]

    @property
    def issue(self) -> str:
        """Id of a new issue of the first task."""
        of_unit = self.handle.issues(self.first.data_hash)
        of_unit.add("blurry")
        return next(iter(of_unit)).uuid


def _asked(name: str, title: str, make: Callable[[Place], Call[Any]]) -> Asked:
    """An operation on tasks that are in the stage of this title."""
    return Asked((f"workflow.{name}", "v2"), lambda world: make(Place(world, title)))


def _new_issue(place: Place) -> issues.NewIssue:
    return issues.NewIssue(anchor=issues.OnDataUnit(data_uuid=place.first.data_hash), comment="c")


EACH = [
    _asked("tasks.list", "Annotate", lambda at: api.list_tasks(at.project, at.stage)),
    _asked("task.submit", "Annotate", lambda at: actions.submit_tasks(at.project, at.stage, [at.first.uuid])),
    _asked("task.approve", "Review", lambda at: actions.approve_tasks(at.project, at.stage, [at.first.uuid])),
    _asked("task.reject", "Review", lambda at: actions.reject_tasks(at.project, at.stage, [at.first.uuid])),
    _asked("task.assign", "Review", lambda at: actions.assign_tasks(at.project, at.stage, {at.first.uuid: OWNER})),
    _asked("task.release", "Review", lambda at: actions.release_tasks(at.project, at.stage, [at.first.uuid])),
    _asked(
        "task.proceed", "Agent", lambda at: actions.proceed_tasks(at.project, at.stage, by_name={at.first.uuid: "no"})
    ),
    _asked(
        "task.move",
        "Annotate",
        lambda at: api.move_tasks(at.project, at.stage, [at.first.uuid], at.handle.stage("Archive").uuid),
    ),
    _asked(
        "task.label_reviews.list",
        "Review",
        lambda at: reviews.list_label_reviews(at.project, at.stage, at.first.uuid),
    ),
    _asked(
        "task.label_review.approve",
        "Review",
        lambda at: reviews.approve_label_reviews(at.project, at.stage, at.first.uuid, at.reviews),
    ),
    _asked(
        "task.label_review.reject",
        "Review",
        lambda at: reviews.reject_label_reviews(at.project, at.stage, at.first.uuid, at.reviews, comment="c"),
    ),
    _asked(
        "task.label_review.reopen",
        "Review",
        lambda at: reviews.reopen_label_reviews(at.project, at.stage, at.first.uuid, at.reviews),
    ),
    _asked("task.issues.list", "Annotate", lambda at: issues.list_issues(at.project, at.first.data_hash)),
    _asked("task.issues.add", "Annotate", lambda at: issues.add_issues(at.project, [_new_issue(at)])),
    _asked("task.issues.delete", "Annotate", lambda at: issues.delete_issues(at.project, [at.issue])),
]
