"""Many tasks and a limit of requests a minute: how long until all are done, and how often Encord refuses.

Each task is a process of its own, as in Airflow, with a credential that all share, and sends requests one after the
other; so many tasks run at once as there are slots. The optimum is the time until the emulator has taken all requests
at its limit. Prints a line of JSON for each contender, and the ratios of their times to the optimum.
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

from benchmarks.calls import EMAIL
from benchmarks.sizes import Sizes, parse
from demo.environment import EMULATOR_PYTHON, KeyPair
from encord_emulator.process import Emulator

_MINUTE = 60.0
Task = Callable[..., float]
"""Sends so many requests about a project: private key, address, project, number of requests."""


def provider(key: str, url: str, project: str, requests: int, *, shared: bool, rate: float | None = None) -> float:
    """With this package; the longest wait before a request in seconds.

    :param shared: Whether the processes know of each other, as with the hook.
    """
    from airflow_provider_encord.client.client import EncordClient
    from airflow_provider_encord.client.credentials import SshKey
    from airflow_provider_encord.client.transport.pacing import (
        FileStore,
        MemoryStore,
        Pacer,
        shared_file,
        shared_name,
    )
    from airflow_provider_encord.client.transport.settings import Settings
    from airflow_provider_encord.client.transport.sync import SyncTransport

    waits = [0.0]

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        time.sleep(seconds)

    credential, settings = SshKey.parse(key), Settings(base_url=url)
    file = shared_file(shared_name(url, "all")) if shared else None
    pacer = Pacer(MemoryStore() if file is None else FileStore(file), rate=rate)
    transport = SyncTransport(credential, settings, pacer=pacer, sleep=sleep)
    with EncordClient(credential, settings, transport=transport) as client:
        for _ in range(requests):
            client.project(project).get()
    return max(waits)


def sdk(key: str, url: str, project: str, requests: int) -> float:
    """With the vendor's SDK, whose call sends at least one request; its waits are not known."""
    from encord import EncordUserClient

    client = EncordUserClient.create_with_ssh_private_key(key, domain=url)
    for _ in range(requests):
        client.get_project(project)
    return 0.0


CONTENDERS: dict[str, Task] = {
    "together": functools.partial(provider, shared=True),
    "rate_limit": functools.partial(provider, shared=True),
    "each for itself": functools.partial(provider, shared=False),
    "sdk": sdk,
}


def _attempt(task: Task, arguments: tuple[str, str, str, int]) -> tuple[str, float]:
    try:
        return "", task(*arguments)
    except Exception as error:  # noqa: BLE001 - counted
        return type(error).__name__, 0.0


def run(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """One contender."""
    with tempfile.TemporaryDirectory() as directory, Emulator.start(python=str(EMULATOR_PYTHON)) as emulator:
        os.environ["TMPDIR"] = tempfile.tempdir = directory
        key = KeyPair.generate()
        emulator.authorize(key.public, email=EMAIL)
        project = emulator.project(owner=EMAIL, title="Street", rows=1)["project_id"]
        emulator.clear_journal()
        emulator.limits(requests_per_minute=options.requests_per_minute)
        task = CONTENDERS[name]
        if name == "rate_limit":
            task = functools.partial(task, rate=options.requests_per_minute / _MINUTE)
        arguments = (key.private, emulator.url, project, options.requests)
        begun = time.monotonic()
        with multiprocessing.get_context("fork").Pool(options.slots, maxtasksperchild=1) as pool:
            ended = pool.starmap(_attempt, [(task, arguments)] * options.tasks, chunksize=1)
        seconds = time.monotonic() - begun
        answers = [entry["status"] for entry in emulator.journal()]
    tempfile.tempdir = None
    taken = len(answers) - answers.count(429)
    return {
        "contender": name,
        "seconds": round(seconds, 1),
        "optimum": (taken - 1) // options.requests_per_minute * _MINUTE,
        "at_the_rate": round(taken / options.requests_per_minute * _MINUTE, 1),
        "requests": len(answers),
        "refused": answers.count(429),
        "tasks_failed": sum(bool(error) for error, _ in ended),
        "longest_wait": round(max(wait for _, wait in ended), 1),
    }


def main() -> None:
    """Read the arguments, and measure."""
    parser = argparse.ArgumentParser(prog="rate_limit", description=__doc__)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--slots", type=int, default=32, help="tasks that run at once (32)")
    parser.add_argument("--requests", type=int, default=10, help="of each task (10)")
    parser.add_argument("--requests-per-minute", type=int, default=600, help="that the emulator takes (600)")
    parser.add_argument("--contenders", nargs="*", choices=CONTENDERS)
    options = parse(parser, contenders=Sizes(["together"], [*CONTENDERS]))
    for name in options.contenders:
        print(json.dumps(run(name, options)), flush=True)


if __name__ == "__main__":
    main()
