"""Histories of operators on workflow tasks. Each run has an account, so the emulator knows which run did what."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.operators.workflow import (
    EncordAssignTasksOperator,
    EncordMoveTasksOperator,
    EncordProceedTasksOperator,
    EncordReleaseTasksOperator,
    EncordReopenTasksOperator,
    EncordRevertTasksOperator,
    EncordReviewTasksOperator,
    EncordSetPriorityOperator,
    EncordSubmitTasksOperator,
)
from tests.airflow_layer.bench import Account
from tests.client.emulated_workflow import STAGES
from tests.histories.actions import Action, Crew, log_of, places_of, tasks_of
from tests.histories.moves import PICKS, Moves, Run
from tests.histories.processes import FAIL, GREEN, Attempt

MOVE, SUBMIT, APPROVE, REJECT, REOPEN, PROCEED = "move", "submit", "approve", "reject", "reopen", "proceed"
ASSIGN, RELEASE, PRIORITIZE, REVERT = "assign", "release", "prioritize", "revert"
_OPERATORS: dict[str, type] = {
    MOVE: EncordMoveTasksOperator,
    SUBMIT: EncordSubmitTasksOperator,
    APPROVE: EncordReviewTasksOperator,
    REJECT: EncordReviewTasksOperator,
    REOPEN: EncordReopenTasksOperator,
    PROCEED: EncordProceedTasksOperator,
    ASSIGN: EncordAssignTasksOperator,
    RELEASE: EncordReleaseTasksOperator,
    PRIORITIZE: EncordSetPriorityOperator,
    REVERT: EncordRevertTasksOperator,
}
_KINDS = {
    "Annotate": [MOVE, SUBMIT, ASSIGN, RELEASE, PRIORITIZE],
    "Review": [MOVE, APPROVE, REJECT, ASSIGN, RELEASE],
    "Complete": [MOVE, REOPEN, REOPEN, PRIORITIZE],
    "Archive": [MOVE, REOPEN],
    "Agent": [MOVE, PROCEED, PROCEED, PRIORITIZE],
}
_WITH_ASSIGNEES = ("Annotate", "Review")
_REVIEWED = [MOVE, APPROVE, REJECT]
_CHANGING = ("/actions", "/move-tasks", "/priorities", "labelworkflowgraphnode")
_REFUSED = "tasks could not be changed"
_PEOPLE = 3  # the first accounts: who acts by hand, and two who are assigned
_WHO_ACTS = 0


class TaskChanges(Moves):
    """Changes of the tasks of one project, each with a report of its own."""

    FAULTS: ClassVar[list[dict[str, Any]]] = [
        {},
        {"path": "/(actions|move-tasks|priorities)$"},
        {"path": "/(actions|move-tasks|priorities)$"},
        {"path": "/tasks$", "method": "GET"},
        {"query_type": "labelworkflowgraphnode"},
        {"query_type": "labelrowmetadata"},
    ]
    PLAIN: ClassVar[dict[str, Any]] = {"rows": 2, "batch_size": 1, "place": 0, "assigned": 1}
    crews: ClassVar[dict[str, Crew]] = {}
    """Accounts by the emulator's URL."""

    def __init__(self) -> None:
        super().__init__()
        self.plans: list[dict[str, Any]] = []
        self.late: set[tuple[int, str]] = set()
        self.unclean: set[int] = set()
        self.zombies: set[int] = set()
        self.beginning: Run | None = None

    @initialize(
        rows=st.integers(2, 5),
        batch_size=st.integers(1, 3),
        place=st.integers(0, len(_KINDS) - 1),
        assigned=st.integers(0, 2),
    )
    def begin(self, rows: int, batch_size: int, place: int, assigned: int) -> None:
        template = self.emulator.template("every type", STAGES)["uuid"]
        project_id = self.account.project(rows=rows, created=1.0, template=template)["project_id"]
        self.owner = self.account.client()
        self.project = self.owner.project(project_id)
        self.crew = self.crews.setdefault(self.emulator.url, Crew(self.emulator))
        self.people = self.crew.join(self.project, range(_PEOPLE))
        self.hand: EncordClient = self.people[_WHO_ACTS].client()
        self.stages = {stage.uuid: stage.title for stage in self.project.stages()}
        self.data = tasks_of(self.project)
        self.tasks = sorted(self.data)
        self.batch_size = batch_size
        title = list(_KINDS)[place]
        if title != "Annotate":
            self.project.stage("Annotate").move(self.tasks, title)
        if assigned and title in _WITH_ASSIGNEES:
            self.project.stage(title).assign(self.tasks[:assigned], self.people[1].email)

    # Airflow.

    def arguments(self, pick: int) -> dict[str, Any]:
        """A change that suits the stage with the most tasks; or a plan that was made before, or a revert."""
        if pick == 6 and self.plans:
            return self.plans.pop()
        if pick == 7 and self.runs:
            return {"kind": REVERT, "of": len(self.runs) // 2}
        counts = dict.fromkeys(_KINDS, 0)
        for place in self._places().values():
            counts[place] += 1
        stage = max(counts, key=lambda title: (counts[title], title))
        kinds = _KINDS[stage]
        kind = kinds[(pick + len(self.runs)) % len(kinds)]
        return {"kind": kind, "stage": stage, "more": self._more(kind, stage, pick)}

    def _more(self, kind: str, stage: str, pick: int) -> dict[str, Any]:
        """The arguments that only operators of this kind have."""
        if kind == MOVE:
            others = [title for title in _KINDS if title != stage]
            return {"to_stage": others[pick % len(others)]}
        if kind in (APPROVE, REJECT):
            return {"verdict": kind}
        if kind == ASSIGN:
            return {"assignee": [person.email for person in self.people[1:]]}
        if kind == PROCEED:
            return {"pathway": ("yes", "no")[pick % 2]}
        return {"priority": pick / 8 + 0.01} if kind == PRIORITIZE else {}

    def work(self, run: Run, context: dict[str, Any]) -> Any:
        os.environ[f"AIRFLOW_CONN_RUN_{run.number}"] = self._account(run).connection()
        more = run.more
        arguments = {"report": str(self._report(run)), "batch_size": self.batch_size}
        if more["kind"] == REVERT:
            arguments["source"] = str(self._report(self.runs[more["of"]]))
        else:
            arguments |= {"project_id": self.project.id}
            arguments |= {"plan": more["plan"]} if "plan" in more else {"stage": more["stage"], **more["more"]}
            if "plan" in more and more["kind"] in (APPROVE, REJECT):
                arguments["verdict"] = more["kind"]
        operator = _OPERATORS[more["kind"]](task_id="task", encord_conn_id=f"run_{run.number}", **arguments)
        return operator.execute(context)

    def _account(self, run: Run) -> Account:
        if "account" not in run.more:
            (run.more["account"],) = self.crew.join(self.project, [_PEOPLE + run.number])
        account: Account = run.more["account"]
        return account

    def _report(self, run: Run) -> Path:
        return self.directory / f"report-{run.number}.jsonl"

    def about_to_run(self, run: Run) -> None:
        self._account(run)
        self.beginning = run
        if run.end is None or run.end.kind == GREEN:  # it makes a plan; others may continue with one
            run.more["selections"] = run.more.get("selections", 0) + 1
            run.more["since"] = len(self._log())
            run.more["waiting"] = self._waiting(run)
        if run.tries > 1 and (run.end is None or run.end.kind != GREEN):
            self.unclean.add(run.number)
        others = [live for live in self.live if live.run is run]
        if others:
            self.unclean.add(run.number)
        if any(_is_sent(live.attempt.step) for live in others):
            self.zombies.add(run.number)  # that request comes late, and nothing can call it back

    def _waiting(self, run: Run) -> list[str]:
        """The tasks that the run selects if nothing changes."""
        if run.more["kind"] == REVERT:
            return []
        if "plan" in run.more:
            return list(run.more["planned"])
        places = self._places()
        return [task for task in self.tasks if places[self.data[task]] == run.more["stage"]]

    @contextlib.contextmanager
    def _faults(self) -> Iterator[None]:
        if self.faults:
            self.unclean |= {live.run.number for live in self.live}
            if self.beginning is not None:
                self.unclean.add(self.beginning.number)
        self.beginning = None
        with super()._faults():
            yield

    def failed_for_good(self, run: Run) -> None:
        """What a person must look at: tasks that Encord refused, or a report that there is not."""
        text = run.end.text if run.end else ""
        nothing = run.more["kind"] == REVERT and "does not exist. Pass the report" in text
        if not nothing and _REFUSED not in text:
            super().failed_for_good(run)

    @rule(nth=st.integers(1, 4), times=st.integers(1, 3), once=st.booleans())
    def encord_refuses_a_bundle(self, nth: int, times: int, once: bool) -> None:
        refusal = {"status": 400, "json": {"message": "not this bundle"}}
        when = {"nth": nth} if once else {"times": times}
        self.faults.append({"match": self.FAULTS[1], "when": when, "do": refusal})

    # People.

    @rule(pick=st.integers(0, 5), stop_at=st.integers(1, 30))
    def a_worker_dies(self, pick: int, stop_at: int) -> None:
        """And the task is retried at once, so that every step is met in few histories."""
        self._end_all()
        self.start_a_run(pick=pick, stop_at=stop_at, kill=True)
        self.retry_or_clear(pick=0, stop_at=None, kill=False)

    @rule(pick=PICKS, to=st.integers(0, len(_KINDS) - 1))
    def somebody_moves_a_task(self, pick: int, to: int) -> None:
        task = self.tasks[pick % len(self.tasks)]
        place, destination = self._places()[self.data[task]], list(_KINDS)[to]
        if destination != place:
            self._touched(task)
            self._by_hand(place).move([task], destination)

    @rule(pick=PICKS, keep=st.booleans())
    def somebody_takes_a_task_or_gives_it_back(self, pick: int, keep: bool) -> None:
        task = self.tasks[pick % len(self.tasks)]
        place = self._places()[self.data[task]]
        if place in _WITH_ASSIGNEES:
            self._touched(task)
            if keep:
                self._by_hand(place).assign([task], self.people[_WHO_ACTS].email)
            else:
                self._by_hand(place).release([task])

    @rule(pick=PICKS)
    def somebody_labels_and_submits(self, pick: int) -> None:
        task = self.tasks[pick % len(self.tasks)]
        if self._places()[self.data[task]] in _WITH_ASSIGNEES:
            self._touched(task)
            email = self.people[_WHO_ACTS].email
            self.emulator.annotate(self.project.id, data_hashes=[self.data[task]], email=email, advance="submit")

    @rule(pick=PICKS)
    def somebody_makes_a_plan(self, pick: int) -> None:
        change = self.arguments(pick % 6)
        path = self.directory / f"plan-{len(self.plans)}-{len(self.runs)}-{pick}.jsonl"
        if path.exists():
            return
        operator = _OPERATORS[change["kind"]](
            task_id="plan",
            project_id=self.project.id,
            stage=change["stage"],
            report=str(path),
            preview=True,
            **change["more"],
        )
        made = Attempt(lambda: operator.execute({}), self.directory).end
        assert made is not None
        assert made.kind == GREEN, made.text
        planned = [json.loads(line)["id"] for line in path.read_text().splitlines()]
        self.plans.append({"kind": change["kind"], "plan": str(path), "planned": planned})

    @rule(pick=PICKS)
    def somebody_corrects_an_argument(self, pick: int) -> None:
        """The next attempt of a run is about another destination."""
        runs = [run for run in self.runs if run.more["kind"] == MOVE and "more" in run.more]
        if runs:
            more = runs[pick % len(runs)].more
            others = [title for title in _KINDS if title not in (more["stage"], more["more"]["to_stage"])]
            more["more"] = {"to_stage": others[pick % len(others)]}

    def meanwhile(self, pick: int) -> None:
        if pick % 2:
            self.somebody_takes_a_task_or_gives_it_back(pick // 2, pick < 6)
        else:
            self.somebody_moves_a_task(pick // 2, pick // 2 + 1)

    def _by_hand(self, stage: str) -> Any:
        return self.hand.project(self.project.id).stage(stage)

    def _touched(self, task: str) -> None:
        """Somebody is about to act; too late for a request that is on its way already."""
        self.late |= {(live.run.number, task) for live in self.live if _is_sent(live.attempt.step)}

    # The truth.

    def _log(self) -> list[Action]:
        return log_of(self.project)

    def _places(self) -> dict[str, str]:
        return {data: self.stages[stage] for data, stage in places_of(self.project).items()}

    def _lines(self, run: Run) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._report(run).read_text().splitlines()]

    def green(self, run: Run, result: Any, *, undisturbed: bool) -> None:
        lines = self._lines(run)
        outcomes = _outcomes(lines)
        assert result["tasks"] == len(outcomes)
        for name in ("updated", "unchanged", "skipped", "failed"):
            assert result[name] == sum(outcome == name for outcome in outcomes.values()), (name, result)
        log = self._log()
        others = {one.task for one in log[run.more["since"] :] if one.actor != self._account(run).email}
        missing = set(run.more["waiting"]) - others - set(outcomes)
        assert not missing, f"tasks without a line: {missing}"
        self._check_what_was_done(run, lines, log)
        if undisturbed:
            self._check_where_tasks_are(run, lines, log)

    def _check_where_tasks_are(self, run: Run, lines: list[dict[str, Any]], log: list[Action]) -> None:
        """Every task that the report says was brought somewhere, and that only this run has acted on since."""
        email, places = self._account(run).email, self._places()
        last = {one.task: one.actor for one in log}
        for line in lines:
            brought = line["outcome"] == "updated" and line["new_stage_id"]
            if brought and last.get(line["id"]) == email and run.number not in self.unclean:
                assert places[line["data_hash"]] == self.stages[line["new_stage_id"]], line
        if run.more["kind"] == PRIORITIZE and run.number not in self.unclean:
            priorities = {row.data_hash: row.priority for row in self.project.label_rows()}
            for line in lines:
                if line["outcome"] in ("updated", "unchanged"):
                    assert priorities[line["data_hash"]] == line["new_priority"], line

    def _check_what_was_done(self, run: Run, lines: list[dict[str, Any]], log: list[Action]) -> None:
        """What the report says the run did, it did; and it did nothing else, and nothing twice."""
        if run.more["kind"] == PRIORITIZE or (run.more["kind"] == REVERT and not lines):
            return
        ours, about = self._account(run).email, {task: [one for one in log if one.task == task] for task in self.tasks}
        reported = {line["id"]: line["action"] for line in lines if line["outcome"] == "updated"}
        for task, actions in about.items():
            mine = [place for place, one in enumerate(actions) if one.actor == ours]
            follows = bool(mine) and any(one.actor != ours for one in actions[mine[-1] :])
            since = [one for one in log[run.more["since"] :] if one.task == task and one.actor != ours]
            doubt = run.number in self.zombies or (run.number in self.unclean and (follows or bool(since)))
            if doubt:  # it cannot know whether the request before was carried out
                continue
            if reported.get(task) != PRIORITIZE:
                assert bool(mine) == (task in reported), f"{task}: {reported.get(task)} is reported, done: {actions}"
            leaving = [place for place in mine if actions[place].leaves]
            assert len(leaving) <= run.more["selections"], f"{task}: done twice: {actions}"
        self._check_people(run, lines, about)

    def _check_people(self, run: Run, lines: list[dict[str, Any]], about: dict[str, list[Action]]) -> None:
        """What a person has taken is not given to another one, and is released only if the plan says so."""
        if run.more["kind"] not in (ASSIGN, RELEASE):
            return
        ours, person = self._account(run).email, self.people[_WHO_ACTS].email
        planned = {line["id"] for line in lines if line["assignee"] == person}
        for task, actions in about.items():
            for before, after in itertools.pairwise(actions):
                taken = (before.actor, before.kind, after.actor) == (person, "assign", ours) and not after.leaves
                wanted = after.kind == "release" and task in planned
                assert not taken or wanted or (run.number, task) in self.late, f"{task} was somebody's: {actions}"

    def settled(self) -> None:
        for run in self.runs:
            if run.end is not None and run.end.kind == FAIL and self._report(run).exists():
                self._check_what_was_done(run, self._lines(run), self._log())
        self._check_revert()

    def _check_revert(self) -> None:
        """The last change is undone, and every task that it changed is where it was before."""
        changed = self._lines(self.runs[-1])
        target = len(self.runs) - 1
        self.runs.append(Run(len(self.runs), self.runs[-1].state, {"kind": REVERT, "of": target}))
        self._start(self.runs[-1], None, kill=False)
        end = self.runs[-1].end
        assert end is not None
        assert end.kind == GREEN, end.text
        places = self._places()
        for line in changed:
            if line["outcome"] == "updated" and line["stage_id"]:
                assert places[line["data_hash"]] == self.stages[line["stage_id"]], line

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            for client in (self.owner, self.hand):
                client.close()


def _outcomes(lines: list[dict[str, Any]]) -> dict[str, str]:
    """The outcome of each task. A task that failed after it was changed has two lines, so that it can be undone."""
    found: dict[str, str] = {}
    for line in lines:
        name = line["id"] or line["data_hash"]
        again = found.get(name) == "updated" and line["outcome"] == "failed"
        assert name not in found or again, f"two lines about {name}"
        found[name] = line["outcome"]
    return found


def _is_sent(step: str) -> bool:
    """Whether a change follows without another look: the request itself, or the note before it."""
    return ".parts/sent-" in step or (step.startswith("POST") and any(part in step for part in _CHANGING))
