"""Whatever is done to tasks in whatever order, what the emulator says of them agrees.

A machine plays people at random in a workflow with a stage of every type. A model says where each task must be; after
each step the listings of all stages, the metadata of the label rows and the model are held against each other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from encord_emulator.process import Emulator
from tests.emulator.callers import Answer, Person

ROWS = 4
STAGES = [
    {"stageType": "ANNOTATION", "title": "Annotate", "next": "Review"},
    {"stageType": "REVIEW", "title": "Review", "next": "Agent"},
    {
        "stageType": "AGENT",
        "title": "Agent",
        "next": "Complete",
        "pathways": [{"title": "agree", "to": "Consensus"}, {"title": "file", "to": "Archive"}],
    },
    {"stageType": "CONSENSUS_ANNOTATION", "title": "Consensus", "next": "Choose"},
    {"stageType": "CONSENSUS_REVIEW", "title": "Choose", "next": "Complete", "reject_to": "Consensus"},
    {"stageType": "DONE", "title": "Complete"},
    {"stageType": "DONE", "title": "Archive"},
]
NEXT = {"Annotate": "Review", "Review": "Agent", "Choose": "Complete"}
BACK = {"Review": "Annotate", "Choose": "Consensus"}
NOBODYS = ("Consensus", "Complete", "Archive")
BRANCHES = 2
PEOPLE = ("owner@example.com", "ann@example.com")
PATHWAYS = {"agree": "Consensus", "file": "Archive"}

some_rows = st.sets(st.integers(0, ROWS - 1), min_size=1)
row = st.integers(0, ROWS - 1)
titles = st.sampled_from([str(stage["title"]) for stage in STAGES])
person = st.sampled_from(PEOPLE)
perhaps_person = st.none() | person


@dataclasses.dataclass
class Expected:
    """What the model says of a task."""

    stage: str = "Annotate"
    status: str = "NEW"
    assignee: str | None = None
    acted: bool = False
    sub_statuses: list[str] = dataclasses.field(default_factory=list)
    sub_assignees: list[str | None] = dataclasses.field(default_factory=lambda: [None] * BRANCHES)

    def arrive(self, stage: str, assignee: str | None, *, rejected: bool = False) -> None:
        self.stage, self.acted = stage, True
        self.assignee = None if stage in NOBODYS else assignee
        self.status = "COMPLETED" if stage in ("Complete", "Archive") else "ASSIGNED" if self.assignee else "NEW"
        if rejected and stage not in NOBODYS:
            self.status = "REOPENED"
        if stage == "Consensus":
            self.sub_statuses = [
                "REOPENED" if rejected and self.sub_statuses else "ASSIGNED" if one else "NEW"
                for one in self.sub_assignees
            ]


class Work(RuleBasedStateMachine):
    emulator: Emulator
    owner: Person

    @initialize(created=st.sampled_from([0.0, 0.5, 1.0]))
    def begin(self, created: float) -> None:
        template = self.emulator.template("every type", STAGES)["uuid"]
        made = self.emulator.project(
            owner=PEOPLE[0], title="x", rows=ROWS, created=created, objects_per_row=1, template=template
        )
        self.project, self.data = made["project_id"], made["data_hashes"]
        self.stages = {stage["title"]: stage["uuid"] for stage in made["stages"]}
        payload = {"user_emails": [PEOPLE[1]], "user_role": 3}
        self.owner.get("projectusers", "POST", self.project, payload, project=self.project)
        by_data = {task["dataHash"]: task["uuid"] for task in self.listed("Annotate")}
        self.tasks = [by_data[data] for data in self.data]
        self.expected = [Expected() for _ in self.data]

    def path(self, stage: str) -> str:
        return f"projects/{self.project}/workflow/stages/{self.stages[stage]}"

    def listed(self, stage: str) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = self.owner.rest("GET", f"{self.path(stage)}/tasks").json["results"]
        return results

    def post(self, stage: str, actions: list[dict[str, Any]]) -> Answer:
        return self.owner.rest("POST", f"{self.path(stage)}/actions", actions)

    def act(self, stage: str, chosen: set[int], action: str, **rest: Any) -> bool:
        """Whether it was done; it must be if all of the tasks are there, and the action is one of the stage's."""
        answer = self.post(stage, [{"taskUuid": self.tasks[one], "action": action, **rest} for one in sorted(chosen)])
        there = all(self.expected[one].stage == stage for one in chosen)
        nobody = rest.get("retainAssignee") and not rest.get("assignee")
        fits = there and not (nobody and any(self.expected[one].assignee is None for one in chosen))
        assert (answer.status == 200) == fits, (answer, stage, chosen, action)
        return fits

    @rule(chosen=some_rows, stage=st.sampled_from(sorted(NEXT)), assignee=perhaps_person, retain=st.booleans())
    def go_on(self, chosen: set[int], stage: str, assignee: str | None, retain: bool) -> None:
        given = {"assignee": assignee} if assignee else {}
        action = "SUBMIT" if stage == "Annotate" else "APPROVE"
        if self.act(stage, chosen, action, retainAssignee=retain, **given):
            for one in chosen:
                task = self.expected[one]
                task.arrive(NEXT[stage], assignee or (task.assignee if retain else None))

    @rule(chosen=some_rows, stage=st.sampled_from(sorted(BACK)), assignee=perhaps_person)
    def send_back(self, chosen: set[int], stage: str, assignee: str | None) -> None:
        given = {"assignee": assignee} if assignee else {}
        if self.act(stage, chosen, "REJECT", **given):
            for one in chosen:
                self.expected[one].arrive(BACK[stage], assignee, rejected=True)

    @rule(chosen=some_rows, stage=st.sampled_from(["Annotate", "Review", "Choose"]), assignee=perhaps_person)
    def assign_or_release(self, chosen: set[int], stage: str, assignee: str | None) -> None:
        done = self.act(stage, chosen, "ASSIGN", assignee=assignee) if assignee else self.act(stage, chosen, "RELEASE")
        for one in chosen if done else ():
            task = self.expected[one]
            task.assignee, task.status, task.acted = assignee, "ASSIGNED" if assignee else "RELEASED", True

    @rule(chosen=some_rows, pathway=st.sampled_from(sorted(PATHWAYS)))
    def proceed(self, chosen: set[int], pathway: str) -> None:
        if self.act("Agent", chosen, "PATHWAY_ACTION", pathwayName=pathway):
            for one in chosen:
                self.expected[one].arrive(PATHWAYS[pathway], None)

    @rule(chosen=some_rows, origin=titles, destination=titles)
    def move(self, chosen: set[int], origin: str, destination: str) -> None:
        body = {
            "taskUuids": [self.tasks[one] for one in sorted(chosen)],
            "destinationStageUuid": self.stages[destination],
        }
        answer = self.owner.rest("POST", f"{self.path(origin)}/move-tasks", body)
        fits = origin != destination and all(self.expected[one].stage == origin for one in chosen)
        assert (answer.status == 200) == fits, answer
        for one in chosen if fits else ():
            self.expected[one].arrive(destination, None)

    @rule(
        one=row, branch=st.integers(0, BRANCHES - 1), deed=st.sampled_from(["SUBMIT", "ASSIGN", "RELEASE"]), who=person
    )
    def work_on_subtask(self, one: int, branch: int, deed: str, who: str) -> None:
        task = self.expected[one]
        if task.stage != "Consensus":
            return
        (shown,) = [listed for listed in self.listed("Consensus") if listed["uuid"] == self.tasks[one]]
        rest = {"assignee": who} if deed == "ASSIGN" else {}
        action = {"taskUuid": shown["subtasks"][branch]["uuid"], "action": deed, **rest}
        other_has_it = deed == "ASSIGN" and task.sub_assignees[1 - branch] == who
        fits = task.sub_statuses[branch] != "COMPLETED" and not other_has_it
        assert (self.post("Consensus", [action]).status == 200) == fits
        if not fits:
            return
        task.acted = True
        task.sub_statuses[branch] = {"SUBMIT": "COMPLETED", "ASSIGN": "ASSIGNED", "RELEASE": "RELEASED"}[deed]
        if deed == "SUBMIT":
            task.sub_assignees[branch] = task.sub_assignees[branch] or PEOPLE[0]
        else:
            task.sub_assignees[branch] = who if deed == "ASSIGN" else None
        if set(task.sub_statuses) == {"COMPLETED"}:
            task.arrive("Choose", None)

    @rule(chosen=some_rows, reopen=st.booleans())
    def complete_or_reopen_rows(self, chosen: set[int], reopen: bool) -> None:
        by_data = {found["data_hash"]: found["label_hash"] for found in self.emulator.labels(self.project)}
        labelled = [one for one in sorted(chosen) if self.data[one] in by_data]
        if not labelled:
            return
        hashes = [by_data[self.data[one]] for one in labelled]
        payload = {"action": "reopen" if reopen else "complete"}
        assert self.owner.get("labelworkflowgraphnode", "POST", hashes, payload, project=self.project) is True
        destination = "Annotate" if reopen else "Complete"
        for one in labelled:
            if self.expected[one].stage != destination:
                self.expected[one].arrive(destination, None, rejected=reopen)

    @rule(chosen=some_rows)
    def judge_labels(self, chosen: set[int]) -> None:
        for one in chosen:
            if self.expected[one].stage != "Review":
                continue
            path = f"{self.path('Review')}/tasks/{self.tasks[one]}/reviews"
            actions = [
                {"reviewUuid": review["reviewUuid"], "action": "REJECT", "comment": "no"}
                for review in self.owner.rest("GET", path).json["results"]
            ]
            assert self.owner.rest("POST", f"{path}/actions", actions).status == 200

    @rule(one=row)
    def annotate_and_submit(self, one: int) -> None:
        task = self.expected[one]
        if task.stage in ("Annotate", "Review"):
            self.emulator.annotate(self.project, data_hashes=[self.data[one]], objects_per_row=1, advance="submit")
            task.arrive(NEXT[task.stage], None)

    @invariant()
    def each_task_is_in_the_stage_that_the_model_says_and_in_no_other(self) -> None:
        seen: dict[str, str] = {}
        for title in self.stages:
            for task in self.listed(title):
                assert task["uuid"] not in seen
                seen[task["uuid"]] = title
                self._check(title, task)
        assert seen == {uuid: task.stage for uuid, task in zip(self.tasks, self.expected, strict=True)}

    def _check(self, title: str, task: dict[str, Any]) -> None:
        expected = self.expected[self.tasks.index(task["uuid"])]
        if title not in NOBODYS:
            assert (task["status"], task["assignee"]) == (expected.status, expected.assignee)
        if title == "Consensus":
            assert [subtask["status"] for subtask in task["subtasks"]] == expected.sub_statuses
            assert [one["assignee"] for one in task["subtasks"]] == expected.sub_assignees
            assert set(expected.sub_statuses) != {"COMPLETED"}
        if title == "Choose":
            done = [one for one in expected.sub_statuses if one == "COMPLETED"]
            assert len(task["options"]) == len(done)
        if title == "Review":
            self._check_reviews(task["uuid"])

    def _check_reviews(self, task: str) -> None:
        """One for each label, which no one changes while the task is in review."""
        data = self.data[self.tasks.index(task)]
        rows = [found for found in self.emulator.labels(self.project) if found["data_hash"] == data]
        labels = [one for found in rows for one in (*found["object_answers"], *found["classification_answers"])]
        reviews = self.owner.rest("GET", f"{self.path('Review')}/tasks/{task}/reviews").json["results"]
        assert sorted(review["labelId"] for review in reviews) == sorted(labels)

    @invariant()
    def the_metadata_of_label_rows_agrees(self) -> None:
        wanted = {"include_uninitialised_labels": True}
        rows = self.owner.get("labelrowmetadata", "GET", None, wanted, project=self.project)
        found = {metadata["data_hash"]: metadata for metadata in rows}
        for data, uuid, task in zip(self.data, self.tasks, self.expected, strict=True):
            metadata = found[data]
            assert metadata["workflow_graph_node"] == {"uuid": self.stages[task.stage], "title": task.stage}
            assert (metadata["task_uuid"], metadata["assigned_user_email"]) == (uuid, task.assignee)
            assert (metadata["last_actioned_by_user_email"] is not None) == task.acted
            assert metadata["priority"] == 0.5


@pytest.fixture(scope="module")
def machine() -> Iterator[type[Work]]:
    """The machine, playing on an emulator of this module's own."""
    with Emulator.start() as emulator:
        owner = Person(emulator.url, PEOPLE[0])
        emulator.authorize(owner.public_key, email=owner.email)
        yield type("Work", (Work,), {"emulator": emulator, "owner": owner})


def test_tasks_hold_together_whatever_is_done_to_them(machine: type[Work]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
