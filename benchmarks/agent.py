"""Agents on the tasks of a stage: `@task.encord_agent`, and the runners of encord-agents, on one emulator.

The model is a function that waits for a fixed time and counts its calls. Measured are tasks per second at 1, 4 and 16
calls at once, and requests per task; and, with the same faults for all, how many tasks were handled, how many were
left, and how often the model was called. Contenders that stop are started again, as a scheduler would. Prints a line of
JSON for each contender and case, and the ratios.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from encord import EncordUserClient
from encord.workflow.stages.agent import AgentTask
from encord_agents.tasks import QueueRunner, Runner

from airflow_provider_encord.agents import Task
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.decorators.agent import encord_agent_task
from benchmarks.calls import EMAIL
from benchmarks.sizes import Sizes, parse
from demo.environment import EMULATOR_PYTHON, KeyPair
from encord_emulator.process import Emulator

CONNECTION = "AIRFLOW_CONN_ENCORD_DEFAULT"
STAGES: list[dict[str, Any]] = [
    {"stageType": "ANNOTATION", "title": "Annotate"},
    {"stageType": "AGENT", "title": "Agent", "pathways": [{"title": "done", "to": "Complete"}]},
    {"stageType": "DONE", "title": "Complete"},
]
ATTEMPTS = 4
BATCH = 10  # tasks in a call of a queue
ONCE, ALWAYS = "the model fails once for every 10th task", "the model always fails for every 10th task"
FAULTS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    ONCE: [],
    ALWAYS: [],
    "503 at every 5th request": [{"match": {"path": "."}, "when": {"every": 5}, "do": {"status": 503}}],
    "the connection is cut after the first move": [
        {"match": {"path": "/actions$"}, "when": {"nth": 1}, "do": {"cut": "after"}}
    ],
}
"""By the name of the case. The faults of the model are its own."""


class Model:
    """Waits, and counts its calls by data unit.

    :param seconds: How long a call takes.
    :param case: `ONCE` or `ALWAYS`, if calls for every tenth data unit fail.
    """

    def __init__(self, seconds: float, data_hashes: list[str], case: str = ""):
        self.seconds, self.calls, self._case = seconds, Counter[str](), case
        self._bad = set(data_hashes[::10]) if case in (ONCE, ALWAYS) else set()
        self._lock = threading.Lock()

    def __call__(self, data_hash: str) -> str:
        with self._lock:
            self.calls[data_hash] += 1
            first = self.calls[data_hash] == 1
        time.sleep(self.seconds)
        if data_hash in self._bad and (first or self._case == ALWAYS):
            raise RuntimeError("the model is down")
        return "done"


class Site:
    """A project whose tasks are in the agent stage."""

    def __init__(self, emulator: Emulator, key: KeyPair, tasks: int):
        self.emulator, self.key = emulator, key
        template = emulator.template(f"agent {time.monotonic_ns()}", STAGES)["uuid"]
        made = emulator.project(owner=EMAIL, title="Agents", rows=tasks, template=template)
        self.project_id = made["project_id"]
        with self._client() as client:
            project = client.project(self.project_id)
            stage = project.stage("Annotate")
            stage.move(list(stage.tasks()), "Agent")
            self.data_hashes = [row.data_hash for row in project.label_rows()]

    def _client(self) -> Any:
        return EncordClient(SshKey.parse(self.key.private), Settings(base_url=self.emulator.url))

    def left(self) -> int:
        """How many tasks are still in the agent stage."""
        with self._client() as client:
            return len(list(client.project(self.project_id).stage("Agent").tasks()))


def ours(site: Site, model: Model, at_once: int) -> None:
    """One attempt of a task with our decorator."""

    def handle(task: Task) -> str:
        return model(task.data_hash)

    arguments: dict[str, Any] = {
        "project_id": site.project_id,
        "stage": "Agent",
        "batch_size": 100_000,
        "max_concurrency": at_once,
    }
    encord_agent_task(task_id="agent", commit_every=100, **arguments)(handle)().operator.execute({})


def _sdk_client(site: Site) -> Any:
    return EncordUserClient.create_with_ssh_private_key(site.key.private, domain=site.emulator.url)


def runner(site: Site, model: Model, at_once: int) -> None:  # noqa: ARG001 - it handles one task at a time
    """One run of encord-agents' `Runner`."""
    found = Runner(project_hash=site.project_id, user_client=_sdk_client(site))

    @found.stage("Agent")
    def handle(task: AgentTask) -> str:
        return model(str(task.data_hash))

    found(task_batch_size=100)


def queue_runner(site: Site, model: Model, at_once: int, batch: int = 1) -> None:
    """One run of encord-agents' `QueueRunner`, whose tasks are handled by threads.

    :param batch: How many tasks a call has.
    """
    found = QueueRunner(project_hash=site.project_id, user_client=_sdk_client(site))

    @found.stage("Agent")
    def handle(task: AgentTask) -> str:
        return model(str(task.data_hash))

    (stage,) = found.get_agent_stages()
    specs = [task.model_dump_json() for task in stage.get_tasks()]
    parts = [specs[start : start + batch] for start in range(0, len(specs), batch)]
    with ThreadPoolExecutor(at_once) as pool:
        answers = [json.loads(answer) for answer in pool.map(handle, parts)]
    failed = [answer["error"] for answer in answers if not answer["success"]]
    if failed:
        raise RuntimeError(f"{len(failed)} calls did not succeed: {failed[0]}")


CONTENDERS: dict[str, Callable[[Site, Model, int], None]] = {
    "ours": ours,
    "encord-agents Runner": runner,
    "encord-agents QueueRunner": queue_runner,
    "encord-agents QueueRunner, 10 tasks a call": functools.partial(queue_runner, batch=BATCH),
}


def measure(name: str, site: Site, model: Model, at_once: int, faults: list[dict[str, Any]]) -> dict[str, Any]:
    """Run a contender until no task is left, or it has had its attempts."""
    site.emulator.clear_journal()
    if faults:
        site.emulator.faults(faults)
    began, errors = time.monotonic(), 0
    for _ in range(ATTEMPTS):
        try:
            CONTENDERS[name](site, model, at_once)
        except Exception as error:  # noqa: BLE001 - of whatever the contender raises, the name is shown
            errors += 1
            print(f"{name}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
        if len(model.calls) and not site.left():
            break
    seconds = time.monotonic() - began
    site.emulator.clear_faults()
    requests, left = len(site.emulator.journal()), site.left()
    handled = len(site.data_hashes) - left
    return {
        "contender": name,
        "at_once": at_once,
        "tasks": len(site.data_hashes),
        "handled": handled,
        "left": left,
        "model_calls": sum(model.calls.values()),
        "errors_raised": errors,
        "seconds": round(seconds, 2),
        "tasks_per_second": round(handled / seconds, 1),
        "requests_per_task": round(requests / max(handled, 1), 2),
    }


def main() -> None:
    """Measure all contenders."""
    parser = argparse.ArgumentParser(prog="agent", description=__doc__)
    parser.add_argument("--tasks", type=int, help="tasks for each measurement of speed")
    parser.add_argument("--tasks-with-faults", type=int, help="tasks for each case of a fault")
    parser.add_argument("--model-seconds", type=float, default=0.02, help="how long a call of the model takes")
    parser.add_argument("--at-once", type=int, nargs="*", default=[1, 4, 16], help="calls at once")
    options = parse(parser, tasks=Sizes(100, 400), tasks_with_faults=Sizes(20, 60))
    key = KeyPair.generate()
    with Emulator.start(python=os.environ.get("ENCORD_EMULATOR_PYTHON", str(EMULATOR_PYTHON))) as emulator:
        emulator.authorize(key.public, email=EMAIL)
        os.environ[CONNECTION] = json.dumps(
            {"conn_type": "encord", "host": emulator.url, "extra": {"private_key": key.private}}
        )
        for at_once in options.at_once:
            for name in CONTENDERS:
                site = Site(emulator, key, options.tasks)
                model = Model(options.model_seconds, site.data_hashes)
                print(json.dumps(measure(name, site, model, at_once, [])), flush=True)
        for case, faults in FAULTS.items():
            for name in CONTENDERS:
                site = Site(emulator, key, options.tasks_with_faults)
                model = Model(options.model_seconds, site.data_hashes, case)
                print(json.dumps({"case": case, **measure(name, site, model, 4, faults)}), flush=True)


if __name__ == "__main__":
    main()
