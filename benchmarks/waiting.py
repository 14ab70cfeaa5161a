"""What waits in the triggerer cost: requests, delay of the event loop, CPU and memory.

Waits on one project and waits on as many projects, in one event loop as the triggerer has it. The waits never end. The
emulator is a process of its own. Prints a line of JSON for each number of waits, and the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import time
from typing import Any

from benchmarks.calls import EMAIL, cpu_seconds
from demo.environment import EMULATOR_PYTHON, KeyPair
from encord_emulator.process import Emulator

CONNECTION = "AIRFLOW_CONN_ENCORD_DEFAULT"
_TICK = 0.01  # seconds between two looks at the loop


async def longest_delay(seconds: float) -> float:
    """Measure by how many seconds the event loop was late at most."""
    loop, longest = asyncio.get_running_loop(), 0.0
    end = loop.time() + seconds
    while loop.time() < end:
        began = loop.time()
        await asyncio.sleep(_TICK)
        longest = max(longest, loop.time() - began - _TICK)
    return longest


async def wait_for(projects: list[str], waits: int, interval: float, seconds: float) -> dict[str, float]:
    """Start waits, let each of them poll, and measure.

    :param projects: Ids of the projects, which are used in turn.
    :param interval: Seconds between two polls.
    :param seconds: How long to measure.
    """
    from airflow_provider_encord.triggers.waits import EncordWaitTrigger
    from airflow_provider_encord.waits.conditions import StatusCondition, to_dictionary

    async def wait(number: int) -> None:
        condition = StatusCondition(project_id=projects[number % len(projects)], statuses=["archived"])
        trigger = EncordWaitTrigger(
            condition=to_dictionary(condition),
            deadline=time.time() + 86_400,
            encord_conn_id="encord_default",
            poll_interval=interval,
        )
        async for event in trigger.run():
            raise RuntimeError(f"A wait ended: {event}")

    running = [asyncio.create_task(wait(number)) for number in range(waits)]
    starting = await longest_delay(5 + interval)
    spent = time.process_time()
    delay = await longest_delay(seconds)
    costs = {
        "delay_when_starting_ms": round(1000 * starting, 1),
        "longest_delay_ms": round(1000 * delay, 1),
        "cpu_percent": round(100 * (time.process_time() - spent) / seconds, 2),
    }
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return costs


def measure(emulator: Emulator, projects: list[str], waits: int, options: Any) -> dict[str, Any]:
    """Measure so many waits on these projects."""
    emulator.clear_journal()
    before, began = cpu_seconds(emulator.process_id), time.monotonic()
    costs = asyncio.run(wait_for(projects, waits, options.interval, options.seconds))
    minutes = (time.monotonic() - began) / 60
    return {
        "waits": waits,
        "projects": len(projects),
        "interval_s": options.interval,
        "requests_per_minute": round(len(emulator.journal()) / minutes, 1),
        **costs,
        "most_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "emulator_cpu_percent": round(100 * (cpu_seconds(emulator.process_id) - before) / (60 * minutes), 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--waits", type=int, nargs="+", default=[1, 100, 1_000, 2_000])
    parser.add_argument("--interval", type=float, default=30.0, help="seconds between two polls")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each measurement takes")
    options = parser.parse_args()
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "WARNING")  # each wait writes a line into its own log
    pair = KeyPair.generate()
    ratios: dict[str, float] = {}
    with Emulator.start(python=str(EMULATOR_PYTHON)) as emulator:
        emulator.authorize(pair.public, email=EMAIL)
        extra = {"private_key": pair.private}
        os.environ[CONNECTION] = json.dumps({"conn_type": "encord", "host": emulator.url, "extra": extra})
        projects = [
            emulator.project(owner=EMAIL, title=f"Waited {number}", rows=1)["project_id"]
            for number in range(max(options.waits))
        ]
        for waits in options.waits:
            on_one = measure(emulator, projects[:1], waits, options)
            on_many = measure(emulator, projects[:waits], waits, options)
            print(json.dumps(on_one), flush=True)
            print(json.dumps(on_many), flush=True)
            ratios[f"requests_of_{waits}_projects_to_one"] = round(
                on_many["requests_per_minute"] / on_one["requests_per_minute"], 2
            )
    print(json.dumps({"ratios": ratios}))


if __name__ == "__main__":
    main()
