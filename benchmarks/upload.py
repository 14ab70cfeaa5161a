"""Images of a folder into a dataset: our upload, the floor, and the vendor's SDK as its guides have it.

The floor is bare pooled PUTs and the job that registers the files. The SDK takes one call a file.

Each contender is a process of its own, and so is the emulator, whose CPU is reported. Files are small PNGs, so that
what a file costs is seen, and not what its bytes cost.
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
from tests.sdk.environments import SSH_SDK, interpreter
from tests.sdk.media import png

UNITS = ("files_per_second", "cpu_ms_per_file", "requests_per_file", "peak_mb")


class Bench(KeyedEmulator):
    """One emulator and a key for it."""

    def dataset(self, title: str) -> str:
        """A new mirror dataset."""
        with EncordClient(SshKey.from_path(str(self.key_file)), Settings(base_url=self.emulator.url)) as client:
            return client.create_dataset(title, if_exists="new").id

    def files(self, number: int) -> pathlib.Path:
        """A folder of so many images; contents differ, else Encord might take them for the same."""
        folder = self.folder / f"files-{number}"
        folder.mkdir(exist_ok=True)
        content = png(32, 32)
        for index in range(number):
            (folder / f"image-{index:06d}.png").write_bytes(content + index.to_bytes(8, "big"))
        return folder

    def turn(self, contender: str, folder: pathlib.Path) -> dict[str, Any]:
        """One upload by a contender into a new dataset, in a new process."""
        paths = sorted(map(str, folder.iterdir()))
        files = len(paths)
        python = str(interpreter(SSH_SDK)) if contender == "sdk" else sys.executable
        command = [python, str(CONTENDERS / f"upload_{contender}.py"), self.emulator.url, str(self.key_file)]
        command += [self.dataset(contender), *(paths if contender == "sdk" else [str(folder)])]
        self.emulator.clear_journal()
        before = cpu_seconds(self.emulator.process_id)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        costs = json.loads(done.stdout.splitlines()[-1])
        if costs["files"] != files:
            raise SystemExit(f"{costs['files']} of {files} files were uploaded.")
        return {
            "files": files,
            "seconds": round(costs["seconds"], 3),
            "files_per_second": round(costs["files_per_second"], 1),
            "cpu_ms_per_file": round(1e3 * costs["cpu_seconds"] / files, 2),
            "requests_per_file": round(len(self.emulator.journal()) / files, 2),
            "peak_mb": round(costs["peak_mb"], 1),
            "emulator_cpu_ms_per_file": round(1e3 * (cpu_seconds(self.emulator.process_id) - before) / files, 2),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, nargs="+", help="numbers of files")
    parser.add_argument("--sdk-most", type=int, default=1_000, help="the SDK runs up to so many files")
    options = parse(parser, files=Sizes([100, 1_000], [100, 1_000, 10_000]))
    ratios: dict[str, float] = {}
    python = os.environ.get("ENCORD_EMULATOR_PYTHON", str(EMULATOR_PYTHON))
    with tempfile.TemporaryDirectory() as folder, Emulator.start(python=python) as emulator:
        bench = Bench(emulator, pathlib.Path(folder))
        for number in options.files:
            contenders = ("ours", "floor", "sdk") if number <= options.sdk_most else ("ours", "floor")
            files = bench.files(number)
            latest: dict[str, dict[str, Any]] = {}
            for name in contenders:
                latest[name] = bench.turn(name, files)
                print(json.dumps({"what": name, **latest[name]}), flush=True)
            ratios |= {
                f"ours/{other}, {unit}, {number} files": round(latest["ours"][unit] / latest[other][unit], 3)
                for other in latest.keys() - {"ours"}
                for unit in UNITS
            }
    print(json.dumps({"what": "ratios", **ratios}))


if __name__ == "__main__":
    main()
