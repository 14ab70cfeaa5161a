"""Wait for as long as is wanted, and look for leaks: ``python -m tests.sensors.soak MINUTES``.

In one event loop, as the triggerer has it, sensors and asset watchers start, end and are cancelled again and again,
while people move tasks, Encord fails for a while, and the key of the connection is rotated. Prints a line of JSON each
minute. It fails if something remains after the last one has ended, or if the memory grew.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import random
import sys
import time
from typing import Any

import psutil

import tests.conftest  # before anything of Airflow: its home is set there
from airflow_provider_encord.client.errors import EncordError
from airflow_provider_encord.triggers import shared_polls
from airflow_provider_encord.triggers.events import EncordLabelsEventTrigger, EncordTasksEventTrigger
from airflow_provider_encord.triggers.waits import EncordWaitTrigger
from airflow_provider_encord.waits.conditions import ProgressCondition, StatusCondition, TasksCondition, to_dictionary
from encord_emulator.process import Emulator
from tests.airflow_layer.bench import SSH_CONNECTION, Account, connection
from tests.client import keys
from tests.client.network import OF_THE_MACHINE

PROJECTS = 20
AT_ONCE = 200
MOST_GROWTH = 30.0  # MB, after the first minutes
WARM_UP = 120.0  # seconds
ROTATION = 15  # minutes between two keys: Airflow masks old keys for ever, which takes about 4 MB for each
FAULTS = (
    [{"match": {"path": "/tasks$"}, "when": {"every": 3}, "do": {"status": 503}}],
    [{"match": {"path": "/tasks$"}, "when": {"every": 2}, "do": {"cut": "before"}}],
    [{"match": {"path": "/tasks$"}, "do": {"status": 401, "json": {"message": "no"}}}],
    [],
)


class Soak:
    """Triggers that come and go, and what they do to the process.

    :param projects: Ids of the projects.
    """

    def __init__(self, account: Account, projects: list[str]):
        self._account, self._projects = account, projects
        self._running: set[asyncio.Task[None]] = set()
        self._events = self._started = self._minutes = 0
        self._chance = random.Random(20261129)

    async def run(self, seconds: float) -> list[dict[str, Any]]:
        """Start and cancel triggers until the time is over; what was measured each minute."""
        ends, measured, next_report = time.monotonic() + seconds, list[dict[str, Any]](), time.monotonic() + 60
        while time.monotonic() < ends:
            while len(self._running) < AT_ONCE:
                self._start()
            for task in self._chance.sample(sorted(self._running, key=id), 5):
                task.cancel()
            await asyncio.to_thread(self._move_people)
            await asyncio.sleep(1)
            if time.monotonic() >= next_report:
                next_report += 60
                self._change_the_world()
                measured.append(self._measure())
                print(json.dumps(measured[-1]), flush=True)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        return measured

    def _start(self) -> None:
        self._started += 1
        task = asyncio.create_task(self._wait(self._trigger()))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _wait(self, trigger: Any) -> None:
        async for _ in trigger.run():
            self._events += 1

    def _trigger(self) -> Any:
        project, interval = self._chance.choice(self._projects), self._chance.uniform(5, 20)
        if self._chance.random() < 0.2:
            return EncordTasksEventTrigger(
                project_id=project, stage="Review", max_wait_seconds=10, poll_interval=interval
            )
        if self._chance.random() < 0.1:
            return EncordLabelsEventTrigger(project_id=project, poll_interval=interval)
        condition = self._chance.choice(
            [
                TasksCondition(project_id=project, stage="Review", min_tasks=self._chance.randint(1, 5)),
                ProgressCondition(project_id=project, stages=["Complete"]),
                StatusCondition(project_id=project, statuses=["archived"]),
            ]
        )
        return EncordWaitTrigger(
            condition=to_dictionary(condition),
            deadline=time.time() + self._chance.uniform(10, 120),
            encord_conn_id="encord_default",
            poll_interval=interval,
        )

    def _move_people(self) -> None:
        with contextlib.suppress(EncordError), self._account.client() as client:  # faults hit people, too
            project = client.project(self._chance.choice(self._projects))
            here, there = self._chance.sample(["Annotate", "Review"], 2)
            stage = project.stage(here)
            if tasks := list(stage.tasks())[:2]:
                stage.move(tasks, there)

    def _change_the_world(self) -> None:
        emulator = self._account.emulator
        emulator.clear_faults()
        emulator.clear_journal()
        if faults := self._chance.choice(FAULTS):
            emulator.faults(faults)
        self._minutes += 1
        if self._minutes % ROTATION:
            return
        pair = keys.new_key()
        emulator.authorize(keys.public_line(pair), email=self._account.email)
        os.environ[SSH_CONNECTION] = connection(emulator.url, private_key=keys.openssh(pair))

    def _measure(self) -> dict[str, Any]:
        gc.collect()
        process = psutil.Process()
        return {
            "started": self._started,
            "events": self._events,
            "running": len(self._running),
            "tasks_of_the_loop": len(asyncio.all_tasks()),
            "polls": len(shared_polls.of_running_loop().polls),
            "sockets": len(process.net_connections("inet")),
            "files": process.num_fds(),
            "memory_mb": round(process.memory_info().rss / 2**20, 1),
        }


async def soak(account: Account, projects: list[str], seconds: float) -> list[str]:
    """Wait, and return what is wrong afterwards."""
    measured = await Soak(account, projects).run(seconds)
    await asyncio.sleep(1)
    wrong = []
    if polls := shared_polls.of_running_loop().polls:
        wrong.append(f"{len(polls)} polls go on.")
    if len(tasks := asyncio.all_tasks()) > 1:
        wrong.append(f"{len(tasks) - 1} tasks remain in the loop: {sorted(map(str, tasks))[:3]}")
    warm = [one["memory_mb"] for number, one in enumerate(measured) if 60 * (number + 1) > WARM_UP]
    if warm and warm[-1] - warm[0] > MOST_GROWTH:
        wrong.append(f"The memory grew from {warm[0]} to {warm[-1]} MB.")
    return wrong


def main() -> int:
    """Wait until the time is over; the exit status says whether nothing leaked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("minutes", type=float)
    minutes = parser.parse_args().minutes
    for name in OF_THE_MACHINE:
        os.environ.pop(name, None)
        os.environ.pop(name.lower(), None)
    try:
        with Emulator.start() as emulator:
            account = Account(emulator)
            os.environ[SSH_CONNECTION] = account.connection()
            projects = [account.project(rows=6)["project_id"] for _ in range(PROJECTS)]
            wrong = asyncio.run(soak(account, projects, 60 * minutes))
    finally:
        tests.conftest.pytest_unconfigure()
    print("\n".join(wrong) or "Nothing leaked.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
