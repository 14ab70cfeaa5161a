"""What each operator on tasks does, by the stages, assignees and priorities that Encord shows afterwards."""

from __future__ import annotations

import json

import pytest

from airflow_provider_encord.client.api.storage_folders import folder_patch
from airflow_provider_encord.client.api.storage_items import edit_items
from airflow_provider_encord.operators.labels import EncordExportLabelsOperator
from airflow_provider_encord.operators.workflow import (
    EncordAddIssuesOperator,
    EncordAssignTasksOperator,
    EncordMoveTasksOperator,
    EncordProceedTasksOperator,
    EncordReleaseTasksOperator,
    EncordReopenTasksOperator,
    EncordReviewTasksOperator,
    EncordSetPriorityOperator,
    EncordSubmitTasksOperator,
)
from airflow_provider_encord.task_actions.label_content import classes_in
from tests.moves.attempts import attempt
from tests.task_actions.desk import Desk

STAGE = {"stage": "Annotate"}


def counts(updated: int = 0, unchanged: int = 0, skipped: int = 0, failed: int = 0) -> dict[str, int]:
    found = {"updated": updated, "unchanged": unchanged, "skipped": skipped, "failed": failed}
    return {"tasks": sum(found.values()), **found}


def result(desk: Desk, report: str = "report", **found: int) -> dict[str, object]:
    return {"project_id": desk.project_id, **counts(**found), "report": f"file://{desk.report(report)}"}


def test_tasks_are_moved_and_reported(desk: Desk) -> None:
    end = desk.attempt(EncordMoveTasksOperator, **STAGE, to_stage="Archive")
    assert end.result == result(desk, updated=4)
    assert desk.counts() == {"Archive": 4}
    lines = desk.lines()
    assert {line["data_hash"] for line in lines} == set(desk.data_hashes)
    assert {(line["source"], line["action"], line["outcome"]) for line in lines} == {("Annotate", "move", "updated")}


def test_only_the_named_tasks_are_moved_and_those_that_are_elsewhere_are_skipped(desk: Desk) -> None:
    tasks = desk.tasks("Annotate")
    desk.by_hand("move", "Annotate", tasks[:1], "Archive")
    ids = [task.uuid for task in tasks[:2]]
    end = desk.attempt(EncordMoveTasksOperator, **STAGE, to_stage="Review", task_ids=ids)
    assert end.result == result(desk, updated=1, skipped=1)
    assert desk.counts() == {"Annotate": 2, "Archive": 1, "Review": 1}
    (skipped,) = [line for line in desk.lines() if line["outcome"] == "skipped"]
    assert skipped["id"] == tasks[0].uuid
    assert "is not in the stage 'Annotate'" in skipped["error"]


def test_conditions_narrow_the_selection(desk: Desk) -> None:
    title = desk.tasks("Annotate")[2].data_title
    person = desk.member()
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate")[1:], person)
    conditions = {"data_title_contains": title, "user_emails": [person], "statuses": "ASSIGNED"}
    end = desk.attempt(EncordMoveTasksOperator, **STAGE, to_stage="Archive", **conditions)
    assert end.result == result(desk, updated=1)
    assert [task.data_title for task in desk.tasks("Archive")] == [title]


def test_the_oldest_tasks_come_first_and_young_ones_are_left(desk: Desk) -> None:
    end = desk.attempt(EncordMoveTasksOperator, **STAGE, to_stage="Archive", max_tasks=3)
    assert end.result == result(desk, updated=3)
    end = desk.attempt(EncordMoveTasksOperator, report="old", **STAGE, to_stage="Archive", min_age_seconds=3600)
    assert end.result == result(desk, "old")
    assert desk.counts() == {"Annotate": 1, "Archive": 3}


@pytest.mark.parametrize(
    "empty",
    [
        {"task_ids": ""},
        {"data_hashes": " "},
        {"user_emails": ""},
        {"source": ""},
        {"plan": ""},
        {"min_age_seconds": ""},
        {"max_tasks": ""},
        {"data_title_contains": ""},
    ],
    ids=lambda empty: next(iter(empty)),
)
def test_an_empty_condition_never_selects_the_whole_stage(desk: Desk, empty: dict[str, str]) -> None:
    end = desk.attempt(EncordMoveTasksOperator, **STAGE, to_stage="Archive", **empty)
    assert f"{next(iter(empty))}: it is empty" in str(end.error)
    assert desk.counts() == {"Annotate": 4}


def test_an_empty_list_selects_no_tasks(desk: Desk) -> None:
    end = desk.attempt(EncordMoveTasksOperator, **STAGE, to_stage="Archive", task_ids=[])
    assert end.result == result(desk)
    assert desk.counts() == {"Annotate": 4}


@pytest.mark.parametrize(
    ("operator", "arguments", "message"),
    [
        (EncordMoveTasksOperator, {"stage": "Annotat", "to_stage": "Archive"}, "stage: 'Annotat' is neither id nor"),
        (EncordMoveTasksOperator, {"stage": "Annotate", "to_stage": "QA"}, "to_stage: 'QA' is neither id nor title"),
        (EncordMoveTasksOperator, {"stage": "Annotate", "to_stage": "Annotate"}, "are in the stage 'Annotate' already"),
        (EncordReviewTasksOperator, {"stage": "Annotate", "verdict": "approve"}, "do not support the action 'approve'"),
        (EncordProceedTasksOperator, {"stage": "Agent", "pathway": "perhaps"}, "Pathways of stage 'Agent': 'yes'"),
        (EncordSubmitTasksOperator, {"stage": "Complete"}, "is of type DONE"),
        (EncordAssignTasksOperator, {"stage": "Annotate", "assignee": "somebody"}, "assignee: 'somebody'"),
        (EncordAssignTasksOperator, {"stage": "Complete", "assignee": "a@b.c"}, "do not support the action 'assign'"),
    ],
)
def test_what_cannot_be_done_fails_before_anything_is_sent(
    desk: Desk, operator: type, arguments: dict[str, str], message: str
) -> None:
    desk.emulator.clear_journal()
    end = desk.attempt(operator, **arguments)
    assert message in str(end.error)
    assert not end.retryable
    assert not any(entry["changes"] for entry in desk.emulator.journal())
    assert not desk.report().exists()


def test_tasks_are_assigned_in_turn_and_those_of_others_are_left(desk: Desk) -> None:
    one, other, owner = desk.member(), desk.member(), desk.member()
    taken = desk.tasks("Annotate")[0]
    desk.by_hand("assign", "Annotate", [taken], owner)
    end = desk.attempt(EncordAssignTasksOperator, **STAGE, assignee=[one, other])
    assert end.result == result(desk, updated=3, skipped=1)
    assert sorted(str(task.assignee) for task in desk.tasks("Annotate")) == sorted([one, one, other, owner])
    again = desk.attempt(EncordAssignTasksOperator, report="again", **STAGE, assignee=[one, other])
    assert again.result == result(desk, "again", unchanged=3, skipped=1)
    forced = desk.attempt(EncordAssignTasksOperator, report="forced", **STAGE, assignee=one, if_assigned="overwrite")
    assert forced.result == result(desk, "forced", updated=2, unchanged=2)


def test_tasks_go_to_the_user_who_has_the_fewest(desk: Desk) -> None:
    busy, free = desk.member(), desk.member()
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate")[:2], busy)
    end = desk.attempt(EncordAssignTasksOperator, **STAGE, assignee=[busy, free], distribution="least_tasks")
    assert end.result == result(desk, updated=2, unchanged=2)
    assert sorted(str(task.assignee) for task in desk.tasks("Annotate")) == sorted([busy, busy, free, free])


def test_no_user_gets_two_sub_tasks_of_a_consensus_task(desk: Desk) -> None:
    desk.by_hand("move", "Annotate", desk.tasks("Annotate"), "Consensus")
    one, other = desk.member(), desk.member()
    end = desk.attempt(EncordAssignTasksOperator, stage="Consensus", assignee=[one, other])
    subtasks = [task.subtasks or [] for task in desk.tasks("Consensus")]
    per_task = len(subtasks[0])
    assert per_task >= 2
    assert end.result == result(desk, updated=4 * 2, skipped=4 * (per_task - 2))
    for some in subtasks:
        people = [subtask.assignee for subtask in some if subtask.assignee]
        assert sorted(people) == sorted([one, other])
    assert {line["parent_task_id"] for line in desk.lines()} == {task.uuid for task in desk.tasks("Consensus")}


def test_tasks_are_released(desk: Desk) -> None:
    person = desk.member()
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate")[:3], person)
    end = desk.attempt(EncordReleaseTasksOperator, **STAGE)
    assert end.result == result(desk, updated=3, unchanged=1)
    assert {task.assignee for task in desk.tasks("Annotate")} == {None}


def test_priorities_are_set(desk: Desk) -> None:
    end = desk.attempt(EncordSetPriorityOperator, **STAGE, priority=0.9, data_hashes=desk.data_hashes[:2])
    assert end.result == result(desk, updated=2)
    with desk.client as client:
        priorities = {row.data_hash: row.priority for row in client.project(desk.project_id).label_rows()}
    assert [priorities[data] for data in desk.data_hashes] == [0.9, 0.9, 0.5, 0.5]
    again = desk.attempt(EncordSetPriorityOperator, report="again", **STAGE, priority="0.9")
    assert again.result == result(desk, "again", updated=2, unchanged=2)


def test_tasks_are_reopened(desk: Desk) -> None:
    desk.by_hand("move", "Annotate", desk.tasks("Annotate")[:3], "Complete")
    end = desk.attempt(EncordReopenTasksOperator, stage="Complete")
    assert end.result == result(desk, updated=3)
    assert desk.counts() == {"Annotate": 4}


def test_tasks_are_submitted_reviewed_and_sent_back_with_a_comment(desk: Desk) -> None:
    assert desk.attempt(EncordSubmitTasksOperator, **STAGE).result == result(desk, updated=4)
    assert desk.counts() == {"Review": 4}
    reviewed = [task.uuid for task in desk.tasks("Review")]
    approved = desk.attempt(
        EncordReviewTasksOperator, report="approved", stage="Review", verdict="approve", task_ids=reviewed[:1]
    )
    assert approved.result == result(desk, "approved", updated=1)
    comment = "The box of the car is too small."
    rejected = desk.attempt(
        EncordReviewTasksOperator, report="rejected", stage="Review", verdict="reject", comment=comment
    )
    assert rejected.result == result(desk, "rejected", updated=3)
    assert desk.counts() == {"Annotate": 3, "Complete": 1}
    with desk.client as client:
        project = client.project(desk.project_id)
        for task in desk.tasks("Annotate"):
            assert [issue.comments[0].content for issue in project.issues(task.data_hash)] == [comment]


def test_issues_are_added_once_and_tasks_stay(desk: Desk) -> None:
    comment = "Look again."
    with desk.client as client:
        client.project(desk.project_id).issues(desk.data_hashes[0]).add(comment)
    end = desk.attempt(EncordAddIssuesOperator, **STAGE, comment=comment)
    assert end.result == result(desk, updated=3, unchanged=1)
    assert desk.counts() == {"Annotate": 4}
    with desk.client as client:
        project = client.project(desk.project_id)
        assert [len(list(project.issues(data))) for data in desk.data_hashes] == [1] * 4
    undone = desk.revert()
    assert undone.result["skipped"] == 3


def test_tasks_proceed_along_a_pathway(desk: Desk) -> None:
    desk.by_hand("move", "Annotate", desk.tasks("Annotate"), "Agent")
    ways = [task.uuid for task in desk.tasks("Agent")]
    assert desk.attempt(
        EncordProceedTasksOperator, report="no", stage="Agent", pathway="no", task_ids=ways[:1]
    ).result == result(desk, "no", updated=1)
    assert desk.attempt(EncordProceedTasksOperator, stage="Agent", pathway="yes").result == result(desk, updated=3)
    assert desk.counts() == {"Archive": 1, "Complete": 3}


def test_a_report_names_the_tasks_of_the_next_task(desk: Desk) -> None:
    first = desk.attempt(EncordMoveTasksOperator, **STAGE, to_stage="Review", max_tasks=2)
    desk.by_hand("move", "Annotate", desk.tasks("Annotate"), "Review")
    source = first.result["report"]
    end = desk.attempt(EncordSetPriorityOperator, report="next", stage="Review", priority=1, source=source)
    assert end.result == result(desk, "next", updated=2)
    assert {line["id"] for line in desk.lines("next")} == {line["id"] for line in desk.lines()}


def test_data_hashes_of_any_json_lines_file_select_tasks(desk: Desk) -> None:
    source = desk.directory / "wanted.jsonl"
    source.write_text("".join(f'{{"data_hash": "{data}"}}\n' for data in desk.data_hashes[:2]))
    end = desk.attempt(EncordMoveTasksOperator, **STAGE, to_stage="Archive", source=str(source))
    assert end.result == result(desk, updated=2)
    source.write_text('{"title": "a"}\n')
    end = desk.attempt(EncordMoveTasksOperator, report="b", **STAGE, to_stage="Archive", source=str(source))
    assert "it has no data_hash, and no id of a task" in str(end.error)


def with_cameras(desk: Desk, cameras: list[str]) -> None:
    """Give the data units client metadata."""
    with desk.client as client:
        rows = client.project(desk.project_id).label_rows()
        items = {row.data_hash: row.backing_item_uuid for row in rows}
        client.send(
            edit_items(
                {
                    str(items[data]): folder_patch(client_metadata={"camera": camera})
                    for data, camera in zip(desk.data_hashes, cameras, strict=True)
                }
            )
        )


def test_client_metadata_narrows_the_selection(desk: Desk) -> None:
    with_cameras(desk, ["north", "south", "north", "east"])
    end = desk.attempt(EncordMoveTasksOperator, **STAGE, to_stage="Archive", client_metadata={"camera": "north"})
    assert end.result == result(desk, updated=2)
    assert {task.data_hash for task in desk.tasks("Archive")} == {desk.data_hashes[0], desk.data_hashes[2]}


def test_all_tasks_of_a_group_go_to_the_same_user_in_every_run(desk: Desk) -> None:
    people = [desk.member() for _ in range(3)]
    with_cameras(desk, ["north", "south", "north", "south"])
    by_camera = {"distribution": "by_group", "group_by": "client_metadata.camera"}
    end = desk.attempt(
        EncordAssignTasksOperator, **STAGE, assignee=people, **by_camera, data_hashes=desk.data_hashes[:2]
    )
    assert end.result == result(desk, updated=2)
    rest = desk.attempt(EncordAssignTasksOperator, report="rest", **STAGE, assignee=people[::-1], **by_camera)
    assert rest.result == result(desk, "rest", updated=2, unchanged=2)
    assigned = {task.data_hash: task.assignee for task in desk.tasks("Annotate")}
    assert assigned[desk.data_hashes[0]] == assigned[desk.data_hashes[2]]
    assert assigned[desk.data_hashes[1]] == assigned[desk.data_hashes[3]]


def test_labels_of_an_export_select_tasks(desk: Desk) -> None:
    exported = {"project_id": desk.project_id, "destination": str(desk.directory / "export")}
    manifest = attempt(EncordExportLabelsOperator, exported, desk.run).result["manifest"]
    rows = [
        json.loads(line)
        for shard in (desk.directory / "export").glob("labels-*.jsonl")
        for line in shard.read_text().splitlines()
    ]
    with_cars = {row["data_hash"] for row in rows if "Car" in classes_in(row)}
    end = desk.attempt(EncordMoveTasksOperator, **STAGE, to_stage="Archive", source=manifest, source_classes="Car")
    assert end.result["updated"] == len(with_cars)
    assert {task.data_hash for task in desk.tasks("Archive")} == with_cars


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"distribution": "by_group"}, "group_by: pass it with distribution='by_group'"),
        ({"group_by": "dataset_id"}, "group_by: pass it with distribution='by_group'"),
        ({"distribution": "by_group", "group_by": "camera"}, "group_by: 'camera' is neither dataset_id nor"),
        ({"source_classes": "Car"}, "source_classes: pass the manifest of an export as `source`"),
        ({"client_metadata": ""}, "client_metadata: it is empty"),
    ],
)
def test_wrong_combinations_are_named(desk: Desk, arguments: dict[str, str], message: str) -> None:
    end = desk.attempt(EncordAssignTasksOperator, **STAGE, assignee="a@example.com", **arguments)
    assert message in str(end.error)
