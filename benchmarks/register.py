"""Objects of a bucket registered with a storage folder, from a manifest: how the cost grows with their number.

No race: what the client takes, and what the emulator takes (a process of its own) to make items of them. A million
objects are read, counted and cut into jobs, and not sent. One file stands for all objects of the bucket's folder, by
links, so that the disk is not what is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from benchmarks.calls import CONTENDERS, EMAIL, cpu_seconds
from benchmarks.sizes import Sizes, parse
from demo.environment import EMULATOR_PYTHON, KeyPair
from encord_emulator.process import Emulator
from tests.sdk.media import png

URL = "s3://benchmark"


def manifest(folder: pathlib.Path, objects: int) -> str:
    """A manifest of so many objects."""
    path = folder / f"objects-{objects}.jsonl"
    with path.open("w") as file:
        file.writelines(f'{{"url": "{URL}/{number:07d}.png"}}\n' for number in range(objects))
    return str(path)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, nargs="+")
    parser.add_argument("--counted", type=int, help="objects that are counted and not sent")
    options = parse(parser, objects=Sizes([1_000, 10_000], [1_000, 10_000, 100_000]), counted=Sizes(100_000, 1_000_000))
    python = os.environ.get("ENCORD_EMULATOR_PYTHON", str(EMULATOR_PYTHON))
    ratios: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name, Emulator.start(python=python) as emulator:
        folder = pathlib.Path(name)
        bucket = folder / "bucket"
        bucket.mkdir()
        (bucket / "0000000.png").write_bytes(png(8, 8))
        for number in range(1, max(options.objects)):
            (bucket / f"{number:07d}.png").symlink_to("0000000.png")
        pair = KeyPair.generate()
        (folder / "key").write_text(pair.private)
        emulator.authorize(pair.public, email=EMAIL)
        integration = emulator.bucket(integration="bucket", url=URL, directory=str(bucket))
        command = [sys.executable, str(CONTENDERS / "register_ours.py"), emulator.url, str(folder / "key")]
        first: dict[str, float] = {}
        for objects in [*options.objects, options.counted]:
            counted = objects == options.counted
            with EncordClient(SshKey.from_path(str(folder / "key")), Settings(base_url=emulator.url)) as client:
                target = client.create_folder(f"{objects}").id
            before = cpu_seconds(emulator.process_id)
            arguments = [target, integration, manifest(folder, objects), *(["count"] if counted else [])]
            done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(done.stderr[-2000:])
            costs = json.loads(done.stdout)
            costs["emulator_cpu_us_per_object"] = round(1e6 * (cpu_seconds(emulator.process_id) - before) / objects, 1)
            print(json.dumps({"what": "counted" if counted else "registered", **costs}), flush=True)
            first = first or costs
            ratios |= {
                f"{unit}, {objects} to {options.objects[0]} objects": round(costs[unit] / first[unit], 2)
                for unit in ("cpu_us_per_object", "peak_mb")
            }
    print(json.dumps({"what": "ratios", **ratios}))


if __name__ == "__main__":
    main()
