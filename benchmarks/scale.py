"""What large jobs take: measures the costs of a row, a file and an object on the emulator, and puts them into the model
of `models/scale.py`, which gives time, requests, memory and the bottleneck.

Prints the costs as JSON, and how far the model is from a real export of a small project that waits for each request.
``--write`` keeps the costs in ``scale_costs.json`` and writes the tables of ``docs/explanation/scale.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from benchmarks.calls import CONTENDERS, EMAIL
from benchmarks.keyed_emulator import KeyedEmulator
from benchmarks.models.scale import Cost, Deployment, estimate, simulate, waits
from benchmarks.register import bucket_of, manifest
from demo.environment import EMULATOR_PYTHON
from encord_emulator.process import Emulator
from tests.sdk.media import png

COSTS = pathlib.Path(__file__).with_name("scale_costs.json")
PAGE = pathlib.Path(__file__).parents[1] / "docs" / "explanation" / "scale.md"
ROWS, MORE_ROWS = 2_000, 20_000
FILES, OBJECTS = 400, 10_000
TRANSFER_SECONDS = 0.2
"""Assumed: one file into Encord's storage."""
UNIT_SECONDS = 0.001
"""Assumed: what a job of Encord takes for an object."""
POLL_SECONDS, WAIT_KB = 0.003, 18.0
"""CPU of a poll, and memory of a wait: "What waits cost" in README.md, beside what nothing but Airflow takes."""
MILLION = 1_000_000
DEPLOYMENTS = (
    Deployment(slots=4, cores=2, latency=1.0),
    Deployment(slots=64, cores=16, latency=1.0),
    Deployment(slots=64, cores=16, latency=1.0, requests_per_minute=600),
    Deployment(slots=64, cores=16, latency=0.1),
    Deployment(slots=256, cores=16, latency=0.1),
)
WAITS = ((10_000, 1, 30.0), (10_000, 1_000, 30.0), (10_000, 10_000, 30.0), (10_000, 10_000, 300.0))
"""Number, different questions, interval."""
TRIED = {"rows": 800, "batch_size": 10, "latency": 0.3}


class Bench(KeyedEmulator):
    """One emulator, and a key for it."""

    def client(self) -> Any:
        """A client, to prepare things."""
        from airflow_provider_encord.client.client import EncordClient
        from airflow_provider_encord.client.credentials import SshKey
        from airflow_provider_encord.client.transport.settings import Settings

        return EncordClient(SshKey.from_path(str(self.key_file)), Settings(base_url=self.emulator.url))

    def run(self, name: str, *arguments: str) -> dict[str, Any]:
        """What a contender prints, and how many requests it sent."""
        self.emulator.clear_journal()
        command = [sys.executable, str(CONTENDERS / f"{name}.py"), self.emulator.url, str(self.key_file), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        costs: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        journal = self.emulator.journal()
        stored = sum("/object-store/" in entry["path"] for entry in journal)
        return {**costs, "requests": len(journal) - stored}

    def export(self, rows: int, objects: int, *more: str) -> dict[str, Any]:
        """Export the labels of a new project."""
        made = self.emulator.project(owner=EMAIL, title="Scale", rows=rows, created=1.0, objects_per_row=objects)
        return self.run("export_ours", made["project_id"], str(self.folder / f"out-{made['project_id']}"), *more)


def measure(bench: Bench) -> dict[str, dict[str, float]]:
    """The costs of each kind of job."""
    few, many = bench.export(ROWS, 1), bench.export(MORE_ROWS, 1)
    rows = bench.export(ROWS, 20)
    return {
        "export": {
            "cpu_us_per_item": 1e6 * rows["cpu_seconds"] / ROWS,
            "bytes_per_item": max(0.0, 2**20 * (many["peak_mb"] - few["peak_mb"]) / (MORE_ROWS - ROWS)),
            "peak_mb": rows["peak_mb"],
            "requests": rows["requests"],
            "items": ROWS,
        },
        "upload": _upload(bench),
        "register": _register(bench),
    }


def _upload(bench: Bench) -> dict[str, float]:
    images = bench.folder / "images"
    images.mkdir()
    for number in range(FILES):
        (images / f"{number:06d}.png").write_bytes(png(4 + number % 200, 4 + number // 200))
    with bench.client() as client:
        dataset = client.create_dataset("Scale").id
    done = bench.run("upload_ours", str(dataset), str(images))
    cpu = 1e6 * done["cpu_seconds"] / FILES
    return {"cpu_us_per_item": cpu, "peak_mb": done["peak_mb"], "requests": done["requests"], "items": FILES}


def _register(bench: Bench) -> dict[str, float]:
    integration = bucket_of(bench.emulator, bench.folder, OBJECTS)
    with bench.client() as client:
        folder = client.create_folder("Scale").id
    done = bench.run("register_ours", str(folder), integration, manifest(bench.folder, OBJECTS))
    cpu = 1e6 * done["cpu_seconds"] / OBJECTS
    return {"cpu_us_per_item": cpu, "peak_mb": done["peak_mb"], "requests": done["requests"], "items": OBJECTS}


def costs_of(measured: dict[str, dict[str, float]]) -> dict[str, Cost]:
    """The measured costs as the model takes them."""

    def cpu(kind: str) -> float:
        return measured[kind]["cpu_us_per_item"] / 1e6

    return {
        "export": Cost(
            items_per_request=100,
            requests_at_once=4,
            cpu_seconds=cpu("export"),
            bytes_kept=measured["export"]["bytes_per_item"],
            bytes_in_flight=8 * 2**20,
        ),
        "upload": Cost(
            items_per_request=round(measured["upload"]["items"] / measured["upload"]["requests"]),
            requests_at_once=4,
            cpu_seconds=cpu("upload"),
            encord_seconds=TRANSFER_SECONDS,
            bytes_in_flight=2**20,
        ),
        "register": Cost(
            items_per_request=5_000,  # two requests for a job of 10,000: its start, and its outcomes
            requests_at_once=1,
            cpu_seconds=cpu("register"),
            encord_seconds=UNIT_SECONDS,
            bytes_in_flight=16 * 2**20,
        ),
    }


def tables(measured: dict[str, dict[str, float]]) -> str:
    """The tables of the page."""
    lines = ["| job | part | CPU of ours | requests | memory |", "|---|---|---|---|---|"]
    names = {"export": "export a row of 20 objects", "upload": "upload a file", "register": "register an object"}
    for kind, one in measured.items():
        each = one["items"] / one["requests"]
        lines.append(
            f"| {names[kind]} | of {one['items']:,.0f} | {one['cpu_us_per_item']:,.0f} us | one for {each:,.0f} | "
            f"{one['peak_mb']:,.0f} MB in all |"
        )
    for kind, title in (("export", "export 10 million rows of 1,000 projects"), ("upload", "upload 10 million files"),
                        ("register", "register 10 million objects")):  # fmt: skip
        lines += ["", f"**To {title}**, in 1,000 parts:", ""]
        lines += [
            "| slots, cores | latency | limit | time | requests | memory of a task | bottleneck | what moves it |"
        ]
        lines += ["|---|---|---|---|---|---|---|---|"]
        lines += [_row(costs_of(measured)[kind], on) for on in DEPLOYMENTS]
    lines += ["", "**10,000 waits:**", ""]
    lines += ["| questions | interval | requests a minute | cores | memory | triggerers |", "|---|---|---|---|---|---|"]
    for number, questions, interval in WAITS:
        found = waits(number, questions, interval, cpu_per_poll=POLL_SECONDS, kb_per_wait=WAIT_KB)
        lines.append(
            f"| {questions:,} | {interval:.0f} s | {found.requests_per_minute:,.0f} | {found.cores:.1f} | "
            f"{found.memory_mb:,.0f} MB | {found.triggerers} |"
        )
    return "\n".join(lines)


def _row(cost: Cost, on: Deployment) -> str:
    found = estimate(cost, 10 * MILLION, 1_000, on)
    limit = f"{on.requests_per_minute:,.0f} a minute" if on.requests_per_minute else "none"
    return (
        f"| {on.slots}, {on.cores} | {on.latency:.1f} s | {limit} | {_time(found.seconds)} | {found.requests:,} | "
        f"{found.memory_mb:,.0f} MB | {found.bottleneck} | {found.knob} |"
    )


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def try_it(bench: Bench, *, rows: int, batch_size: int, latency: float) -> dict[str, float]:
    """Export a small project for which Encord takes its time, and what the model says of it."""
    bench.emulator.faults([{"match": {"path": "."}, "do": {"delay_s": latency}}])
    try:
        real = bench.export(rows, 20, "4", str(batch_size))
    finally:
        bench.emulator.clear_faults()
    measured = 1e-6 * 200  # CPU of a row where requests are small; it hardly matters beside the latency
    cost = Cost(items_per_request=batch_size, requests_at_once=4, cpu_seconds=measured)
    predicted = simulate(cost, rows, 1, Deployment(slots=1, cores=1, latency=latency))
    return {"real_seconds": real["seconds"], "predicted_seconds": predicted, "ratio": predicted / real["seconds"]}


def with_bench(work: Callable[[Bench], Any]) -> Any:
    """Do something with a new emulator."""
    python = os.environ.get("ENCORD_EMULATOR_PYTHON", str(EMULATOR_PYTHON))
    with tempfile.TemporaryDirectory() as folder, Emulator.start(python=python) as emulator:
        return work(Bench(emulator, pathlib.Path(folder)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the costs, and write the tables of the page")
    options = parser.parse_args()
    measured = with_bench(measure)
    print(json.dumps(measured))
    print(json.dumps({"what": "model/real", **with_bench(lambda bench: try_it(bench, **TRIED))}))  # type: ignore[arg-type]
    if options.write:
        rounded = {kind: {name: float(f"{value:.3g}") for name, value in one.items()} for kind, one in measured.items()}
        COSTS.write_text(json.dumps(rounded, indent=2) + "\n")
        PAGE.write_text(with_tables(PAGE.read_text(), rounded))


def with_tables(page: str, measured: dict[str, dict[str, float]]) -> str:
    """The page with new tables."""
    begin, end = "<!-- scale: begin -->", "<!-- scale: end -->"
    before, rest = page.split(begin)
    return f"{before}{begin}\n{tables(measured)}\n{end}{rest.split(end)[1]}"


if __name__ == "__main__":
    main()
