"""What a deferred registration reads of its manifest: one pass that checks it, and then each line once, however many
parts there are.

A registration that defers forgets everything but a small note for each resumption. The note says where in the manifest
to continue. This counts the lines that are parsed in all, and the CPU of the first and the last resumption, for a
manifest that is cut into many jobs; nothing is sent. It prints a JSON line for each number of parts, and the ratios.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import tempfile
import time
from typing import Any

from airflow_provider_encord.registration.cloud_source import CloudSource
from airflow_provider_encord.sources import rows
from benchmarks.sizes import Sizes, parse


class Parsed:
    """Counts the lines that are parsed."""

    def __init__(self) -> None:
        self.lines = 0
        self._decode = rows.decode_json
        rows.decode_json = self._counted

    def _counted(self, content: bytes | str, where: str) -> Any:
        self.lines += 1
        return self._decode(content, where)


def source_of(path: pathlib.Path, units_per_job: int) -> CloudSource:
    """The source as a new process makes it."""
    return CloudSource(path=path, url_prefix=None, kind=None, units_per_job=units_per_job)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int)
    parser.add_argument("--parts", type=int, nargs="+", default=[10, 100])
    options = parse(parser, lines=Sizes(100_000, 1_000_000))
    parsed = Parsed()
    ratios: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        path = pathlib.Path(name) / "manifest.jsonl"
        with path.open("w") as file:
            file.writelines(f'{{"url": "s3://bucket/{number:07d}.png"}}\n' for number in range(options.lines))
        for parts in options.parts:
            size = -(-options.lines // parts)
            parsed.lines = 0
            started = time.process_time()
            jobs = sum(1 for _ in source_of(path, size).jobs())
            checking = time.process_time() - started
            costs: list[float] = []
            place: Any = None
            for _ in range(jobs):
                started = time.process_time()
                _, place = next(source_of(path, size).jobs(place))
                costs.append(time.process_time() - started)
            result = {
                "lines": options.lines,
                "parts": jobs,
                "lines_parsed": parsed.lines,
                "checking_cpu_s": round(checking, 3),
                "first_resumption_cpu_s": round(costs[0], 4),
                "last_resumption_cpu_s": round(costs[-1], 4),
            }
            print(json.dumps(result))
            ratios[f"lines_parsed_per_line_in_{jobs}_parts"] = round(parsed.lines / options.lines, 3)
            ratios[f"last_to_first_resumption_in_{jobs}_parts"] = round(costs[-1] / costs[0], 2)
    print(json.dumps({"ratios": ratios}))


if __name__ == "__main__":
    main()
