"""Pre-labels of a file into the label rows of a project: our import, and the floor.

The floor creates the rows and saves them with the labels that ours gave, over one bare session. It checks nothing.
Each contender is a process of its own, and so is the emulator, whose CPU is reported.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
from typing import Any

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from benchmarks.calls import CONTENDERS, EMAIL, cpu_seconds
from benchmarks.keyed_emulator import KeyedEmulator
from benchmarks.sizes import Sizes, parse
from demo.environment import EMULATOR_PYTHON
from encord_emulator.process import Emulator

UNITS = ("seconds", "cpu_us_per_row", "requests", "peak_mb")
OBJECTS_PER_ROW = 20


class Bench(KeyedEmulator):
    """One emulator, and a key for it."""

    def client(self) -> EncordClient:
        """Our client; not measured."""
        return EncordClient(SshKey.from_path(str(self.key_file)), Settings(base_url=self.emulator.url))

    def data_hashes(self, project: str) -> list[str]:
        """The data units of a project."""
        with self.client() as client:
            return [row.data_hash for row in client.project(project).label_rows()]

    def pre_labels(self, project: str, data_hashes: list[str]) -> pathlib.Path:
        """A file with boxes for each data unit."""
        with self.client() as client:
            ontology = client.project(project).ontology().editor_ontology
        feature = next(item["name"] for item in ontology["objects"] if item["shape"] == "bounding_box")
        draw = random.Random(0)
        path = self.folder / f"pre-labels-{len(data_hashes)}.jsonl"
        with path.open("w") as file:
            for data_hash in data_hashes:
                corners = [(draw.uniform(0, 0.5), draw.uniform(0, 0.5)) for _ in range(OBJECTS_PER_ROW)]
                boxes = [{"x": x, "y": y, "w": 0.25, "h": 0.25} for x, y in corners]
                objects = [{"feature": feature, "boundingBox": box, "confidence": 0.8} for box in boxes]
                file.write(json.dumps({"data_hash": data_hash, "objects": objects}) + "\n")
        return path

    def stored(self, data_hashes: list[str]) -> pathlib.Path:
        """A file with the labels of one row as they were stored by the last turn of ours, for other data units."""
        row = self._imported
        (unit,) = row["data_units"].values()
        labels = {"labels": unit["labels"], "object_answers": row["object_answers"], "data_hashes": data_hashes}
        path = self.folder / f"stored-{len(data_hashes)}.json"
        path.write_text(json.dumps(labels))
        return path

    def turn(self, contender: str, rows: int) -> dict[str, Any]:
        """One import by a contender into a new project, in a new process."""
        made = self.emulator.project(owner=EMAIL, title=f"{contender} {rows}", rows=rows)
        project, hashes = made["project_id"], self.data_hashes(made["project_id"])
        source = self.pre_labels(project, hashes) if contender == "ours" else self.stored(hashes)
        costs = self._costs(contender, project, source, rows)
        if contender == "ours":
            self._imported = self.emulator.labels(project, limit=1)[0]
        return costs

    def _costs(self, name: str, project: str, source: pathlib.Path, rows: int) -> dict[str, Any]:
        command = [sys.executable, str(CONTENDERS / f"import_{name}.py"), self.emulator.url, str(self.key_file)]
        self.emulator.clear_journal()
        before = cpu_seconds(self.emulator.process_id)
        done = subprocess.run([*command, project, str(source)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        costs = json.loads(done.stdout.splitlines()[-1])
        if costs["rows"] != rows:
            raise SystemExit(f"{costs['rows']} of {rows} rows were imported.")
        return {
            "rows": rows,
            "seconds": round(costs["seconds"], 3),
            "rows_per_second": round(costs["rows_per_second"], 1),
            "cpu_us_per_row": round(1e6 * costs["cpu_seconds"] / rows, 1),
            "requests": len(self.emulator.journal()),
            "peak_mb": round(costs["peak_mb"], 1),
            "emulator_cpu_us_per_row": round(1e6 * (cpu_seconds(self.emulator.process_id) - before) / rows, 1),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+")
    options = parse(parser, rows=Sizes([100, 1_000], [100, 1_000, 10_000]))
    python = os.environ.get("ENCORD_EMULATOR_PYTHON", str(EMULATOR_PYTHON))
    with tempfile.TemporaryDirectory() as folder, Emulator.start(python=python) as emulator:
        bench = Bench(emulator, pathlib.Path(folder))
        for rows in options.rows:
            ours = bench.turn("ours", rows)
            print(json.dumps({"what": "ours", **ours}), flush=True)
            floor = bench.turn("floor", rows)
            print(json.dumps({"what": "floor", **floor}), flush=True)
            print(json.dumps({"what": "ours/floor", "rows": rows, **{u: round(ours[u] / floor[u], 2) for u in UNITS}}))


if __name__ == "__main__":
    main()
