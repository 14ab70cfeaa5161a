"""What the operators on workflow tasks must do, and do not do yet."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_encord.attempts import Owner
from airflow_provider_encord.client.api.projects import Stage
from airflow_provider_encord.client.api.workflow import choose_stage
from airflow_provider_encord.client.errors import OutcomeUnknownError, RefusedError
from airflow_provider_encord.client.flows.workflow_actions import act_while_present
from airflow_provider_encord.operators.workflow import (
    EncordAddIssuesOperator,
    EncordAssignTasksOperator,
    EncordMoveTasksOperator,
    EncordReleaseTasksOperator,
    EncordReviewTasksOperator,
    EncordSampleTasksOperator,
    EncordSetPriorityOperator,
    EncordSubmitTasksOperator,
)
from airflow_provider_encord.storage_paths import StoragePath
from airflow_provider_encord.task_actions import strata
from airflow_provider_encord.task_actions.changing import TaskChanger
from airflow_provider_encord.task_actions.label_content import classes_in, most_frequent
from airflow_provider_encord.task_actions.lines import counts
from airflow_provider_encord.task_actions.planning import Change
from airflow_provider_encord.task_actions.report import TaskReport
from airflow_provider_encord.task_actions.selection import ChosenTask, TaskSelection
from tests.deployment.processes import poll
from tests.moves.attempts import DAYS, Run
from tests.task_actions.desk import Desk
from tests.task_actions.test_faults import ACT, BUSY, MOVE

LIST = {"path": "/tasks$", "method": "GET"}
PRIORITIES = {"path": "/priorities$"}


def ordered(desk: Desk, stage: str = "Annotate") -> list[Any]:
    """The tasks of a stage in the order in which they are changed."""
    return sorted(desk.tasks(stage), key=lambda task: (task.created_at, task.uuid))


def lose_the_last_outcome(desk: Desk, changes: dict[str, str], nth: int = 1, listing: int = 2) -> None:
    """The change is made, its answer is lost, and nothing more can be asked, as if the worker was killed."""
    desk.emulator.faults(
        [
            {"match": changes, "when": {"nth": nth}, "do": {"cut": "after"}},
            {"match": LIST, "when": {"nth": listing}, "do": BUSY},
        ]
    )


# --- retries ----------------------------------------------------------------------------------------------------


def test_a_retry_does_not_change_more_than_max_tasks(desk: Desk) -> None:
    """A retry counts what earlier attempts changed: in all at most max_tasks."""
    desk.emulator.faults([{"match": MOVE, "when": {"nth": 2}, "do": BUSY}])
    arguments = {"stage": "Annotate", "to_stage": "Archive", "max_tasks": 2, "batch_size": 1}
    assert desk.attempt(EncordMoveTasksOperator, **arguments).retryable
    desk.emulator.clear_faults()
    desk.attempt(EncordMoveTasksOperator, **arguments)
    assert desk.counts() == {"Annotate": 2, "Archive": 2}


def test_a_retry_that_fails_for_good_keeps_the_plan_of_the_attempt_before(desk: Desk) -> None:
    """An undo still finds what an attempt changed of which it did not learn the outcome."""
    lose_the_last_outcome(desk, MOVE, nth=2)
    arguments = {"stage": "Annotate", "to_stage": "Archive", "batch_size": 2}
    assert desk.attempt(EncordMoveTasksOperator, **arguments).retryable
    assert desk.counts() == {"Archive": 4}
    desk.emulator.clear_faults()
    desk.emulator.faults([{"match": LIST, "do": {"status": 403, "json": {"message": "no"}}}])
    assert not desk.attempt(EncordMoveTasksOperator, **arguments).succeeded
    desk.emulator.clear_faults()
    desk.revert()
    assert desk.counts() == {"Annotate": 4}


def test_what_encord_refused_and_a_person_did_is_not_reported_as_done(desk: Desk) -> None:
    """A task that Encord refused, and that a person submitted then, was not changed by the operator."""
    person = desk.member()
    free, *others = desk.tasks("Annotate")
    desk.by_hand("assign", "Annotate", others, person)
    arguments = {"stage": "Annotate", "retain_assignee": True}
    desk.attempt(EncordSubmitTasksOperator, **arguments)
    desk.by_hand("submit", "Annotate", [free])
    end = desk.attempt(EncordSubmitTasksOperator, **arguments)
    assert (end.result["updated"], end.result["skipped"]) == (3, 1)


def test_a_task_that_a_person_archived_before_the_retry_was_not_submitted(desk: Desk) -> None:
    """Nothing was sent before; the task is not where a submission brings it, so it is skipped."""
    desk.emulator.faults([{"match": ACT, "when": {"nth": 1}, "do": BUSY}])
    assert desk.attempt(EncordSubmitTasksOperator, stage="Annotate").retryable
    desk.emulator.clear_faults()
    desk.by_hand("move", "Annotate", desk.tasks("Annotate")[:1], "Archive")
    end = desk.attempt(EncordSubmitTasksOperator, stage="Annotate")
    assert (end.result["updated"], end.result["skipped"]) == (3, 1)


def test_a_planned_task_that_left_the_stage_before_the_retry_is_reported(desk: Desk) -> None:
    """Each planned task has a line: one whose priority was not set because it left the stage is skipped."""
    desk.emulator.faults([{"match": PRIORITIES, "when": {"nth": 1}, "do": BUSY}])
    arguments = {"stage": "Annotate", "priority": 0.25}
    assert desk.attempt(EncordSetPriorityOperator, **arguments).retryable
    desk.emulator.clear_faults()
    desk.by_hand("move", "Annotate", desk.tasks("Annotate")[:1], "Review")
    end = desk.attempt(EncordSetPriorityOperator, **arguments)
    assert (end.result["tasks"], end.result["updated"]) == (4, 3)


def test_comments_that_an_attempt_added_before_it_was_lost_count_as_added(desk: Desk) -> None:
    """The task added the comments itself, so its tasks are `updated`, not `unchanged`."""
    desk.emulator.faults(
        [{"match": {"path": "/issues$", "method": "POST"}, "do": {"cut": "after"}, "when": {"nth": 1}}]
    )
    ends = [desk.attempt(EncordAddIssuesOperator, stage="Annotate", comment="Look.") for _ in range(2)]
    assert ends[0].retryable
    assert ends[1].result["updated"] == 4


def test_a_retry_goes_on_with_the_distribution_of_the_first_attempt(desk: Desk) -> None:
    """Tasks are distributed evenly, also if a retry did the rest."""
    people = [desk.member(), desk.member()]
    desk.emulator.faults([{"match": ACT, "when": {"nth": 2}, "do": BUSY}])
    arguments = {"stage": "Annotate", "assignee": people, "batch_size": 1}
    assert desk.attempt(EncordAssignTasksOperator, **arguments).retryable
    desk.emulator.clear_faults()
    assert desk.attempt(EncordAssignTasksOperator, **arguments).succeeded
    assert sorted(str(task.assignee) for task in desk.tasks("Annotate")) == sorted(people * 2)


def test_a_change_that_is_late_is_not_somebody_elses() -> None:
    """The answer is lost, Encord carries the request out after we looked, and refuses the repeat: it is done."""
    answers: list[Any] = [OutcomeUnknownError("lost"), {"a", "b"}, RefusedError("not in the stage"), set()]

    def step(_: Any) -> Any:
        return (yield)

    flow: Any = act_while_present(["a", "b"], step, step, size=10, isolate=True)  # type: ignore[arg-type]
    outcome: Any = None
    try:
        next(flow)
        for answer in answers:
            flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)
    except StopIteration as ended:
        outcome = ended.value
    assert outcome.done == ["a", "b"]


# --- the report ----------------------------------------------------------------------------------------------------


def test_another_run_does_not_take_over_what_an_unfinished_one_left(desk: Desk) -> None:
    """The plan of another run is what its undo needs: the report path is refused."""
    lose_the_last_outcome(desk, MOVE)
    arguments = {"stage": "Annotate", "to_stage": "Archive"}
    assert desk.attempt(EncordMoveTasksOperator, **arguments).retryable
    desk.emulator.clear_faults()
    end = desk.attempt(EncordMoveTasksOperator, Run(desk.directory, DAYS[1]), **arguments)
    assert "is the report of the task" in str(end.error)


def test_an_undo_uses_the_plan_and_not_the_preview_before_it(desk: Desk) -> None:
    """A preview at the same path is older than the plan, so it says nothing about what the tasks were."""
    new, before = desk.member(), desk.member()
    arguments = {"stage": "Annotate", "assignee": new, "if_assigned": "overwrite"}
    desk.attempt(EncordAssignTasksOperator, preview=True, **arguments)
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), before)
    _die_after_sending(desk, arguments)
    assert {task.assignee for task in desk.tasks("Annotate")} == {new}
    assert desk.revert().succeeded
    assert {task.assignee for task in desk.tasks("Annotate")} == {before}


def _die_after_sending(desk: Desk, arguments: dict[str, Any]) -> None:
    """The attempt sends its change, and is killed before it writes the outcome."""
    take = TaskReport.take

    def killed(report: TaskReport, lines: Any) -> None:
        if list(lines):
            raise KeyboardInterrupt

    TaskReport.take = killed  # type: ignore[method-assign]
    try:
        with pytest.raises(KeyboardInterrupt):
            desk.attempt(EncordAssignTasksOperator, **arguments)
    finally:
        TaskReport.take = take  # type: ignore[method-assign]


def test_a_failure_after_a_clear_keeps_what_an_undo_needs(desk: Desk) -> None:
    """A task that was changed before, and could not be changed again, is still undone."""
    before, new, other = desk.member(), desk.member(), desk.member()
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), before)
    arguments = {"stage": "Annotate", "if_assigned": "overwrite"}
    assert desk.attempt(EncordAssignTasksOperator, assignee=new, **arguments).succeeded
    desk.emulator.faults([{"match": ACT, "do": {"status": 403, "json": {"message": "no"}}}])
    desk.attempt(EncordAssignTasksOperator, assignee=other, **arguments)
    desk.emulator.clear_faults()
    assert {task.assignee for task in desk.tasks("Annotate")} == {new}
    desk.revert()
    assert {task.assignee for task in desk.tasks("Annotate")} == {before}


# --- refusals ------------------------------------------------------------------------------------------------------


def test_a_batch_that_is_refused_does_not_cost_the_next_one(desk: Desk) -> None:
    """If Encord accepts some tasks and refuses others, the others are changed, whatever the batches are."""
    desk = Desk(desk.account, desk.directory, rows=75, created=0.0)
    tasks, person = ordered(desk), desk.member()
    desk.by_hand("assign", "Annotate", tasks[:25] + tasks[50:], person)
    desk.attempt(EncordSubmitTasksOperator, stage="Annotate", retain_assignee=True, batch_size=25)
    assert desk.counts() == {"Annotate": 25, "Review": 50}


# --- consensus -----------------------------------------------------------------------------------------------------


def consensus(desk: Desk) -> tuple[str, str]:
    """All tasks in the consensus stage, each with one sub-task of two users."""
    one, other = desk.member(), desk.member()
    desk.by_hand("move", "Annotate", desk.tasks("Annotate"), "Consensus")
    assert desk.attempt(EncordAssignTasksOperator, report="c", stage="Consensus", assignee=[one, other]).succeeded
    return one, other


def people_of(desk: Desk) -> list[str | None]:
    return [subtask.assignee for task in desk.tasks("Consensus") for subtask in task.subtasks or []]


def test_only_the_sub_tasks_of_the_chosen_users_are_released(desk: Desk) -> None:
    """user_emails: only what is assigned to these users is released."""
    one, other = consensus(desk)
    desk.attempt(EncordReleaseTasksOperator, stage="Consensus", user_emails=[one])
    assert sorted(map(str, people_of(desk))) == sorted(["None"] * 4 + [other] * 4)


def test_sub_tasks_of_the_right_users_are_unchanged_with_overwrite(desk: Desk) -> None:
    """A sub-task that its user has already is `unchanged`; no user has another one."""
    people = consensus(desk)
    end = desk.attempt(EncordAssignTasksOperator, stage="Consensus", assignee=list(people), if_assigned="overwrite")
    assert (end.result["unchanged"], end.result["skipped"]) == (8, 0)


def test_an_undo_of_submitted_sub_tasks_does_not_say_that_they_are_so_already(desk: Desk) -> None:
    """A sub-task that stays submitted is skipped with the reason, not `unchanged`."""
    one, _ = consensus(desk)
    subtasks = [subtask.uuid for task in desk.tasks("Consensus") for subtask in task.subtasks or []]
    mine = [
        subtask.uuid
        for task in desk.tasks("Consensus")
        for subtask in task.subtasks or []
        if subtask.assignee == one
    ]
    assert len(subtasks) == 8
    assert desk.attempt(EncordSubmitTasksOperator, stage="Consensus", task_ids=mine).result["updated"] == 4
    undone = desk.revert()
    assert (undone.result["unchanged"], undone.result["skipped"]) == (0, 4)


def test_a_clear_with_the_ids_of_consensus_tasks_has_no_more_tasks_than_before(desk: Desk) -> None:
    """The id of a task whose sub-tasks were changed is not missing."""
    consensus(desk)
    ids = [task.uuid for task in desk.tasks("Consensus")]
    first = desk.attempt(EncordSubmitTasksOperator, stage="Consensus", task_ids=ids)
    again = desk.attempt(EncordSubmitTasksOperator, stage="Consensus", task_ids=ids)
    assert first.result["tasks"] == again.result["tasks"] == 8


def test_the_report_about_sub_tasks_names_their_tasks_to_other_operators(desk: Desk) -> None:
    """source: the report of another operator on tasks, also if that changed sub-tasks."""
    consensus(desk)
    end = desk.attempt(
        EncordMoveTasksOperator, stage="Consensus", to_stage="Archive", source=str(desk.report("c"))
    )
    assert end.result["updated"] == 4


# --- assignments ---------------------------------------------------------------------------------------------------


def test_least_tasks_with_overwrite_evens_the_tasks_out(desk: Desk) -> None:
    """A task that is taken from a user does not count for this user any more."""
    one, other = desk.member(), desk.member()
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), one)
    arguments = {"assignee": [one, other], "distribution": "least_tasks", "if_assigned": "overwrite"}
    assert desk.attempt(EncordAssignTasksOperator, stage="Annotate", **arguments).succeeded
    assert sorted(str(task.assignee) for task in desk.tasks("Annotate")) == sorted([one, one, other, other])


# --- undo and plan against what people do --------------------------------------------------------------------------


def test_an_undo_does_not_take_a_task_from_who_took_it_since(desk: Desk) -> None:
    """A task that somebody reassigned since is skipped, also if the change was a move."""
    desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Review")
    desk.by_hand("assign", "Review", desk.tasks("Review")[:1], desk.member())
    undone = desk.revert()
    assert (undone.result["updated"], undone.result["skipped"]) == (3, 1)


def test_a_plan_to_move_skips_what_somebody_took_in_the_meantime(desk: Desk) -> None:
    """A plan changes its tasks, and skips those that somebody changed in the meantime."""
    arguments = {"stage": "Annotate", "to_stage": "Review"}
    desk.attempt(EncordMoveTasksOperator, report="plan", preview=True, **arguments)
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate")[:1], desk.member())
    end = desk.attempt(EncordMoveTasksOperator, plan=str(desk.report("plan")))
    assert (end.result["updated"], end.result["skipped"]) == (3, 1)


def test_after_a_plan_and_its_undo_each_user_has_the_tasks_of_before(desk: Desk) -> None:
    """The report of a plan that was carried out has what the tasks were then, not at the time of the preview."""
    person = desk.member()
    desk.attempt(EncordMoveTasksOperator, report="plan", stage="Annotate", to_stage="Review", preview=True)
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), person)
    desk.attempt(EncordMoveTasksOperator, plan=str(desk.report("plan")))
    desk.revert()
    assert {task.assignee for task in desk.tasks("Annotate")} == {person}


def test_a_plan_and_another_destination_contradict_each_other(desk: Desk) -> None:
    """An argument that the plan contradicts is an error, and is not ignored."""
    desk.attempt(EncordMoveTasksOperator, report="plan", stage="Annotate", to_stage="Review", preview=True)
    end = desk.attempt(EncordMoveTasksOperator, plan=str(desk.report("plan")), to_stage="Archive")
    assert not end.succeeded
    assert desk.counts() == {"Annotate": 4}


def test_the_note_of_an_undo_says_that_the_status_is_not_restored(desk: Desk) -> None:
    """The field note says what Encord cannot restore, so also the status of a task."""
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), desk.account.email)
    desk.by_hand("release", "Annotate", desk.tasks("Annotate"))
    before = {task.status for task in desk.tasks("Annotate")}
    desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive")
    desk.revert()
    after = {task.status for task in desk.tasks("Annotate")}
    assert after == before or all("status" in str(line["note"]) for line in desk.lines("reverted"))


# --- selection -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["task_ids", "data_hashes", "source", "user_emails", "statuses", "client_metadata", "max_tasks"])
def test_a_condition_that_a_template_renders_to_none_does_not_select_the_whole_stage(desk: Desk, name: str) -> None:
    """With native rendering, and for the output of a task that returned nothing, a condition becomes None."""
    with DAG("native", schedule=None, render_template_as_native_obj=True):
        operator = EncordMoveTasksOperator(
            task_id="move",
            project_id=desk.project_id,
            stage="Annotate",
            to_stage="Archive",
            report=str(desk.report()),
            **{name: "{{ nothing }}"},
        )
    operator.render_template_fields({"nothing": None})  # type: ignore[arg-type]
    assert getattr(operator, name) is None
    try:
        operator.execute(desk.run.context())
    except Exception as error:  # noqa: BLE001
        assert name in str(error)
    assert desk.counts() == {"Annotate": 4}


@pytest.mark.parametrize("value", ["{}", {}])
def test_empty_client_metadata_does_not_select_the_whole_stage(desk: Desk, value: Any) -> None:
    """A condition that a template renders to nothing never selects the whole stage."""
    desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive", client_metadata=value)
    assert desk.counts() == {"Annotate": 4}


@pytest.mark.parametrize("name", ["user_emails", "dataset_ids", "statuses"])
def test_an_empty_list_selects_no_tasks(desk: Desk, name: str) -> None:
    """An empty list selects no tasks."""
    end = desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive", **{name: []})
    assert end.succeeded, end.error
    assert end.result["tasks"] == 0


def test_the_report_of_an_upload_is_no_source(desk: Desk) -> None:
    """A file that names neither tasks nor data units is an error; its ids are not those of tasks."""
    path = desk.report("uploaded")
    line = {"schema_version": "1.0", "operation": "upload_files", "source": "a.jpg", "outcome": "created", "error": None}
    path.write_text(json.dumps({**line, "id": desk.data_hashes[0]}) + "\n")
    end = desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive", source=str(path))
    assert not end.succeeded


def test_an_id_that_is_the_title_of_another_stage_names_the_stage_with_the_id() -> None:
    """The message says to pass the id, so an id must work."""
    one = Stage(uuid="11111111-0000-4000-8000-000000000000", title="One", stage_type="REVIEW")
    other = Stage(uuid="22222222-0000-4000-8000-000000000000", title=one.uuid, stage_type="REVIEW")
    assert choose_stage([one, other], one.uuid) is one


def _row(**more: Any) -> dict[str, Any]:
    objects = [
        {"objectHash": "a", "name": "Car", "isDeleted": True, "createdBy": "eve"},
        {"objectHash": "b", "name": "Bus", "createdBy": "ada"},
    ]
    labels = {"objects": objects, "classifications": []}
    return {"data_hash": "d", "data_units": {"d": {"data_hash": "d", "labels": labels}}, **more}


def test_deleted_objects_are_no_content() -> None:
    """An object that was deleted is not in the data unit."""
    assert classes_in(_row()) == {"Bus"}
    assert most_frequent(_row(), "annotator") == "ada"


def test_classifications_of_newer_label_rows_are_content() -> None:
    """Newer label rows have classifications only in classification_answers."""
    answers = {
        "c": {
            "classificationHash": "c",
            "featureHash": "w",
            "createdBy": "ada",
            "range": [[0, 0]],
            "classifications": [{"name": "Weather", "featureHash": "x", "answers": "rain"}],
        }
    }
    assert "Weather" in classes_in(_row(data_type="image", classification_answers=answers))


def test_strata_by_class_look_at_the_main_branch(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an export with all branches, the class of a data unit is that of its main branch."""

    def row(branch: str, name: str) -> dict[str, Any]:
        labels = {"objects": [{"objectHash": "a", "name": name}], "classifications": []}
        return {"data_hash": "d", "branch_name": branch, "data_units": {"d": {"data_hash": "d", "labels": labels}}}

    monkeypatch.setattr(strata, "read", lambda _: iter([row("main", "Car"), row("model", "Bus")]))
    task = ChosenTask(id="t", data_hash="d", data_title="", assignee=None, created_at="", updated_at="")
    with desk.client as client:
        assert list(strata.groups_of(client, desk.project_id, [task], "class", "manifest.json")) == ["Car"]


# --- tasks whose data is gone --------------------------------------------------------------------------------------


def _changer(desk: Desk, client: Any) -> tuple[TaskChanger, TaskReport]:
    from airflow_provider_encord.operators.arguments import storage_path

    path: StoragePath = storage_path(str(desk.report()), "report")
    report = TaskReport(path, Owner("a task"))
    return TaskChanger(client, desk.project_id, report, batch_size=500), report


@pytest.mark.parametrize(
    ("stage", "change"),
    [("Archive", Change(action="reopen")), ("Annotate", Change(action="add_issue", comment="Look."))],
)
def test_a_data_unit_that_is_deleted_between_the_plan_and_the_request_costs_only_itself(
    desk: Desk, stage: str, change: Change
) -> None:
    """The other tasks are changed, and there is no bug to report."""
    if stage != "Annotate":
        desk.by_hand("move", "Annotate", desk.tasks("Annotate"), stage)
    with desk.client as client:
        changer, report = _changer(desk, client)
        lines = changer.planned(changer.place(stage), change, TaskSelection())
        (row,) = [row for row in client.project(desk.project_id).label_rows() if row.data_hash == desk.data_hashes[0]]
        client.dataset(row.dataset_hash).remove_data_rows([row.data_hash])
        changer.carry_out(lines)
        assert counts(report.lines)["updated"] == 3


# --- more ----------------------------------------------------------------------------------------------------------


def test_users_are_found_whatever_the_case_of_their_address(desk: Desk) -> None:
    """user_emails: an address is the same in upper case."""
    person = desk.member()
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), person)
    end = desk.attempt(EncordReleaseTasksOperator, stage="Annotate", user_emails=[person.upper()])
    assert end.result["updated"] == 4


def test_what_a_plan_found_unchanged_and_somebody_changed_since_is_not_unchanged(desk: Desk) -> None:
    """`unchanged` says that a task is so already; one that another user has now is skipped."""
    person, other = desk.member(), desk.member()
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), person)
    desk.attempt(EncordAssignTasksOperator, report="plan", preview=True, stage="Annotate", assignee=person)
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate")[:1], other)
    end = desk.attempt(EncordAssignTasksOperator, plan=str(desk.report("plan")))
    assert (end.result["unchanged"], end.result["skipped"]) == (3, 1)


def test_an_empty_sample_stays_the_sample(desk: Desk) -> None:
    """A clear returns the sample again, also if it was empty."""
    assert desk.attempt(EncordSampleTasksOperator, report="s", stage="Review", size=2).result["sampled"] == 0
    desk.by_hand("move", "Annotate", desk.tasks("Annotate"), "Review")
    assert desk.attempt(EncordSampleTasksOperator, report="s", stage="Review", size=2).result["sampled"] == 0


def test_a_plan_of_a_change_that_was_killed_is_no_preview(desk: Desk) -> None:
    """What a killed change left is not the plan of a preview that a person approved."""
    lose_the_last_outcome(desk, MOVE)
    assert desk.attempt(EncordMoveTasksOperator, report="killed", stage="Annotate", to_stage="Archive").retryable
    desk.emulator.clear_faults()
    end = desk.attempt(EncordMoveTasksOperator, plan=str(desk.report("killed")))
    assert not end.succeeded


def test_a_failed_line_of_a_task_that_left_the_stage_does_not_fail_every_clear(desk: Desk) -> None:
    """A task that was refused, and is not in the stage any more, is skipped at the next attempt."""
    desk.emulator.faults([{"match": PRIORITIES, "do": {"status": 403, "json": {"message": "no"}}}])
    arguments = {"stage": "Annotate", "priority": 0.25}
    assert not desk.attempt(EncordSetPriorityOperator, **arguments).succeeded
    desk.emulator.clear_faults()
    desk.by_hand("move", "Annotate", desk.tasks("Annotate")[:1], "Review")
    end = desk.attempt(EncordSetPriorityOperator, **arguments)
    assert end.succeeded, end.error


def test_an_undo_of_a_change_that_changed_nothing_has_nothing_to_do(desk: Desk) -> None:
    """The report of a stage without tasks is a report; its undo changes nothing and succeeds."""
    assert desk.attempt(EncordMoveTasksOperator, stage="Review", to_stage="Archive").result["tasks"] == 0
    undone = desk.revert()
    assert undone.succeeded, undone.error


def test_an_undo_of_what_a_person_did_after_a_refusal_leaves_it(desk: Desk) -> None:
    """Nothing was sent, so what a person did before the undo is not undone."""
    desk.emulator.faults([{"match": ACT, "when": {"nth": 1}, "do": BUSY}])
    assert desk.attempt(EncordSubmitTasksOperator, stage="Annotate").retryable
    desk.emulator.clear_faults()
    desk.by_hand("submit", "Annotate", desk.tasks("Annotate")[:1])
    desk.revert()
    assert desk.counts() == {"Annotate": 3, "Review": 1}


def test_a_comment_is_not_added_to_a_task_that_was_not_rejected(desk: Desk) -> None:
    """If Encord refuses to reject, the data unit has no comment that it was rejected."""
    desk.by_hand("move", "Annotate", desk.tasks("Annotate"), "Review")
    arguments = {"stage": "Review", "verdict": "reject", "comment": "Again.", "retain_assignee": True}
    assert not desk.attempt(EncordReviewTasksOperator, **arguments).succeeded
    assert desk.counts() == {"Review": 4}
    with desk.client as client:
        project = client.project(desk.project_id)
        assert [len(list(project.issues(data))) for data in desk.data_hashes] == [0] * 4


def test_what_may_have_been_done_is_not_reported_as_refused(desk: Desk) -> None:
    """The answer of a move is lost, and the user may not list tasks any more: an undo must still know the tasks."""
    desk.emulator.faults(
        [
            {"match": MOVE, "when": {"nth": 1}, "do": {"cut": "after"}},
            {"match": LIST, "when": {"nth": 2}, "do": {"status": 403, "json": {"message": "no"}}},
        ]
    )
    assert not desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive").succeeded
    assert desk.counts() == {"Archive": 4}
    desk.emulator.clear_faults()
    desk.revert()
    assert desk.counts() == {"Annotate": 4}


def test_what_an_attempt_did_while_the_next_one_had_begun_is_reported_as_done(desk: Desk) -> None:
    """The request of a lost attempt is carried out after the retry has planned: its tasks are done by this task."""
    desk.emulator.faults(
        [
            {"match": MOVE, "when": {"nth": 1}, "do": {"delay_s": 1.5}},
            {"match": MOVE, "when": {"nth": 2}, "do": {"delay_s": 3.0}},
        ]
    )
    arguments = {"stage": "Annotate", "to_stage": "Archive"}
    lost = threading.Thread(target=lambda: desk.attempt(EncordMoveTasksOperator, **arguments))
    lost.start()
    poll(lambda: bool(list(desk.directory.glob("report.jsonl.parts/plan-*"))) or None, "the plan", 30, every=0.02)
    end = desk.attempt(EncordMoveTasksOperator, **arguments)
    lost.join()
    assert desk.counts() == {"Archive": 4}
    assert end.result["updated"] == 4


def test_a_data_unit_that_came_into_the_stage_after_all_has_one_line(desk: Desk) -> None:
    """The line that says that it was not there is replaced, so the outcomes add up to the data units that were given."""
    desk.by_hand("move", "Annotate", desk.tasks("Annotate")[:1], "Choose")
    arguments = {"stage": "Annotate", "to_stage": "Archive", "data_hashes": desk.data_hashes}
    assert desk.attempt(EncordMoveTasksOperator, **arguments).result["tasks"] == 4
    desk.by_hand("move", "Choose", desk.tasks("Choose"), "Annotate")
    end = desk.attempt(EncordMoveTasksOperator, **arguments)
    assert (end.result["tasks"], end.result["updated"]) == (4, 4)


def test_a_cleared_undo_does_not_assign_what_was_given_back_since(desk: Desk) -> None:
    """A clear of an undo does not assign a task again that its user has given back since."""
    person = desk.member()
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), person)
    desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive")
    desk.revert()
    desk.by_hand("release", "Annotate", desk.tasks("Annotate"))
    desk.revert()
    assert {task.assignee for task in desk.tasks("Annotate")} == {None}


def test_a_plan_and_another_comment_contradict_each_other(desk: Desk) -> None:
    """The comment of a plan is what the preview showed, and an other comment is an error."""
    desk.attempt(EncordAddIssuesOperator, report="plan", stage="Annotate", comment="One.", preview=True)
    end = desk.attempt(EncordAddIssuesOperator, plan=str(desk.report("plan")), comment="Two.")
    assert not end.succeeded


def test_a_reopening_keeps_the_task_of_who_took_it_between(desk: Desk) -> None:
    """A task that left the stage after the plan was made is not reopened."""
    desk.by_hand("move", "Annotate", desk.tasks("Annotate"), "Complete")
    with desk.client as client:
        changer, report = _changer(desk, client)
        lines = changer.planned(changer.place("Complete"), Change(action="reopen"), TaskSelection())
        desk.by_hand("move", "Complete", desk.tasks("Complete")[:1], "Archive")
        changer.carry_out(lines)
        assert counts(report.lines)["skipped"] == 1
    assert desk.counts() == {"Annotate": 3, "Archive": 1}


def test_a_retry_leaves_the_tasks_that_an_earlier_attempt_assigned(desk: Desk) -> None:
    """With overwrite, a task that this run gave to a user stays with this user, also if another one left the stage."""
    people = [desk.member(), desk.member()]
    first, second, *_ = ordered(desk)
    desk.emulator.faults([{"match": ACT, "when": {"nth": 2}, "do": BUSY}])
    arguments = {"stage": "Annotate", "assignee": people, "if_assigned": "overwrite", "batch_size": 2}
    assert desk.attempt(EncordAssignTasksOperator, **arguments).retryable
    desk.emulator.clear_faults()
    desk.by_hand("submit", "Annotate", [first])
    assert desk.attempt(EncordAssignTasksOperator, **arguments).succeeded
    assert {task.uuid: task.assignee for task in desk.tasks("Annotate")}[second.uuid] == people[1]


def test_an_address_with_blanks_around_it_is_the_address(desk: Desk) -> None:
    """user_emails: blanks around an address, as templates leave them, do not make it another one."""
    person = desk.member()
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), person)
    end = desk.attempt(EncordReleaseTasksOperator, stage="Annotate", user_emails=[f"{person}\n"])
    assert end.result["updated"] == 4


def test_a_user_who_is_given_twice_gets_no_more_tasks_than_the_others(desk: Desk) -> None:
    """Encord has one user per address, whatever its case."""
    one, other = desk.member(), desk.member()
    people = [one, one.upper(), other]
    desk.attempt(EncordAssignTasksOperator, stage="Annotate", assignee=people, preview=True)
    assert sorted(line["new_assignee"].lower() for line in desk.lines()) == sorted([one, one, other, other])


def test_the_undo_of_comments_says_in_the_note_that_they_stay(desk: Desk) -> None:
    """The field note says what Encord cannot restore: status, label reviews, comments."""
    desk.attempt(EncordAddIssuesOperator, stage="Annotate", comment="Look.")
    undone = desk.revert()
    assert undone.result["skipped"] == 4
    assert all(line["note"] for line in desk.lines("reverted"))
