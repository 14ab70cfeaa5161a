"""Histories of imports: a model that changes its mind, people who correct its labels, with and without a report."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from airflow_provider_encord.client.api.labels import save_label_rows
from airflow_provider_encord.operators.labels import EncordImportLabelsOperator
from airflow_provider_encord.prelabels.labels import content_of, labels_of
from tests.histories.moves import PICKS, Moves, Run

_PERSON = {
    "feature": "Person",
    "polygon": {"0": {"x": 0.1, "y": 0.1}, "1": {"x": 0.5, "y": 0.1}, "2": {"x": 0.3, "y": 0.6}},
}
_SAVE = "labelrow POST"
_OUTCOMES = ("created", "updated", "unchanged", "skipped", "conflict", "failed")


def _lines(data_hashes: list[str], version: int) -> list[dict[str, Any]]:
    box = {"x": 0.1, "y": 0.1 * version, "w": 0.3, "h": 0.2}
    objects = [{"feature": "Car", "boundingBox": box}, *([_PERSON] if version % 2 else [])]
    weather = [{"feature": "Weather", "answer": "Heavy snow"}] if version < 2 else []
    return [{"data_hash": data_hash, "objects": objects, "classifications": weather} for data_hash in data_hashes]


class Imports(Moves):
    """Imports into one project."""

    FAULTS: ClassVar[list[dict[str, Any]]] = [
        {},
        {"query_type": "labelrow", "query_method": "POST"},
        {"query_type": "labelrow", "query_method": "GET"},
        {"query_type": "labelrow", "query_method": "PUT"},
        {"query_type": "labelrowmetadata"},
    ]
    PLAIN: ClassVar[dict[str, Any]] = {"report": True, "rows": 2, "if_exists": "merge"}

    @initialize(
        report=st.booleans(),
        rows=st.integers(2, 4),
        if_exists=st.sampled_from(["skip", "skip", "merge", "overwrite"]),
    )
    def begin(self, report: bool, rows: int, if_exists: str) -> None:
        self.with_report, self.if_exists = report, if_exists
        self.report, self.source = self.directory / "report.jsonl", self.directory / "labels.jsonl"
        project = self.account.project(rows=rows, created=0.0)
        self.project, self.data_hashes = project["project_id"], sorted(project["data_hashes"])
        self.people: dict[str, dict[str, Any]] = {}
        self.touched: set[str] = set()
        self.slack = False
        self.options = {
            "project_id": self.project,
            "source": str(self.source),
            "if_exists": if_exists,
            **({"report": str(self.report)} if report else {}),
        }
        self.the_model_changes(0)

    @rule(version=st.integers(0, 3), first=st.integers(0, 3), number=st.integers(1, 4))
    def the_model_changes(self, version: int, first: int = 0, number: int = 4) -> None:
        if self.live:
            return  # the source is read twice: that is the history of somebody who writes over what is being read
        self.rows = [*self.data_hashes[first:], *self.data_hashes[:first]][:number]
        lines = _lines(self.rows, version)
        self.source.write_text("".join(json.dumps(line) + "\n" for line in lines))

    @rule(pick=PICKS, objects=st.integers(1, 2), seed=PICKS)
    def somebody_draws(self, pick: int, objects: int, seed: int) -> None:
        one = self.data_hashes[pick % len(self.data_hashes)]
        self.emulator.annotate(self.project, data_hashes=[one], objects_per_row=objects, seed=seed)
        self._saved(one)

    @rule(pick=PICKS)
    def somebody_deletes_an_object(self, pick: int) -> None:
        one = self.data_hashes[pick % len(self.data_hashes)]
        row = self._truth().get(one)
        if row is None:
            return
        with self.account.client() as client:
            (read,) = (it.decoded() for it in client.project(self.project).read_label_rows([row["label_hash"]]))
            objects = next(iter(read["data_units"].values()))["labels"]["objects"]
            if not objects:
                return
            read["object_answers"].pop(objects.pop()["objectHash"], None)
            read.pop("is_valid", None)
            client.send(save_label_rows(self.project, [row["label_hash"]], [{**read, "is_shadow_data": False}]))
        self._saved(one)

    def _saved(self, data_hash: str) -> None:
        """Remember what somebody saved; unless a save over it is on its way already."""
        self.touched.add(data_hash)
        self.people.pop(data_hash, None)
        row = self._truth()[data_hash]
        if labels_of(row).count and not any(_SAVE in live.attempt.step for live in self.live):
            self.people[data_hash] = row

    def meanwhile(self, pick: int) -> None:
        self.somebody_draws(pick, 1, pick)

    def work(self, run: Run, context: dict[str, Any]) -> Any:
        return EncordImportLabelsOperator(task_id="task", **self.options).execute(context)

    def about_to_run(self, run: Run) -> None:
        if any(_SAVE in live.attempt.step for live in self.live):
            self.slack = True  # that save comes late, and nothing can call it back

    def stretched(self) -> None:
        """People win."""
        truth = self._truth()
        for data_hash, row in self.people.items():
            held = truth[data_hash]
            if self.if_exists == "skip":
                assert content_of(labels_of(held)) == content_of(labels_of(row)), "an edit is overwritten"
            elif self.if_exists == "merge":
                theirs, there = by_hand(row), by_hand(held)
                assert {key: there.get(key) for key in theirs} == theirs, "an edit is overwritten"

    def green(self, run: Run, result: Any, *, undisturbed: bool) -> None:
        assert sum(result[name] for name in _OUTCOMES) == len(self.rows), result
        assert result["failed"] == 0
        if self.with_report and undisturbed:
            lines, truth = self._told(), self._truth()
            assert len(lines) == len(self.rows)
            for name in _OUTCOMES:
                assert sum(line["outcome"] == name for line in lines) == result[name]
            for line in lines:
                row = truth[line["data_hash"]]
                assert line["id"] == row["label_hash"]
                if line["content"] and line["outcome"] in ("created", "updated", "unchanged"):
                    assert line["content"] == content_of(labels_of(row)), line

    def settled(self) -> None:
        self.stretched()
        self.the_model_changes(0)  # of all rows
        if self.slack or not (self.with_report or self.if_exists == "overwrite"):
            return
        for _ in range(2):
            self.start_a_run(pick=0, stop_at=None, kill=False)
        end = self.runs[-1].end
        assert end is not None
        if self.if_exists == "overwrite":
            assert end.result["unchanged"] == len(self.data_hashes), end
        else:
            left = [line for line in self._told() if line["outcome"] != "unchanged"]
            assert not [line for line in left if line["data_hash"] not in self.touched], left

    def _told(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.report.read_text().splitlines()]

    def _truth(self) -> dict[str, dict[str, Any]]:
        return {row["data_hash"]: row for row in self.emulator.labels(self.project)}


def by_hand(row: dict[str, Any]) -> dict[str, Any]:
    """What somebody drew, by hash."""
    return {
        drawn["objectHash"]: {key: drawn[key] for key in ("boundingBox", "polygon", "name") if key in drawn}
        for found in labels_of(row).objects.values()
        for drawn in found
        if drawn.get("manualAnnotation")
    }
