"""Objects of a bucket registered with a storage folder, from a manifest: ours and the floor, and how the cost grows.

The floor starts the same jobs without a look at the lines. Each contender is a process of its own, and so is the
emulator, which makes items of the objects. A million objects are read, counted and cut into jobs, and not sent. One
file stands for all objects of the bucket's folder, by links, so that the disk is not what is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from benchmarks.calls import CONTENDERS, cpu_seconds
from benchmarks.keyed_emulator import KeyedEmulator
from benchmarks.sizes import Sizes, parse
from demo.environment import EMULATOR_PYTHON
from encord_emulator.process import Emulator
from tests.sdk.media import png

URL = "s3://benchmark"


def bucket_of(emulator: Emulator, folder: pathlib.Path, objects: int) -> str:
    """A folder that stands for a bucket of so many objects; the id of its integration."""
    bucket = folder / "bucket"
    bucket.mkdir()
    (bucket / "0000000.png").write_bytes(png(8, 8))
    for number in range(1, objects):
        (bucket / f"{number:07d}.png").symlink_to("0000000.png")
    return emulator.bucket(integration="bucket", url=URL, directory=str(bucket))


def manifest(folder: pathlib.Path, objects: int) -> str:
    """A manifest of so many objects of the bucket."""
    path = folder / f"objects-{objects}.jsonl"
    with path.open("w") as file:
        file.writelines(f'{{"url": "{URL}/{number:07d}.png"}}\n' for number in range(objects))
    return str(path)


class Bench(KeyedEmulator):
    """One emulator with a bucket, and a key for it.

    :param objects: How many objects the bucket has.
    """

    def __init__(self, emulator: Emulator, folder: pathlib.Path, objects: int):
        super().__init__(emulator, folder)
        self._integration = bucket_of(emulator, folder, objects)

    def turn(self, contender: str, objects: int, *more: str) -> dict[str, Any]:
        """One registration by a contender, in a new process.

        :param more: More arguments of its script.
        """
        with EncordClient(SshKey.from_path(str(self.key_file)), Settings(base_url=self.emulator.url)) as client:
            folder = client.create_folder(f"{contender} {objects}").id
        command = [sys.executable, str(CONTENDERS / f"register_{contender}.py"), self.emulator.url, str(self.key_file)]
        arguments = [folder, self._integration, manifest(self.folder, objects), *more]
        before = cpu_seconds(self.emulator.process_id)
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        costs = json.loads(done.stdout.splitlines()[-1])
        return {
            "objects": costs["objects"],
            "seconds": round(costs["seconds"], 3),
            "objects_per_second": round(costs["objects_per_second"]),
            "cpu_us_per_object": round(1e6 * costs["cpu_seconds"] / objects, 1),
            "peak_mb": round(costs["peak_mb"], 1),
            "emulator_cpu_us_per_object": round(1e6 * (cpu_seconds(self.emulator.process_id) - before) / objects, 1),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, nargs="+")
    parser.add_argument("--counted", type=int, help="objects that are counted and not sent")
    options = parse(parser, objects=Sizes([1_000, 10_000], [1_000, 10_000, 100_000]), counted=Sizes(100_000, 1_000_000))
    python = os.environ.get("ENCORD_EMULATOR_PYTHON", str(EMULATOR_PYTHON))
    ratios: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, Emulator.start(python=python) as emulator:
        bench = Bench(emulator, pathlib.Path(folder), max(options.objects))
        first: dict[str, Any] = {}
        for objects in options.objects:
            ours, floor = (bench.turn(contender, objects) for contender in ("ours", "floor"))
            print(json.dumps({"what": "ours", **ours}), flush=True)
            print(json.dumps({"what": "floor", **floor}), flush=True)
            first = first or ours
            for unit in ("seconds", "cpu_us_per_object", "peak_mb"):
                ratios[f"ours/floor, {unit}, {objects} objects"] = round(ours[unit] / floor[unit], 2)
                ratios[f"{unit}, {objects} to {options.objects[0]} objects"] = round(ours[unit] / first[unit], 2)
        print(json.dumps({"what": "counted", **bench.turn("ours", options.counted, "count")}), flush=True)
    print(json.dumps({"what": "ratios", **ratios}))


if __name__ == "__main__":
    main()
