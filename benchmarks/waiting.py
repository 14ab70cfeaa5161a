"""What it costs to wait: requests, delay of the event loop, CPU and memory.

Sensors that are deferred, and asset watchers, in one event loop as the triggerer has it: on one project, and on as many
projects. Beside them a `PythonSensor` with the vendor's SDK, which waits on workers: what one of its polls costs, and
how many such sensors one core can take. The emulator is a process of its own. Prints a line of JSON for each contender
and number of waits, and the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import psutil

from benchmarks.calls import EMAIL, cpu_seconds
from benchmarks.sizes import Sizes, parse
from demo.environment import EMULATOR_PYTHON, KeyPair
from encord_emulator.process import Emulator

CONNECTION = "AIRFLOW_CONN_ENCORD_DEFAULT"
_TICK = 0.01  # seconds between two looks at the loop
_POKES = 3
_POKE = """
import sys
from airflow.providers.standard.sensors.python import PythonSensor
from encord import EncordUserClient

def reviewed():
    client = EncordUserClient.create_with_ssh_private_key({key!r}, domain={domain!r})
    return len(list(client.get_project({project!r}).workflow.get_stage(name="Review").get_tasks())) >= 10

PythonSensor(task_id="wait", python_callable=reviewed).poke({{"params": {{}}}})
"""

Trigger = Callable[[str], Any]
"""Creates a trigger for a project."""


def sensor(interval: float) -> Trigger:
    """The trigger of a deferred sensor."""
    from airflow_provider_encord.triggers.waits import EncordWaitTrigger
    from airflow_provider_encord.waits.conditions import TasksCondition, to_dictionary

    return lambda project: EncordWaitTrigger(
        condition=to_dictionary(TasksCondition(project_id=project, stage="Review", min_tasks=10)),
        deadline=time.time() + 86_400,
        encord_conn_id="encord_default",
        poll_interval=interval,
    )


def watcher(interval: float) -> Trigger:
    """The trigger of an asset watcher."""
    from airflow_provider_encord.triggers.events import EncordTasksEventTrigger

    return lambda project: EncordTasksEventTrigger(
        project_id=project, stage="Review", batch_size=10, poll_interval=interval
    )


async def longest_delay(seconds: float) -> float:
    """Measure by how many seconds the event loop was late at most."""
    loop, longest = asyncio.get_running_loop(), 0.0
    end = loop.time() + seconds
    while loop.time() < end:
        began = loop.time()
        await asyncio.sleep(_TICK)
        longest = max(longest, loop.time() - began - _TICK)
    return longest


async def run_triggers(triggers: list[Any], emulator: Emulator, interval: float, seconds: float) -> dict[str, float]:
    """Start triggers that never fire, let each of them poll, and measure.

    :param interval: Seconds between two polls.
    :param seconds: How long to measure.
    """

    async def wait(events: AsyncIterator[Any]) -> None:
        async for event in events:
            raise RuntimeError(f"A wait ended: {event}")

    idle = memory()
    running = [asyncio.create_task(wait(trigger.run())) for trigger in triggers]
    starting = await longest_delay(5 + 2.2 * interval)  # the first polls: of the project, then of the stage
    emulator.clear_journal()
    spent = time.process_time()
    delay = await longest_delay(seconds)
    costs = {
        "requests_per_minute": round(60 * len(emulator.journal()) / seconds, 1),
        "delay_when_starting_ms": round(1000 * starting, 1),
        "longest_delay_ms": round(1000 * delay, 1),
        "cpu_percent": round(100 * (time.process_time() - spent) / seconds, 2),
        "memory_above_idle_mb": round(memory() - idle, 1),
    }
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return costs


def memory() -> float:
    """Resident memory of this process, in MB."""
    gc.collect()
    return float(psutil.Process().memory_info().rss / 2**20)


def measure(emulator: Emulator, name: str, create: Trigger, projects: list[str], waits: int, options: Any) -> Any:
    """Measure so many waits on these projects."""
    before, began = cpu_seconds(emulator.process_id), time.monotonic()
    triggers = [create(projects[number % len(projects)]) for number in range(waits)]
    costs = asyncio.run(run_triggers(triggers, emulator, options.interval, options.seconds))
    spent = cpu_seconds(emulator.process_id) - before
    return {
        "contender": name,
        "waits": waits,
        "projects": len(projects),
        "interval_s": options.interval,
        **costs,
        "emulator_cpu_percent": round(100 * spent / (time.monotonic() - began), 1),
    }


def measure_python_sensor(emulator: Emulator, pair: KeyPair, project: str, interval: float) -> dict[str, Any]:
    """Measure one poll of a `PythonSensor` with the vendor's SDK, each in a process of its own, as a worker has it."""
    code = _POKE.format(key=pair.private, domain=emulator.url, project=project)
    emulator.clear_journal()
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    for _ in range(_POKES):
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (spent.ru_utime + spent.ru_stime - before.ru_utime - before.ru_stime) / _POKES
    return {
        "contender": "python_sensor_with_sdk",
        "interval_s": interval,
        "requests_of_a_poll": len(emulator.journal()) / _POKES,
        "cpu_seconds_of_a_poll": round(cpu, 2),
        "seconds_of_a_poll": round((time.monotonic() - began) / _POKES, 2),
        "memory_of_a_poll_mb": round(spent.ru_maxrss / 1024),
        "most_waits_of_a_core": int(interval / cpu),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--waits", type=int, nargs="+")
    parser.add_argument("--interval", type=float, help="seconds between two polls")
    parser.add_argument("--seconds", type=float, help="how long each measurement takes")
    options = parse(
        parser, waits=Sizes([100], [1, 100, 1_000, 2_000]), interval=Sizes(5.0, 30.0), seconds=Sizes(10.0, 60.0)
    )
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "WARNING")  # each wait writes a line into its own log
    pair = KeyPair.generate()
    ratios: dict[str, float] = {}
    with Emulator.start(python=str(EMULATOR_PYTHON)) as emulator:
        emulator.authorize(pair.public, email=EMAIL)
        extra = {"private_key": pair.private}
        os.environ[CONNECTION] = json.dumps({"conn_type": "encord", "host": emulator.url, "extra": extra})
        most = max(options.waits)
        projects = [
            emulator.project(owner=EMAIL, title=f"Waited {number}", rows=1)["project_id"] for number in range(most)
        ]
        for name, kind in (("sensor", sensor), ("watcher", watcher)):
            for waits in options.waits:
                create = kind(options.interval)
                on_one = measure(emulator, name, create, projects[:1], waits, options)
                on_many = measure(emulator, name, create, projects[:waits], waits, options)
                print(json.dumps(on_one), flush=True)
                print(json.dumps(on_many), flush=True)
                ratios[f"requests_of_{waits}_{name}s_on_one_project_to_one"] = on_one["requests_per_minute"] / (
                    60 / options.interval
                )
        python_sensor = measure_python_sensor(emulator, pair, projects[0], options.interval)
        print(json.dumps(python_sensor), flush=True)
        cpu_of_ours = on_many["cpu_percent"] / 100 * options.interval / most
        ratios["cpu_of_a_poll_of_python_sensor_to_watcher"] = python_sensor["cpu_seconds_of_a_poll"] / cpu_of_ours
    print(json.dumps({"ratios": {name: round(ratio, 2) for name, ratio in ratios.items()}}))


if __name__ == "__main__":
    main()
