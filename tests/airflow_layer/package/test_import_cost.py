"""What importing the operators costs: the DAG processor pays it for every DAG file, again and again."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from airflow_provider_encord.get_provider_info import get_provider_info
from tests.airflow_layer.lines import dag_files_import

BASE = dag_files_import()
RUNS = 3
MOST_MODULES = 95  # over what every DAG file imports
CHEAP = {
    "client",
    "client.errors",
    "client.identifiers",
    "client.regions",
    "client.times",
    "client.web_app",
    "counts",
    "defaults",
    "job_parts",
    "object_storage",
    "pauses",
    "progress",
}
"""What operators import from below at module level: these need only the standard library."""
HEAVY = {"requests", "encord", "cryptography", "msgspec", "httpx", "tenacity", "aiohttp", "urllib3", "fsspec", "upath"}

SCRIPT = """
import json, sys, time
__import__(sys.argv[1])
before, started = set(sys.modules), time.perf_counter()
for path in json.loads(sys.argv[2]):
    __import__(path)
seconds = time.perf_counter() - started
print(json.dumps({"seconds": seconds, "modules": sorted(set(sys.modules) - before)}))
"""


def _modules_with_code_for_dags() -> list[str]:
    info = get_provider_info()
    groups = [group for kind in ("hooks", "operators", "sensors", "triggers") for group in info.get(kind, [])]
    return [path for group in groups for path in group["python-modules"]]


@pytest.fixture(scope="module")
def runs() -> list[dict[str, Any]]:
    """What several imports in fresh interpreters cost; the first one may compile, so the least counts."""
    command = [sys.executable, "-c", SCRIPT, BASE, json.dumps(_modules_with_code_for_dags())]
    outputs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(RUNS)]
    return [json.loads(output.splitlines()[-1]) for output in outputs]


def test_importing_every_operator_loads_no_http_no_cryptography_and_no_vendor_sdk(runs: list[dict[str, Any]]) -> None:
    loaded = {name.partition(".")[0] for name in runs[0]["modules"]}

    assert loaded & HEAVY == set()


def test_importing_every_operator_loads_only_what_is_cheap_of_the_floors_below(runs: list[dict[str, Any]]) -> None:
    ours = {name.partition(".")[2] for name in runs[0]["modules"] if name.startswith("airflow_provider_encord.")}

    on_the_ground = {"get_provider_info"}  # `import airflow` has read it
    floors = {name.partition(".")[0] for name in ours - on_the_ground - CHEAP}
    assert floors <= {"assets", "hooks", "links", "operators", "sensors", "triggers"}


def test_importing_every_operator_loads_few_modules(runs: list[dict[str, Any]], record_property: Any) -> None:
    """`benchmarks.imports` measures the time; here it is only recorded, because the machine may be busy."""
    modules = runs[0]["modules"]
    record_property("import_ms", round(min(run["seconds"] for run in runs) * 1000, 1))

    assert len(modules) <= MOST_MODULES, modules
