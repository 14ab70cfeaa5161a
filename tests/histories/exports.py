"""Histories of incremental exports: a chain of days, in any order, while people label and remove data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from airflow_provider_encord.exports.file_names import PLAN
from airflow_provider_encord.exports.incremental import links
from airflow_provider_encord.exports.listing_file import read_rows
from airflow_provider_encord.exports.manifest import read_manifest
from airflow_provider_encord.exports.verify import verify_files
from airflow_provider_encord.operators.labels import EncordExportLabelsOperator
from tests.histories.moves import PICKS, Moves, Run


class Exports(Moves):
    """Exports of one project, a directory for each day."""

    FAULTS: ClassVar[list[dict[str, Any]]] = [
        {},
        {"query_type": "labelrowmetadata"},
        {"query_type": "labelrow", "query_method": "GET"},
    ]
    PLAIN: ClassVar[dict[str, Any]] = {"rows": 3, "created": 1.0, "max_shard_bytes": 1, "batch_size": 2}

    def __init__(self) -> None:
        super().__init__()
        self.chain = self.directory / "chain"
        self.without_owner: set[Path] = (
            set()
        )  # directories whose plan was damaged: whose they are is not known any more

    @initialize(
        rows=st.integers(3, 6),
        created=st.sampled_from([0.0, 0.5, 1.0]),
        max_shard_bytes=st.sampled_from([1, 1500, 2**26]),
        batch_size=st.integers(1, 3),
    )
    def begin(self, rows: int, created: float, max_shard_bytes: int, batch_size: int) -> None:
        project = self.account.project(rows=rows, created=created, objects_per_row=1)
        self.project, self.dataset = project["project_id"], project["dataset_id"]
        self.data_hashes = list(project["data_hashes"])
        self.options = {
            "project_id": self.project,
            "incremental": True,
            "lookback_seconds": 0.001,
            "max_shard_bytes": max_shard_bytes,
            "batch_size": batch_size,
            "max_concurrency": 1,
        }

    def arguments(self, pick: int) -> dict[str, Any]:
        """Days come in any order: pick 0 is a new day, others backfill."""
        return {"day": len(self.runs) * 2 - 3 * (pick % 3), "overwrite": pick % 4 == 3}

    @rule(pick=PICKS, more=st.integers(0, 2), count=st.integers(1, 3))
    def somebody_labels(self, pick: int, more: int, count: int) -> None:
        if self.data_hashes:
            chosen = [self.data_hashes[(pick + one) % len(self.data_hashes)] for one in range(count)]
            self.emulator.annotate(self.project, data_hashes=chosen, objects_per_row=more, seed=pick)

    @rule(pick=PICKS)
    def somebody_removes_data(self, pick: int) -> None:
        if len(self.data_hashes) > 1:
            gone = self.data_hashes.pop(pick % len(self.data_hashes))
            with self.account.client() as client:
                client.dataset(self.dataset).remove_data_rows([gone])

    @rule(pick=PICKS)
    def somebody_removes_an_export(self, pick: int) -> None:
        days = sorted(self.chain.glob("day-*"))
        if days and not self.live:
            shutil.rmtree(days[pick % len(days)])

    @rule(pick=PICKS, cut=st.booleans())
    def a_file_is_damaged(self, pick: int, cut: bool) -> None:
        files = sorted(path for path in self.chain.glob("day-*/*") if path.is_file())
        if files and not self.live:
            path = files[pick % len(files)]
            if path.name == PLAN:
                self.without_owner.add(path.parent)
            if cut:
                path.write_bytes(path.read_bytes()[:-1])
            else:
                path.unlink()

    def meanwhile(self, pick: int) -> None:
        self.somebody_labels(pick, 1, 1)
        if pick == 0:
            self.somebody_removes_data(pick)

    def work(self, run: Run, context: dict[str, Any]) -> Any:
        return EncordExportLabelsOperator(
            task_id="task",
            destination=str(self._directory_of(run)),
            overwrite=run.more["overwrite"],
            **self.options,
        ).execute(context)

    def _directory_of(self, run: Run) -> Path:
        return self.chain / f"day-{run.more['day']:03}"

    def about_to_run(self, run: Run) -> None:
        directory = self._directory_of(run)
        run.more["made"] = not (directory / "manifest.json").exists() or run.more["overwrite"]
        run.more["begun"] = (directory / "plan.json").exists()  # by an attempt that listed the rows then

    def failed_for_good(self, run: Run) -> None:
        """A directory whose plan somebody deleted or cut is refused, as its files may be anything."""
        if self._directory_of(run) not in self.without_owner:
            super().failed_for_good(run)

    def green(self, run: Run, result: Any, *, undisturbed: bool) -> None:
        directory = self._directory_of(run)
        if not undisturbed:
            return
        manifest = read_manifest(directory)
        assert result["rows"] == manifest.counts.exported
        assert list(manifest.counts.problems()) == []
        if run.more["made"]:
            assert list(verify_files(directory, manifest)) == []
            if not run.more["begun"]:
                self._check_replay(run)

    def settled(self) -> None:
        self._check_replay(self.runs[-1])

    def _check_replay(self, run: Run) -> None:
        """Applying the chain in order gives the labels as they are."""
        directory = self._directory_of(run)
        held: dict[str, Any] = {}
        for place, manifest in links(self.chain, read_manifest(directory)):
            for shard in manifest.shards:
                for line in (place / shard.name).read_bytes().splitlines():
                    row = json.loads(line)
                    held[row["label_hash"]] = row
            if manifest.removed:
                for row, _ in read_rows(place, manifest.removed):
                    held.pop(row.label_hash, None)
        truth = {row["label_hash"]: row for row in self.emulator.labels(self.project)}
        assert set(held) == set(truth)
        for key, row in truth.items():
            assert _labels(held[key]) == _labels(row), key


def _labels(row: dict[str, Any]) -> Any:
    units = {key: unit["labels"] for key, unit in row["data_units"].items()}
    return units, row["object_answers"], row["classification_answers"]
