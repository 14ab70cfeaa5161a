"""What importing costs on top of ``airflow.sdk``: our operator modules, `requests`, and the vendor's SDK."""

from __future__ import annotations

import argparse
import compileall
import json
import pathlib
import subprocess
import sys
from typing import Any

import airflow_provider_encord
from tests.sdk.environments import SSH_SDK, interpreter

RUNS = 7
OPERATORS = ("datasets", "labels", "ontologies", "projects", "storage")
PROGRAM = """
import json, sys, time
for module in {first}: __import__(module)
known, started = set(sys.modules), time.perf_counter()
for module in {modules}: __import__(module)
took = time.perf_counter() - started
print(json.dumps({{"ms": 1e3 * took, "modules": len(set(sys.modules) - known)}}))
"""


def measure(what: str, modules: list[str], *, first: list[str], python: str = sys.executable) -> dict[str, Any]:
    """The best of several fresh processes; the first of them, which may have to compile, does not count."""
    program = PROGRAM.format(first=first, modules=modules)
    runs = []
    for _ in range(RUNS + 1):
        done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    best = min(runs[1:], key=lambda run: run["ms"])
    result = {"what": what, "ms": round(best["ms"], 1), "modules": best["modules"], "runs": RUNS}
    print(json.dumps(result), flush=True)
    return result


def main() -> None:
    """Measure and print."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    compileall.compile_dir(str(pathlib.Path(airflow_provider_encord.__file__).parent), quiet=1)
    operators = [f"airflow_provider_encord.operators.{name}" for name in OPERATORS]
    airflow = measure("airflow.sdk", ["airflow.sdk"], first=[])
    ours = measure("our operators, over airflow.sdk", operators, first=["airflow.sdk"])
    requests = measure("requests, over airflow.sdk", ["requests"], first=["airflow.sdk"])
    sdk = measure("encord, in an environment of its own", ["encord"], first=[], python=str(interpreter(SSH_SDK)))
    ratios = {
        f"ours/{name}": round(ours["ms"] / other["ms"], 3)
        for name, other in (("airflow.sdk", airflow), ("requests", requests), ("encord", sdk))
    }
    print(json.dumps({"what": "ratios", **ratios}))


if __name__ == "__main__":
    main()
