"""Histories of agents: a model that breaks, people who label and move the same tasks, with and without a cache."""

from __future__ import annotations

import collections
import json
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from airflow_provider_encord.agents import AgentResult, EditableLabels, LabelRowJson, Task
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.decorators.agent import encord_agent_task
from airflow_provider_encord.prelabels.labels import labels_of
from tests.airflow_layer.agent_stage import CAR, STAGES
from tests.histories.actions import Action, Crew, log_of, places_of, tasks_of
from tests.histories.imports import by_hand
from tests.histories.moves import PICKS, Live, Moves, Run

_SAVE = "labelrow POST"
_MOVE = "/actions"
_OUTCOMES = ("moved", "left", "routed", "skipped", "conflict", "failed")
_EDITS, _ADDS, _MOVES, _WHOLE_ROW = range(4)


class Agents(Moves):
    """Runs of one function on one agent stage."""

    FAULTS: ClassVar[list[dict[str, Any]]] = [
        {},
        {"path": "/actions$"},
        {"path": "/actions$"},
        {"path": "/tasks$", "method": "GET"},
        {"query_type": "labelrow", "query_method": "POST"},
        {"query_type": "labelrow", "query_method": "GET"},
        {"query_type": "labelrowmetadata"},
    ]
    PLAIN: ClassVar[dict[str, Any]] = {"report": True, "cache": True, "rows": 2, "commit_every": 2, "way": 0, "does": 0}
    crews: ClassVar[dict[str, Crew]] = {}
    """The account of who acts by hand, by the emulator's URL."""

    def __init__(self) -> None:
        super().__init__()
        self.report = self.directory / "report.jsonl"
        self.calls = self.directory / "calls"
        self.broken = self.directory / "broken.json"
        self.edits: collections.Counter[str] = collections.Counter()
        self.people: dict[str, dict[str, Any]] = {}
        self.kills = 0
        self.overlapped = self.late_move = self.in_doubt = False

    @initialize(
        report=st.booleans(),
        cache=st.booleans(),
        rows=st.integers(2, 5),
        commit_every=st.integers(1, 3),
        way=st.integers(0, 1),
        does=st.sampled_from([_EDITS, _EDITS, _ADDS, _MOVES, _WHOLE_ROW]),
    )
    def begin(self, report: bool, cache: bool, rows: int, commit_every: int, way: int, does: int) -> None:
        self.with_report, self.with_cache, self.does = report, cache, does
        template = self.emulator.template("agent", STAGES)["uuid"]
        project_id = self.account.project(rows=rows, template=template)["project_id"]
        self.owner = self.account.client()
        self.project = self.owner.project(project_id)
        (person,) = self.crews.setdefault(self.emulator.url, Crew(self.emulator)).join(self.project, [0])
        self.hand: EncordClient = person.client()
        self.stages = {stage.uuid: stage.title for stage in self.project.stages()}
        self.data = tasks_of(self.project)
        self.tasks = sorted(self.data)
        self._break([])
        self.options = {
            "project_id": project_id,
            "stage": "Pre-label",
            "commit_every": commit_every,
            "on_error": ("raise", "unsure")[way],
            **({"report": str(self.report)} if report else {}),
            **({"cache": str(self.directory / "cache")} if cache else {}),
        }

    # Airflow.

    def arguments(self, pick: int) -> dict[str, Any]:
        """Every third run is for named tasks, some of which may have left; for others there is something to do."""
        if pick > 4 and not self.live:
            self.somebody_puts_all_back()
        return {"task_ids": self.tasks if pick % 3 == 2 else None}

    def work(self, run: Run, context: dict[str, Any]) -> Any:
        named = {} if run.more["task_ids"] is None else {"task_ids": run.more["task_ids"]}
        decorate = encord_agent_task(task_id="task", **self.options, **named)
        return decorate(self._function())().operator.execute(context)

    def _function(self) -> Any:
        """What the user wrote: it notes that it is called, and may raise an error."""
        calls, broken, result = self.calls, self.broken, AgentResult("good", priority=0.5)

        def called(task: Task) -> None:
            raises = task.data_hash in json.loads(broken.read_text())
            with calls.open("a") as file:
                file.write(f"{task.data_hash} {'raises' if raises else 'returns'}\n")
            if raises:
                raise ValueError("the model is down")

        def edit(task: Task, labels: EditableLabels) -> AgentResult:
            called(task)
            labels.add_object("Car", boundingBox=CAR["boundingBox"])
            return result

        def add(task: Task) -> AgentResult:
            called(task)
            return AgentResult("good", {"objects": [CAR]})

        def move(task: Task) -> str:
            called(task)
            return "unsure"

        def whole_row(task: Task, row: LabelRowJson) -> AgentResult:
            called(task)
            return AgentResult("good", row, priority=0.25)

        return (edit, add, move, whole_row)[self.does]

    def about_to_run(self, run: Run) -> None:
        run.more["since"] = len(self._log())
        run.more["there"] = [task for task in self.tasks if self._place(task) == "Pre-label"]
        self.overlapped |= bool(self.live)
        self.late_move |= any(_MOVE in live.attempt.step for live in self.live)
        self.in_doubt |= bool(self.faults) or bool(self.live)

    def _after(self, live: Live, *, kill: bool = False, undisturbed: bool = False) -> None:
        if kill and live.attempt.end is None:
            self.kills += 1
            self.in_doubt = True
        super()._after(live, kill=kill, undisturbed=undisturbed)

    def _settle(self) -> None:
        self._break([])
        super()._settle()

    # The model, Encord and people.

    @rule(stop_at=st.integers(1, 30))
    def a_worker_dies(self, stop_at: int) -> None:
        """And the task is retried at once, so that every step is met in few histories."""
        self._end_all()
        self.somebody_puts_all_back()
        self.start_a_run(pick=0, stop_at=stop_at, kill=True)
        self.retry_or_clear(pick=0, stop_at=None, kill=False)

    @rule(pick=PICKS, number=st.integers(0, 2))
    def the_model_breaks(self, pick: int, number: int) -> None:
        """For some data units; for none, it works again."""
        self._break([self.data[self.tasks[(pick + one) % len(self.tasks)]] for one in range(number)])

    def _break(self, data_hashes: list[str]) -> None:
        self.broken.write_text(json.dumps(data_hashes))

    @rule(nth=st.integers(1, 3), times=st.integers(1, 2), saves=st.booleans())
    def encord_refuses_a_bundle(self, nth: int, times: int, saves: bool) -> None:
        refusal: dict[str, Any]
        if saves:
            match, refusal = {"query_type": "labelrow", "query_method": "POST"}, {"v1_error": "INVALID_ARGUMENTS_ERROR"}
        else:
            match, refusal = {"path": "/actions$"}, {"status": 400, "json": {"message": "not this bundle"}}
        when = {"nth": nth} if times == 1 else {"times": times}
        self.faults.append({"match": match, "when": when, "do": refusal})

    @rule(pick=PICKS, objects=st.integers(1, 2), seed=PICKS)
    def somebody_draws(self, pick: int, objects: int, seed: int) -> None:
        data_hash = self.data[self.tasks[pick % len(self.tasks)]]
        self.emulator.annotate(self.project.id, data_hashes=[data_hash], objects_per_row=objects, seed=seed)
        self.edits[data_hash] += 1
        self.people.pop(data_hash, None)
        if not any(_SAVE in live.attempt.step for live in self.live):  # else a save over it is on its way already
            self.people[data_hash] = self._rows()[data_hash]

    @rule(pick=PICKS, back=st.booleans())
    def somebody_moves_a_task(self, pick: int, back: bool) -> None:
        task = self.tasks[pick % len(self.tasks)]
        place, to = self._place(task), "Pre-label" if back else "Annotate"
        if place != to:
            self.hand.project(self.project.id).stage(place).move([task], to)

    @rule()
    def somebody_puts_all_back(self) -> None:
        """So that there is something to do again."""
        for title in ("Annotate", "Complete"):
            tasks = [task for task in self.tasks if self._place(task) == title]
            if tasks:
                self.hand.project(self.project.id).stage(title).move(tasks, "Pre-label")

    def meanwhile(self, pick: int) -> None:
        if pick % 2:
            self.somebody_draws(pick // 2, 1, pick)
        else:
            self.somebody_moves_a_task(pick // 2, False)

    # The truth.

    def _log(self) -> list[Action]:
        return log_of(self.project)

    def _place(self, task: str) -> str:
        return self.stages[places_of(self.project)[self.data[task]]]

    def _rows(self) -> dict[str, dict[str, Any]]:
        return {row["data_hash"]: row for row in self.emulator.labels(self.project.id)}

    def _lines(self) -> dict[str, dict[str, Any]]:
        lines = [json.loads(line) for line in self.report.read_text().splitlines()]
        found = {line["id"]: line for line in lines}
        assert len(found) == len(lines), "two lines about one task"
        return found

    def stretched(self) -> None:
        """People win, and nothing is drawn twice."""
        rows = self._rows()
        for data_hash, row in self.people.items():
            theirs, there = by_hand(row), by_hand(rows[data_hash])
            assert {key: there.get(key) for key in theirs} == theirs, "an edit is overwritten"
        for data_hash, row in rows.items():
            assert _ours(row) <= 1, f"drawn twice: {data_hash}"
        self._check_calls()

    def _check_calls(self) -> None:
        """With a cache, a model is not paid twice: but for an answer that was lost before it was stored."""
        if not self.with_cache or self.overlapped or not self.calls.exists():
            return
        answers = collections.Counter(line for line in self.calls.read_text().splitlines() if "returns" in line)
        more = sum(max(0, count - 1 - self.edits[line.split()[0]]) for line, count in answers.items())
        assert more <= self.kills, f"{more} calls of the model were repeated, after {self.kills} kills"

    def green(self, run: Run, result: Any, *, undisturbed: bool) -> None:
        assert sum(result[name] for name in _OUTCOMES) == result["tasks"], result
        assert result["failed"] == 0
        log = self._log()
        others = {one.task for one in log[run.more["since"] :] if one.actor != self.account.email}
        if undisturbed:
            expected = self.tasks if run.more["task_ids"] else run.more["there"]
            assert result["tasks"] == len(expected)
            if not self.in_doubt:
                assert result["conflict"] == 0, result
                left = [task for task in expected if self._place(task) == "Pre-label"]
                assert not left, f"not handled: {left}"
        if self.with_report:
            self._check_report(run, others, log)

    def _check_report(self, run: Run, others: set[str], log: list[Action]) -> None:
        """Each task that was handled has a line, which says what was done; and nothing else was done."""
        lines = self._lines()
        missing = set(run.more["there"]) - others - set(lines)
        assert not missing, f"tasks without a line: {missing}"
        for task in self.tasks:
            actions = [one for one in log if one.task == task]
            ours = [one for one in actions if one.actor == self.account.email]
            line = lines.get(task)
            if line is not None and line["outcome"] == "updated" and not (self.in_doubt and actions):
                assert ours, f"{task} is reported as moved: {actions}"
            if not ours or self.late_move:
                continue
            if actions[-1] is ours[-1]:
                assert line is not None, f"{task} was moved, and has no line"
                assert line["pathway"], f"{task} was moved: {line}"
            elif not self.in_doubt:  # else it is not known which of the two moves is in the report
                assert line is not None, f"{task} was moved, and has no line"

    def settled(self) -> None:
        self.stretched()
        places = places_of(self.project)
        here = [task for task in self.tasks if self.stages[places[self.data[task]]] == "Pre-label"]
        assert not here, f"left in the stage: {here}"

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            for client in (self.owner, self.hand):
                client.close()


def _ours(row: dict[str, Any]) -> int:
    """How many objects of the row are those that the function draws."""
    drawn = [one for found in labels_of(row).objects.values() for one in found]
    return sum(one.get("boundingBox") == CAR["boundingBox"] for one in drawn)
