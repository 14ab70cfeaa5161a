"""The label rows of a project, listed in one answer: our records, plain dictionaries, and the vendor's SDK.

The operation has no pages, so what a row costs is what a large project costs. Each contender is a process of its own,
and so is the emulator, whose CPU is reported. They take turns, and the best turn of each counts.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from benchmarks.calls import CONTENDERS, EMAIL, best_of, cpu_seconds
from benchmarks.sizes import Sizes, parse
from demo.environment import EMULATOR_PYTHON, KeyPair
from encord_emulator.process import Emulator
from tests.sdk.environments import SSH_SDK, interpreter

UNITS = ("seconds", "cpu_us_per_row", "kept_bytes_per_row", "most_bytes_per_row")


def turn(emulator: Emulator, python: str, name: str, *arguments: str) -> dict[str, float]:
    """One listing by a contender, in a new process."""
    before = cpu_seconds(emulator.process_id)
    command = [python, str(CONTENDERS / f"listing_{name}.py"), emulator.url, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr}")
    costs = json.loads(done.stdout.splitlines()[-1])
    spent = cpu_seconds(emulator.process_id) - before
    return {unit: round(value, 3 if unit == "seconds" else 1) for unit, value in costs.items()} | {
        "emulator_cpu_us_per_row": round(1e6 * spent / costs["rows"], 1)
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", help="label rows of a project")
    parser.add_argument("--turns", type=int, help="how often each contender runs")
    options = parse(parser, rows=Sizes([1_000, 10_000], [1_000, 10_000, 100_000]), turns=Sizes(2, 3))
    pythons = {"dictionaries": sys.executable, "ours": sys.executable, "sdk": str(interpreter(SSH_SDK))}
    ratios: dict[str, float] = {}
    pair = KeyPair.generate()
    with tempfile.TemporaryDirectory() as folder, Emulator.start(python=str(EMULATOR_PYTHON)) as emulator:
        key_file = pathlib.Path(folder) / "key"
        key_file.write_text(pair.private)
        emulator.authorize(pair.public, email=EMAIL)
        for rows in options.rows:
            project = emulator.project(owner=EMAIL, title="Listed", rows=rows, created=1.0, objects_per_row=0)
            about = (str(key_file), project["project_id"])
            turns = [
                {name: turn(emulator, python, name, *about) for name, python in pythons.items()}
                for _ in range(options.turns)
            ]
            best = {name: best_of([times[name] for times in turns]) for name in pythons}
            for name, costs in best.items():
                print(json.dumps({"what": name, **costs}), flush=True)
            ratios |= {
                f"ours/{other}, {unit}, {rows} rows": round(best["ours"][unit] / best[other][unit], 2)
                for other in ("dictionaries", "sdk")
                for unit in UNITS
            }
    print(json.dumps({"what": "ratios", **ratios}))


if __name__ == "__main__":
    main()
