"""Stages, tasks, label reviews and issues through the handles, against the emulator, with what can go wrong on the way.

The emulator refuses a whole request for one task that left, as Encord does: that is what the flows are held against.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.api import workflow as api
from airflow_provider_encord.client.api import (
    workflow_actions,
    workflow_issues,
    workflow_reviews,
)
from airflow_provider_encord.client.api.core.registry import operations
from airflow_provider_encord.client.api.workflow import Task, TaskFilter
from airflow_provider_encord.client.call import Call, run
from airflow_provider_encord.client.errors import (
    EncordError,
    InvalidArgumentError,
    InvalidRequestError,
    OutcomeUnknownError,
    PartialFailureError,
    PayloadTooLargeError,
    UnavailableError,
)
from airflow_provider_encord.client.flows.workflow_actions import TasksInStage, act_on, tasks_in_stage
from airflow_provider_encord.client.resources.workflow import WorkflowStage
from tests.client.emulated import OWNER, world
from tests.client.emulated_workflow import EACH, STAGES, board, fault, make

__all__ = ["board", "make", "world"]

ACTIONS, MOVES = {"path": ".*/actions"}, {"path": ".*/move-tasks"}


def test_a_stage_is_found_by_id_and_by_title(board):
    found = board.stage("Review")
    assert board.stage(found.uuid).title == "Review"
    assert board.stage(found.uuid.upper()).stage_type == "REVIEW"
    assert [stage.title for stage in board.project.stages()] == [stage["title"] for stage in STAGES]
    with pytest.raises(InvalidArgumentError, match=r"stage: 'Revue' .*'Review' \(REVIEW, "):
        board.stage("Revue")


def test_tasks_are_read_a_page_at_a_time(board):
    board.world.emulator.limits(page_size=1)
    stage = board.stage("Annotate")
    listing = stage.tasks()
    assert board.requests(lambda: next(listing), "/tasks") == 1
    assert board.requests(lambda: list(listing), "/tasks") == 3


FILTERS = {
    "user_emails": [OWNER],
    "data_hashes": ["12121212-0000-4000-8000-000000000001"],
    "dataset_hashes": ["12121212-0000-4000-8000-000000000001"],
    "data_title_contains": "image",
    "statuses": ["NEW"],
}


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("title", [str(stage["title"]) for stage in STAGES])
def test_a_filter_is_taken_by_encord_or_refused_before_it_is_sent(board, title, name):
    stage = board.stage(title)
    which = TaskFilter(**{name: FILTERS[name]})
    if name in api.FILTERS[stage.stage_type]:
        list(stage.tasks(which))
        return
    with pytest.raises(InvalidArgumentError, match=f"{name}: .* {stage.stage_type}"):
        stage.tasks(which)
    with pytest.raises(EncordError):  # and rightly: it would be refused
        board.world.user.send(api.list_tasks(board.project.id, stage.uuid, which))


def test_a_status_that_a_stage_does_not_have_and_an_empty_list_are_refused(board):
    with pytest.raises(
        InvalidArgumentError, match=r"statuses: 'COMPLETED' is not a status .* REVIEW\. Choose from NEW"
    ):
        board.stage("Review").tasks(TaskFilter(statuses=["COMPLETED"]))
    with pytest.raises(InvalidArgumentError, match="data_hashes: it is empty"):
        board.stage("Review").tasks(TaskFilter(data_hashes=[]))


def test_filters_choose_tasks(board):
    stage, tasks = board.stage("Annotate"), board.tasks("Annotate")
    stage.assign(tasks[:2], OWNER)
    assert [task.uuid for task in stage.tasks(TaskFilter(user_emails=[OWNER]))] == [one.uuid for one in tasks[:2]]
    assert [one.uuid for one in stage.tasks(TaskFilter(statuses=["NEW"]))] == [one.uuid for one in tasks[2:]]
    assert [one.uuid for one in stage.tasks(TaskFilter(data_hashes=[tasks[3].data_hash]))] == [tasks[3].uuid]


DEEDS: dict[str, Callable[[WorkflowStage, str], Any]] = {
    "submit": lambda stage, task: stage.submit(task),
    "approve": lambda stage, task: stage.approve(task),
    "reject": lambda stage, task: stage.reject(task),
    "assign": lambda stage, task: stage.assign(task, OWNER),
    "release": lambda stage, task: stage.release(task),
    "proceed": lambda stage, task: stage.proceed(task, "yes"),
    "move": lambda stage, task: stage.move(task, "Archive" if stage.title == "Complete" else "Complete"),
}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("title", [str(stage["title"]) for stage in STAGES])
def test_an_action_is_done_or_refused_before_it_is_sent(board, title, deed):
    tasks = board.tasks("Annotate") if title == "Annotate" else board.moved_to(title)
    stage = board.stage(title)
    of_subtask = stage.stage_type == "CONSENSUS_ANNOTATION" and deed != "move"
    uuid_ = (tasks[0].subtasks or [])[0].uuid if of_subtask else tasks[0].uuid
    if deed in workflow_actions.ACTIONS[stage.stage_type]:
        assert DEEDS[deed](stage, uuid_).done == [uuid_]
        return

    def refused() -> None:
        with pytest.raises(InvalidArgumentError, match=f"type {stage.stage_type}, which does not support"):
            DEEDS[deed](stage, uuid_)

    assert board.world.journal(refused) == []


def test_work_goes_through_the_stages_with_whom_it_is_given_to(board):
    annotate, review = board.stage("Annotate"), board.stage("Review")
    tasks = board.tasks("Annotate")
    annotate.submit(tasks[:2], assignee=OWNER)
    annotate.assign(tasks[2:], [OWNER])
    annotate.submit(tasks[2:], retain_assignee=True)
    assert {task.assignee for task in review.tasks()} == {OWNER}
    review.approve(tasks[:3])
    review.reject(tasks[3], assignee=OWNER)
    (back,) = annotate.tasks()
    assert (back.uuid, back.status, back.assignee) == (tasks[3].uuid, "REOPENED", OWNER)
    annotate.release(back)
    assert [one.status for one in annotate.tasks()] == ["RELEASED"]
    assert board.counts() == {"Annotate": 1, "Complete": 3}


def test_an_assignee_that_a_task_does_not_have_cannot_be_retained(board):
    with pytest.raises(InvalidRequestError, match=r"retainAssignee: a task has no assignee"):
        board.stage("Annotate").submit(board.tasks("Annotate"), retain_assignee=True)
    assert board.counts() == {"Annotate": 4}


def test_an_agents_tasks_go_each_its_way(board):
    tasks = board.moved_to("Agent")
    stage = board.stage("Agent")
    by_id = stage.pathways[1].uuid
    outcome = stage.proceed({tasks[0].uuid: "yes", tasks[1].uuid.upper(): by_id, tasks[2].uuid: "no"})
    assert outcome.done == [task.uuid for task in tasks[:3]]
    stage.proceed(tasks[3], "yes")
    assert board.counts() == {"Complete": 2, "Archive": 2}
    with pytest.raises(InvalidArgumentError, match=r"pathway: 'maybe' is neither id nor title of a pathway.*'yes' \("):
        stage.proceed(tasks[0], "maybe")


def test_consensus_is_reached_by_sub_tasks(board):
    tasks = board.moved_to("Consensus")
    stage, choose = board.stage("Consensus"), board.stage("Choose")
    first, second = tasks[0].subtasks
    assert stage.submit([first]).done == [first.uuid]
    assert stage.submit([first, second]).already_left == [first.uuid]
    (at_review,) = choose.tasks()
    assert [option.label_branch_name for option in at_review.options] == [
        first.label_branch_name,
        second.label_branch_name,
    ]
    choose.reject(at_review)
    assert [subtask.status for subtask in next(stage.tasks()).subtasks] == ["REOPENED", "REOPENED"]


def test_many_tasks_go_in_requests_of_the_documented_size(make):
    board = make(1201)
    board.world.emulator.limits(page_size=1000)
    stage, tasks = board.stage("Annotate"), board.tasks("Annotate")
    assert board.requests(lambda: stage.submit(tasks), "/actions") == 2
    review = board.stage("Review")
    assert board.requests(lambda: review.move(tasks, "Complete"), "/move-tasks") == 3
    assert board.counts() == {"Complete": 1201}


def test_a_request_that_is_too_large_is_halved(board):
    fault(board, ACTIONS, {"status": 413, "json": {"message": "too much"}}, times=2)
    stage, tasks = board.stage("Annotate"), board.tasks("Annotate")
    assert board.requests(lambda: stage.submit(tasks), "/actions") == 5  # 4 and 2 are too much; 1, 1, 2
    assert board.counts() == {"Review": 4}


def test_one_task_that_alone_is_too_large_ends_it_and_what_was_done_is_reported(board):
    stage, tasks = board.stage("Annotate"), board.tasks("Annotate")
    fault(board, ACTIONS, {"status": 413, "json": {"message": "too much"}}, times=100)
    with pytest.raises(PayloadTooLargeError, match="too much"):
        stage.submit(tasks)


TASKS: dict[str, Callable[[list[Task]], list[Any]]] = {
    "as listed": list,
    "by id": lambda tasks: [one.uuid for one in tasks],
}


@pytest.mark.parametrize("known", TASKS)
def test_doing_it_twice_is_safe(board, known):
    stage, tasks = board.stage("Annotate"), board.tasks("Annotate")
    given_as = TASKS[known](tasks)
    uuids = [task.uuid for task in tasks]
    assert stage.submit(given_as).done == uuids
    again = stage.submit(given_as)
    assert (again.done, again.already_left) == ([], uuids)
    assert board.stage("Review").move(given_as, "Complete").done == uuids
    assert board.stage("Review").move(given_as, "Complete").already_left == uuids
    assert board.counts() == {"Complete": 4}


@pytest.mark.parametrize("known", TASKS)
def test_what_left_meanwhile_is_left_out(board, known):
    stage, tasks = board.stage("Annotate"), board.tasks("Annotate")
    stage.move(tasks[1], "Archive")
    outcome = stage.submit(TASKS[known](tasks))
    assert outcome.done == [one.uuid for one in (tasks[0], *tasks[2:])]
    assert outcome.already_left == [tasks[1].uuid]
    assert board.counts() == {"Review": 3, "Archive": 1}


@pytest.mark.parametrize("cut", ["before", "after"])
@pytest.mark.parametrize(("match", "deed"), [(ACTIONS, "submit"), (MOVES, "move"), (ACTIONS, "assign")])
def test_a_lost_answer_is_looked_into(board, match, deed, cut):
    stage, tasks = board.stage("Annotate"), board.tasks("Annotate")
    fault(board, match, {"cut": cut})
    done = {
        "submit": lambda: stage.submit(tasks),
        "move": lambda: stage.move(tasks, "Review"),
        "assign": lambda: stage.assign(tasks, OWNER),
    }[deed]()
    assert (done.done, done.already_left) == ([task.uuid for task in tasks], [])
    assert board.counts() == ({"Annotate": 4} if deed == "assign" else {"Review": 4})


def test_after_a_lost_answer_nothing_is_done_twice(board):
    stage, tasks = board.stage("Annotate"), board.tasks("Annotate")
    fault(board, ACTIONS, {"cut": "after"})
    assert board.requests(lambda: stage.submit(tasks), "/actions") == 1


def test_answers_that_are_always_lost_end_it(board):
    stage, tasks = board.stage("Annotate"), board.tasks("Annotate")
    fault(board, ACTIONS, {"cut": "before"}, times=100)
    with pytest.raises(OutcomeUnknownError, match="is not known"):
        stage.submit(tasks)


def test_when_a_part_fails_what_was_done_stays_and_is_reported(make):
    board = make(1003)
    board.world.emulator.limits(page_size=1000)
    stage, tasks = board.stage("Annotate"), board.tasks("Annotate")
    fault(board, MOVES, {"status": 403, "json": {"message": "no more"}}, nth=3)
    with pytest.raises(PartialFailureError, match=r"no more.* done before this error: 1000\..* Not done: 3\."):
        stage.move(tasks, "Archive")
    assert board.counts() == {"Annotate": 3, "Archive": 1000}
    assert stage.move(tasks, "Archive").done == [task.uuid for task in tasks[1000:]]


def test_tasks_move_to_a_stage_by_title_id_or_handle_but_not_to_their_own(board):
    stage, tasks = board.stage("Annotate"), board.tasks("Annotate")
    complete = board.stage("Complete")
    for task, destination in zip(tasks, ["Complete", complete.uuid, complete], strict=False):
        stage.move(task, destination)
    assert board.counts() == {"Annotate": 1, "Complete": 3}
    with pytest.raises(InvalidArgumentError, match="in stage 'Annotate' already"):
        stage.move(tasks[3], "Annotate")
    with pytest.raises(InvalidArgumentError, match="tasks: 'x' is not an id"):
        stage.move("x", "Complete")
    assert stage.move([], "Complete").done == []


@given(st.data())
def test_any_faults_end_with_every_task_reported_once(data):
    """An Encord of the flow's own: atomic, forgetful, with faults at will."""
    uuids = [f"task-{number}" for number in range(data.draw(st.integers(0, 12)))]
    there = set(data.draw(st.sets(st.sampled_from(uuids)) if uuids else st.just(set())))
    tasks = TasksInStage(project="p", stage="s", uuids=uuids, data_hashes={one: f"data of {one}" for one in uuids})
    asked: list[list[str]] = []
    lost: list[bool] = []  # if an answer is, what is gone may have been gone before

    def perform(step: Any) -> Any:
        assert isinstance(step, Call)
        if step.operation == "workflow.tasks.list":
            wanted = step.request.query["dataHashes"]
            found = [Task(uuid=one, data_hash=f"data of {one}") for one in sorted(there) if f"data of {one}" in wanted]
            return api.Page[Task](results=found)
        some = step.request.json["taskUuids"]
        asked.append(some)
        what = data.draw(st.sampled_from(["ok", "ok", "ok", "too large", "lost", "done and lost", "down"]))
        if what == "too large":
            raise PayloadTooLargeError("too large")
        if what == "lost":
            lost.append(True)
            raise OutcomeUnknownError("lost")
        if what == "down":
            raise UnavailableError("down")
        if not there.issuperset(some):
            raise InvalidArgumentError("one is not there")
        there.difference_update(some)
        if what == "done and lost":
            raise OutcomeUnknownError("lost")
        return None

    before = set(there)
    flow = act_on(tasks, lambda some: api.move_tasks("p", "s", some, "d"), size=5)
    outcome = run(flow, perform)
    assert sorted([*outcome.done, *outcome.already_left, *outcome.not_done]) == sorted(uuids)
    assert before - there == before.intersection(outcome.done)
    assert before.isdisjoint(outcome.already_left)
    assert before.issuperset(outcome.done) or lost
    assert (outcome.error is None) == (not outcome.not_done)
    assert all(len(some) <= 5 for some in asked)


def test_tasks_are_named_once_in_the_order_given():
    first, second = Task(uuid="1", data_hash="a"), Task(uuid="2", data_hash="b")
    named = tasks_in_stage("p", "s", [second, "3", first, second])
    assert (named.uuids, named.data_hashes) == (["2", "3", "1"], {"2": "b", "1": "a"})


def test_every_operation_of_the_workflow_is_here():
    modules = {one.__name__ for one in (api, workflow_actions, workflow_reviews, workflow_issues)}
    ours = {key for key, one in operations().items() if one.function.__module__ in modules}
    assert ours == {one.key for one in EACH}


@pytest.mark.parametrize("asked", EACH, ids=lambda one: one.key[0])
def test_a_call_works_and_changes_what_it_says(world, asked):
    """The emulator decides from a table of its own what changes anything."""
    call = asked.make(world)
    entries = world.journal(lambda: world.user.send(call))
    assert [entry["changes"] for entry in entries] == [call.changes]
    assert (call.operation, call.request.api) == asked.key
