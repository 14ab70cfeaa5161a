"""Tasks in the emulator: who may do what, how much at once, and that a request does all or nothing."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from encord_emulator.process import Emulator
from tests.emulator.callers import Answer, Person

ROLES = {"annotator": 1, "reviewer": 2, "both": 3, "team manager": 4, "viewer": 5}


class Board:
    """A project of somebody's, spoken about by the titles of its stages."""

    def __init__(self, emulator: Emulator, owner: Person, rows: int = 3, **wanted: Any) -> None:
        made = emulator.project(owner=owner.email, title="x", rows=rows, **wanted)
        self.owner, self.project, self.data = owner, made["project_id"], made["data_hashes"]
        self.stages = {stage["title"]: stage["uuid"] for stage in made["stages"]}

    def path(self, stage: str) -> str:
        return f"projects/{self.project}/workflow/stages/{self.stages[stage]}"

    def tasks(self, stage: str, query: str = "", person: Person | None = None) -> list[dict[str, Any]]:
        answer = (person or self.owner).rest("GET", f"{self.path(stage)}/tasks{query}")
        assert answer.status == 200, answer
        results: list[dict[str, Any]] = answer.json["results"]
        return results

    def act(self, stage: str, action: str, *tasks: str, person: Person | None = None, **rest: Any) -> Answer:
        body = [{"taskUuid": task, "action": action, **rest} for task in tasks]
        return (person or self.owner).rest("POST", f"{self.path(stage)}/actions", body)

    def move(self, origin: str, destination: str, *tasks: str, person: Person | None = None) -> Answer:
        body = {"taskUuids": list(tasks), "destinationStageUuid": self.stages[destination]}
        return (person or self.owner).rest("POST", f"{self.path(origin)}/move-tasks", body)

    def let_in(self, person: Person, role: int) -> Person:
        payload = {"user_emails": [person.email], "user_role": role}
        self.owner.get("projectusers", "POST", self.project, payload, project=self.project)
        return person


@pytest.fixture
def board(encord_emulator: Emulator, owner: Person) -> Board:
    return Board(encord_emulator, owner)


ALLOWED = {
    "SUBMIT": {"annotator", "both", "team manager"},
    "APPROVE": {"reviewer", "both", "team manager"},
    "REJECT": {"reviewer", "both", "team manager"},
    "RELEASE": {"annotator", "reviewer", "both", "team manager"},
    "ASSIGN to somebody": {"team manager"},
    "ASSIGN to oneself": {"annotator", "reviewer", "both", "team manager"},
    "MOVE": {"team manager"},
}


@pytest.mark.parametrize(("deed", "role"), [*itertools.product(ALLOWED, ROLES)])
def test_a_role_may_do_what_the_table_says_and_nothing_else(board: Board, newcomer: Any, deed: str, role: str) -> None:
    person = board.let_in(newcomer("somebody@example.com"), ROLES[role])
    uuids = [task["uuid"] for task in board.tasks("Annotate")]
    review = deed in ("APPROVE", "REJECT")
    if review:
        assert board.move("Annotate", "Review", *uuids).status == 200
    if deed == "MOVE":
        answer = board.move("Annotate", "Complete", uuids[0], person=person)
    elif deed.startswith("ASSIGN"):
        assignee = person.email if deed.endswith("oneself") else board.owner.email
        answer = board.act("Annotate", "ASSIGN", uuids[0], person=person, assignee=assignee)
    else:
        answer = board.act("Review" if review else "Annotate", deed, uuids[0], person=person)
    assert answer.status == (200 if role in ALLOWED[deed] else 403), answer


def test_what_somebody_else_has_is_his_but_for_managers(board: Board, newcomer: Any) -> None:
    ann, bob = (board.let_in(newcomer(f"{name}@example.com"), ROLES["annotator"]) for name in ("ann", "bob"))
    task = board.tasks("Annotate")[0]["uuid"]
    assert board.act("Annotate", "ASSIGN", task, assignee=ann.email).status == 200
    for action in ("SUBMIT", "RELEASE"):
        assert board.act("Annotate", action, task, person=bob).status == 403
    assert board.act("Annotate", "ASSIGN", task, person=bob, assignee=bob.email).status == 403
    assert board.act("Annotate", "SUBMIT", task, person=ann).status == 200


def test_a_stranger_cannot_be_given_a_task(board: Board) -> None:
    task = board.tasks("Annotate")[0]["uuid"]
    for action in ("ASSIGN", "SUBMIT"):
        answer = board.act("Annotate", action, task, assignee="stranger@example.com")
        assert (answer.status, "stranger@example.com" in answer.json["message"]) == (400, True)


FITTING = {
    "Annotate": {"SUBMIT", "ASSIGN", "RELEASE"},
    "Review": {"APPROVE", "REJECT", "ASSIGN", "RELEASE"},
    "Complete": set(),
}
EXTRA = {"ASSIGN": {"assignee": "owner@example.com"}, "PATHWAY_ACTION": {"pathwayName": "x"}}


@pytest.mark.parametrize("stage", FITTING)
@pytest.mark.parametrize("action", ["SUBMIT", "APPROVE", "REJECT", "ASSIGN", "RELEASE", "PATHWAY_ACTION"])
def test_an_action_of_another_type_of_stage_is_refused(board: Board, stage: str, action: str) -> None:
    task = board.tasks("Annotate")[0]["uuid"]
    if stage != "Annotate":
        board.move("Annotate", stage, task)
    answer = board.act(stage, action, task, **EXTRA.get(action, {}))
    assert answer.status == (200 if action in FITTING[stage] else 400), answer


def test_one_bad_task_refuses_all_of_a_request_and_nothing_is_done(board: Board) -> None:
    uuids = [task["uuid"] for task in board.tasks("Annotate")]
    before = board.tasks("Annotate")
    gone = "00000000-0000-4000-8000-000000000000"
    answers = [
        board.act("Annotate", "SUBMIT", *uuids, gone),
        board.act("Annotate", "SUBMIT", *uuids, retainAssignee=True),
        board.act("Annotate", "SUBMIT", uuids[0], uuids[0]),
        board.move("Annotate", "Complete", *uuids, gone),
        board.move("Annotate", "Annotate", *uuids),
        board.owner.rest(
            "POST",
            f"{board.path('Annotate')}/actions",
            [{"taskUuid": uuids[0], "action": "SUBMIT"}, {"taskUuid": uuids[1], "action": "APPROVE"}],
        ),
    ]
    assert [answer.status for answer in answers] == [400] * 6
    assert board.tasks("Annotate") == before


@pytest.mark.parametrize(("count", "status"), [(1000, 200), (1001, 413)])
def test_a_request_takes_a_thousand_actions(encord_emulator: Emulator, owner: Person, count: int, status: int) -> None:
    board = Board(encord_emulator, owner, rows=1001)
    encord_emulator.limits(page_size=2000)
    uuids = [task["uuid"] for task in board.tasks("Annotate")][:count]
    assert board.act("Annotate", "SUBMIT", *uuids).status == status
    assert len(board.tasks("Review")) == (count if status == 200 else 0)


@pytest.mark.parametrize(("count", "status"), [(500, 200), (501, 413)])
def test_a_request_takes_five_hundred_moves(encord_emulator: Emulator, owner: Person, count: int, status: int) -> None:
    board = Board(encord_emulator, owner, rows=501)
    encord_emulator.limits(page_size=2000)
    uuids = [task["uuid"] for task in board.tasks("Annotate")][:count]
    assert board.move("Annotate", "Complete", *uuids).status == status


@pytest.mark.parametrize(
    ("stage", "query"),
    [("Complete", "statuses=NEW"), ("Complete", "userEmails=a%40example.com"), ("Annotate", "assignee=a"),
     ("Annotate", "dataTitleContains=a&dataTitleContains=b")],
)  # fmt: skip
def test_a_filter_that_a_stage_does_not_know_is_refused(board: Board, stage: str, query: str) -> None:
    assert board.owner.rest("GET", f"{board.path(stage)}/tasks?{query}").status == 422


def test_pages_are_not_shifted_by_tasks_that_leave(encord_emulator: Emulator, board: Board) -> None:
    encord_emulator.limits(page_size=1)
    first = board.owner.rest("GET", f"{board.path('Annotate')}/tasks").json
    board.move("Annotate", "Complete", first["results"][0]["uuid"])
    second = board.owner.rest("GET", f"{board.path('Annotate')}/tasks?pageToken={first['nextPageToken']}").json
    assert second["results"][0]["dataHash"] == board.data[1]


def test_stages_of_other_projects_are_not_found(encord_emulator: Emulator, owner: Person, board: Board) -> None:
    other = Board(encord_emulator, owner)
    task = board.tasks("Annotate")[0]["uuid"]
    assert owner.rest("GET", f"projects/{board.project}/workflow/stages/{other.stages['Annotate']}/tasks").status == 404
    body = {"taskUuids": [task], "destinationStageUuid": other.stages["Annotate"]}
    assert owner.rest("POST", f"{board.path('Annotate')}/move-tasks", body).status == 404


def test_issues_may_be_deleted_by_their_author_and_by_administrators(board: Board, newcomer: Any) -> None:
    ann, bob = (board.let_in(newcomer(f"{name}@example.com"), ROLES["annotator"]) for name in ("ann", "bob"))
    path = f"projects/{board.project}/issues"

    def add(person: Person, **anchor: Any) -> str:
        pinned = {"type": "dataUnit", "dataUuid": board.data[0], **anchor}
        body = {"issues": [{"anchor": pinned, "comment": "c", "issueTags": []}]}
        assert person.rest("POST", path, body).status == 200
        listed = person.rest("GET", f"{path}?dataUnitId={board.data[0]}").json["results"]
        return str(listed[-1]["uuid"])

    def delete(person: Person, *issues: str) -> int:
        return person.rest("POST", f"{path}/delete", {"issueUuids": list(issues)}).status

    of_ann, of_bob = add(ann), add(bob)
    on_label = add(ann, type="annotation", annotationId="abcdefgh")
    assert delete(ann, of_ann, of_bob) == 403
    assert delete(ann, of_ann, on_label) == 403
    assert delete(ann, of_ann) == 200
    assert delete(ann, of_ann) == 404
    assert delete(board.owner, of_bob, on_label) == 200
    assert delete(board.owner, *[of_bob] * 1001) == 413
    viewer = board.let_in(newcomer("viewer@example.com"), ROLES["viewer"])
    body = {"issues": [{"anchor": {"type": "dataUnit", "dataUuid": board.data[0]}, "comment": "c", "issueTags": []}]}
    assert viewer.rest("POST", path, body).status == 403


BAD_ANCHORS: list[dict[str, Any]] = [
    {"type": "frame"},
    {"type": "frame", "frameIndex": -1},
    {"type": "frameCoordinate", "frameIndex": 0, "x": 1.0},
    {"type": "annotation", "annotationId": "a", "frameRanges": []},
    {"type": "annotation", "annotationId": "a", "frameRanges": [{"start": 2, "end": 1}]},
    {"type": "place"},
    {"type": "dataUnit", "frameIndex": 0},
]


@pytest.mark.parametrize("anchor", BAD_ANCHORS, ids=str)
def test_an_issue_that_is_pinned_to_nothing_is_refused(board: Board, anchor: dict[str, Any]) -> None:
    body = {"issues": [{"anchor": {**anchor, "dataUuid": board.data[0]}, "comment": "c", "issueTags": []}]}
    assert board.owner.rest("POST", f"projects/{board.project}/issues", body).status in (400, 422)


def test_a_label_that_was_taken_out_takes_its_review_along(encord_emulator: Emulator, owner: Person) -> None:
    board = Board(encord_emulator, owner, rows=1)
    encord_emulator.annotate(board.project, count=1, objects_per_row=1, advance="submit")

    def reviews() -> list[dict[str, Any]]:
        (task,) = board.tasks("Review")
        answer = board.owner.rest("GET", f"{board.path('Review')}/tasks/{task['uuid']}/reviews")
        results: list[dict[str, Any]] = answer.json["results"]
        return results

    first = reviews()
    (task,) = board.tasks("Review")
    assert board.act("Review", "REJECT", task["uuid"]).status == 200
    (row,) = encord_emulator.labels(board.project)
    emptied = {**row, "object_answers": {}}
    for unit in emptied["data_units"].values():
        unit["labels"]["objects"] = []
    payload = {"multi_request": True, "labels": [emptied], "validate_before_saving": False}
    owner.get("labelrow", "POST", [row["label_hash"]], payload, project=board.project)
    assert board.act("Annotate", "SUBMIT", task["uuid"]).status == 200
    assert [one["labelType"] for one in first] == ["Object", "Classification"]
    assert [(review["labelType"], review["status"]) for review in reviews()] == [("Classification", "RESOLVED")]


def test_a_template_says_how_many_annotators_a_consensus_needs(encord_emulator: Emulator, owner: Person) -> None:
    stages = [
        {"stageType": "CONSENSUS_ANNOTATION", "title": "Annotate", "annotators": 3},
        {"stageType": "CONSENSUS_REVIEW", "title": "Review"},
        {"stageType": "DONE", "title": "Complete"},
    ]
    template = encord_emulator.template("three", stages)["uuid"]
    board = Board(encord_emulator, owner, rows=1, template=template)
    (task,) = board.tasks("Annotate")
    assert len({subtask["labelBranchName"] for subtask in task["subtasks"]}) == 3
    encord_emulator.annotate(board.project, count=1, advance="submit")
    (at_review,) = board.tasks("Review")
    assert len(at_review["options"]) == 3


ROUTED = [
    {"stageType": "AGENT", "title": "Agent", "pathways": [{"title": "some", "to": "Split"}]},
    {
        "stageType": "PERCENTAGE_ROUTER",
        "title": "Split",
        "pathways": [{"title": "a", "to": "Annotate"}, {"title": "b", "to": "Complete"}],
    },
    {"stageType": "ANNOTATION", "title": "Annotate", "next": "Complete"},
    {"stageType": "DONE", "title": "Complete"},
]


def test_a_router_is_not_listed_and_sends_each_task_on(encord_emulator: Emulator, owner: Person) -> None:
    template = encord_emulator.template("routed", ROUTED)
    board = Board(encord_emulator, owner, rows=4, template=template["uuid"])
    assert list(board.stages) == ["Agent", "Annotate", "Complete"]
    router = next(stage["uuid"] for stage in template["stages"] if stage["title"] == "Split")
    board.stages["Split"] = router
    assert owner.rest("GET", f"{board.path('Split')}/tasks").status == 404
    uuids = [task["uuid"] for task in board.tasks("Agent")]
    assert board.move("Agent", "Split", uuids[0]).status == 404
    assert board.act("Agent", "PATHWAY_ACTION", *uuids, pathwayName="some").status == 200
    assert {stage: len(board.tasks(stage)) for stage in ("Agent", "Annotate", "Complete")} == {
        "Agent": 0,
        "Annotate": 2,
        "Complete": 2,
    }


def test_work_in_progress_survives_a_restart(tmp_path: Any) -> None:
    database = tmp_path / "state.db"
    with Emulator.start(database=database) as emulator:
        owner = Person(emulator.url, "owner@example.com")
        emulator.authorize(owner.public_key, email=owner.email)
        board = Board(emulator, owner, rows=2)
        emulator.annotate(board.project, count=1, advance="submit")
        (task,) = board.tasks("Review")
        reviews = owner.rest("GET", f"{board.path('Review')}/tasks/{task['uuid']}/reviews").json
        assert board.act("Review", "ASSIGN", task["uuid"], assignee=owner.email).status == 200
    with Emulator.start(database=database) as emulator:
        owner.url = emulator.url
        (again,) = board.tasks("Review")
        assert (again["uuid"], again["assignee"], again["status"]) == (task["uuid"], owner.email, "ASSIGNED")
        assert owner.rest("GET", f"{board.path('Review')}/tasks/{task['uuid']}/reviews").json == reviews
