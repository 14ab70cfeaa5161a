"""What the emulator takes to seed a project, to list it and to give its label rows, and what our client takes of that.

Not a comparison: it shows whether another benchmark measures the emulator by mistake, and what a test of that size will
take. Times of CPU are of each process by itself; the client is this one.
"""

from __future__ import annotations

import argparse
import functools
import json
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from airflow_provider_encord.client.api.labels import LabelRow
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from benchmarks.calls import EMAIL, cpu_seconds
from benchmarks.sizes import Sizes, parse
from demo.environment import EMULATOR_PYTHON, KeyPair
from encord_emulator.process import Emulator

BUNDLES = (100, 1000)  # rows per read: what our exports ask for by default is the first
T = TypeVar("T")


class Watch:
    """Times what is done to so many rows, and prints it.

    :param about: What to print beside it.
    """

    def __init__(self, emulator: Emulator, rows: int, **about: int):
        self._emulator, self._rows, self._about = emulator, rows, about

    def time(self, what: str, action: Callable[[], T]) -> T:
        """Do it once."""
        before, started, cpu = cpu_seconds(self._emulator.process_id), time.perf_counter(), time.process_time()
        result = action()
        took, ours = time.perf_counter() - started, time.process_time() - cpu
        costs = {
            "what": what,
            "rows": self._rows,
            **self._about,
            "seconds": round(took, 2),
            "rows_per_second": round(self._rows / took),
            "client_cpu_us_per_row": round(1e6 * ours / self._rows, 1),
            "emulator_cpu_us_per_row": round(1e6 * (cpu_seconds(self._emulator.process_id) - before) / self._rows, 1),
        }
        print(json.dumps(costs), flush=True)
        return result


def _bytes(rows: Iterable[LabelRow]) -> int:
    return sum(len(row.content) for row in rows)


def measure(rows: int, objects: int) -> None:
    """One project of so many rows, with so many objects in each."""
    pair = KeyPair.generate()
    with Emulator.start(python=str(EMULATOR_PYTHON)) as emulator:
        emulator.authorize(pair.public, email=EMAIL)
        watch = Watch(emulator, rows, objects_per_row=objects)
        made = watch.time(
            "seed",
            lambda: emulator.project(owner=EMAIL, title="Large", rows=rows, created=1.0, objects_per_row=objects),
        )
        with EncordClient(SshKey.parse(pair.private), Settings(base_url=emulator.url)) as client:
            project = client.project(made["project_id"])
            listed = watch.time("list", project.label_rows)
            hashes = [row.label_hash for row in listed if row.label_hash]
            for size in BUNDLES:
                reading = project.read_label_rows(hashes, rows_per_read=size)
                watch.time(f"read by {size}", functools.partial(_bytes, reading))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--objects", type=int, nargs="+", default=[0, 5], help="per row")
    options = parse(parser, rows=Sizes(10_000, 100_000))
    for objects in options.objects:
        measure(options.rows, objects)


if __name__ == "__main__":
    main()
