"""Images of 20 objects into training sets: ours, and the vendor's SDK (its COCO exporter, and a loop that downloads).

Ours is three steps: the export of labels, the pull of media, and the build of the training set, which copies images.
The SDK's COCO exporter reads the labels and converts them; it has no images, and no splits. So labels are compared
with labels (export and build, with the copies) and downloads with downloads. Each contender is a process of its own,
and so is the emulator.
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
from benchmarks.sizes import Sizes, parse
from demo.environment import EMULATOR_PYTHON, KeyPair
from encord_emulator.process import Emulator

OBJECTS = 20
FORMS = ("yolo-detect", "yolo-segment", "coco")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="+", type=int)
    parser.add_argument("--sdk-downloads", type=int, help="so many files are enough to know its pace")
    parser.add_argument("--sdk-python", default=sys.executable, help="a Python that has encord[coco] and requests")
    options = parse(parser, rows=Sizes([1_000], [1_000, 10_000]), sdk_downloads=Sizes(100, 500))
    python = os.environ.get("ENCORD_EMULATOR_PYTHON", str(EMULATOR_PYTHON))
    for rows in options.rows:
        with tempfile.TemporaryDirectory() as folder, Emulator.start(python=python) as emulator:
            measure(emulator, pathlib.Path(folder), rows, options.sdk_python, options.sdk_downloads)


def measure(emulator: Emulator, folder: pathlib.Path, rows: int, sdk_python: str, sdk_downloads: int) -> None:
    """One size."""
    pair = KeyPair.generate()
    key = folder / "key"
    key.write_text(pair.private)
    key.chmod(0o600)
    emulator.authorize(pair.public, email=EMAIL)
    made = emulator.project(owner=EMAIL, title="Street", created=1.0, rows=rows, objects_per_row=OBJECTS)
    access = [emulator.url, str(key), made["project_id"], str(folder / "out")]
    results: dict[str, dict[str, Any]] = {}
    for form in FORMS:
        results[form] = turn(emulator, [sys.executable, str(CONTENDERS / "training_ours.py"), *access, form])
        print(json.dumps({"rows": rows, "what": form, **results[form]}), flush=True)
        shutil.rmtree(folder / "out")
    if subprocess.run([sdk_python, "-c", "import cv2, encord, requests"], capture_output=True, check=False).returncode:
        print(
            json.dumps({"rows": rows, "what": "sdk", "left_out": "it needs encord[coco]; see --sdk-python"}), flush=True
        )
        return
    sdk = turn(emulator, [sdk_python, str(CONTENDERS / "training_sdk.py"), *access, str(sdk_downloads)])
    print(json.dumps({"rows": rows, "what": "sdk", **sdk}), flush=True)
    ours = results["coco"]
    ratios = {
        "objects_per_second": _pace(ours, "export", "build") / _pace(sdk, "export"),
        "files_per_second": (ours["pulled"] / ours["pull_seconds"]) / (sdk["pulled"] / sdk["pull_seconds"]),
        "peak_mb": ours["build_peak_mb"] / sdk["export_peak_mb"],
    }
    print(
        json.dumps({"rows": rows, "what": "coco/sdk", **{name: round(ratios[name], 3) for name in ratios}}), flush=True
    )


def turn(emulator: Emulator, command: list[str]) -> dict[str, Any]:
    """One contender, in a new process."""
    emulator.clear_journal()
    before = cpu_seconds(emulator.process_id)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    costs = {name: round(value, 2) for name, value in json.loads(done.stdout.splitlines()[-1]).items()}
    emulator_cpu = round(cpu_seconds(emulator.process_id) - before, 2)
    return {**costs, "requests": len(emulator.journal()), "emulator_cpu_seconds": emulator_cpu}


def _pace(costs: dict[str, Any], *steps: str) -> float:
    seconds = sum(costs[f"{step}_seconds"] for step in steps)
    return float(costs["objects"] / seconds)


if __name__ == "__main__":
    main()
