"""All labels of a project to disk: our export, the vendor's SDK as its guide has it, and the floor.

The floor is the same rows over one bare session, bytes to disk, one request after the other. Each contender is a
process of its own, and so is the emulator, whose CPU is reported.

Every row of every project has labels, so that all contenders read the same; what the SDK's recipe does to rows without
is in its changing requests: none here, one for each hundred such rows else.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from typing import Any

from benchmarks.calls import CONTENDERS, EMAIL, cpu_seconds
from benchmarks.keyed_emulator import KeyedEmulator
from benchmarks.sizes import Sizes, parse
from demo.environment import EMULATOR_PYTHON
from encord_emulator.process import Emulator
from tests.sdk.environments import SSH_SDK, interpreter

UNITS = ("rows_per_second", "cpu_us_per_row", "requests", "peak_mb", "seconds")
PROJECTS: dict[str, dict[str, Any]] = {
    "100": {"rows": 100, "objects_per_row": 20},
    "1,000": {"rows": 1_000, "objects_per_row": 20},
    "10,000": {"rows": 10_000, "objects_per_row": 20},
    "100,000 small": {"rows": 100_000, "objects_per_row": 1},
    "10 heavy videos": {"rows": 10, "kind": "video", "frames": 7_000, "objects_per_row": 6_667},
}
"""An object of a video lasts three frames: 20,000 annotations each."""


class Bench(KeyedEmulator):
    """One emulator, and a key for it."""

    def contenders(self, *, sdk: bool) -> dict[str, list[str]]:
        """Commands, without the project and the destination."""
        access = [self.emulator.url, str(self.key_file)]
        found = {name: [sys.executable, str(CONTENDERS / f"export_{name}.py"), *access] for name in ("ours", "floor")}
        if sdk:
            found["sdk"] = [str(interpreter(SSH_SDK)), str(CONTENDERS / "export_sdk.py"), *access]
        return found

    def turn(self, command: list[str], project: str, rows: int) -> dict[str, Any]:
        """One export by a contender, in a new process."""
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.unlink(missing_ok=True)
        self.emulator.clear_journal()
        before = cpu_seconds(self.emulator.process_id)
        done = subprocess.run([*command, project, str(out)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        costs = json.loads(done.stdout.splitlines()[-1])
        if costs["rows"] != rows:
            raise SystemExit(f"{costs['rows']} of {rows} rows were exported.")
        journal = self.emulator.journal()
        return {
            "seconds": round(costs["seconds"], 3),
            "rows_per_second": round(costs["rows_per_second"], 1),
            "cpu_us_per_row": round(1e6 * costs["cpu_seconds"] / rows, 1),
            "peak_mb": round(costs["peak_mb"], 1),
            "requests": len(journal),
            "changing_requests": sum(entry["changes"] for entry in journal),
            "emulator_cpu_us_per_row": round(1e6 * (cpu_seconds(self.emulator.process_id) - before) / rows, 1),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", nargs="+", choices=list(PROJECTS))
    parser.add_argument("--turns", type=int, default=2, help="the quickest of so many counts")
    parser.add_argument("--without-sdk", nargs="*", default=["100,000 small"], help="projects the SDK is not run with")
    options = parse(parser, projects=Sizes(["100", "1,000"], list(PROJECTS)))
    python = os.environ.get("ENCORD_EMULATOR_PYTHON", str(EMULATOR_PYTHON))
    for name in options.projects:
        with tempfile.TemporaryDirectory() as folder, Emulator.start(python=python) as emulator:
            measure(Bench(emulator, pathlib.Path(folder)), name, options.turns, sdk=name not in options.without_sdk)


def measure(bench: Bench, name: str, turns: int, *, sdk: bool) -> None:
    """One project."""
    made = bench.emulator.project(owner=EMAIL, title="Large", created=1.0, **PROJECTS[name])
    best: dict[str, dict[str, Any]] = {}
    for contender, command in bench.contenders(sdk=sdk).items():
        measured = [bench.turn(command, made["project_id"], PROJECTS[name]["rows"]) for _ in range(turns)]
        best[contender] = min(measured, key=lambda turn: turn["seconds"])
        print(json.dumps({"project": name, "what": contender, **best[contender]}), flush=True)
    for other in best.keys() - {"ours"}:
        ratios = {unit: round(best["ours"][unit] / best[other][unit], 3) for unit in UNITS}
        print(json.dumps({"project": name, "what": f"ours/{other}", **ratios}), flush=True)


if __name__ == "__main__":
    main()
