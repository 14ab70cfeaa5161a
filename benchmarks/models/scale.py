"""Hours, requests and memory of large jobs, from measured costs: a model without I/O, for `benchmarks/scale.py`.

A job is cut into requests of a kind. Each request takes Encord's latency and our CPU; workers send some at once, and
Encord takes so many a minute. So there are three limits:

- slots: requests that are in flight, divided by the latency,
- rate: what Encord allows,
- CPU: what the cores of the workers can read and write.

Airflow needs CPU to start each part, which is added: tasks that are started at once begin late.
"""

from __future__ import annotations

import dataclasses
import heapq
import math

MB_IDLE = 127.0
"""Airflow itself in a process, before any work (benchmarks/README.md)."""
START_CORE_SECONDS = 5.3
"""CPU of Airflow to start and end a task: what is left of the times of the cluster's exports (benchmarks/README.md)."""


@dataclasses.dataclass(frozen=True)
class Deployment:
    """What a job runs on.

    :param slots: Tasks at once, on all workers.
    :param cores: Of all workers.
    :param requests_per_minute: What Encord allows; None: no limit.
    :param latency: Seconds that Encord takes for a request, beside what each item takes.
    """

    slots: int
    cores: int
    latency: float
    requests_per_minute: float | None = None


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a kind of job costs.

    :param items_per_request: As this provider asks for them by default.
    :param requests_at_once: Of one task.
    :param encord_seconds: That Encord (or its storage) takes for an item, beside the latency of its request.
    :param cpu_seconds: Of ours for an item, on one core.
    :param cpu_per_request: The same for a request.
    :param bytes_kept: Memory for each item of a task's part, such as its row in a listing.
    :param bytes_in_flight: Memory of one request that is being answered.
    :param requests_per_part: Before its first item, such as a listing.
    """

    items_per_request: int
    requests_at_once: int
    cpu_seconds: float
    encord_seconds: float = 0.0
    cpu_per_request: float = 0.0
    bytes_kept: float = 0.0
    bytes_in_flight: float = 0.0
    requests_per_part: int = 1


@dataclasses.dataclass(frozen=True)
class Estimate:
    """What comes out.

    :param seconds: In all.
    :param memory_mb: Of one task's process, at its highest.
    :param bottleneck: What takes longest: ``slots``, ``rate``, ``CPU`` or ``starts``.
    :param knob: What moves it.
    """

    seconds: float
    requests: int
    memory_mb: float
    bottleneck: str
    knob: str


KNOBS = {
    "slots": "more workers or mapped parts, or `max_concurrency`",
    "rate": "a higher limit from Encord, or larger requests",
    "CPU": "more cores",
    "starts": "fewer and larger parts, or more cores",
}


def requests_of(cost: Cost, items: int, parts: int) -> int:
    """How many requests a job of so many items takes, in so many parts."""
    return parts * (cost.requests_per_part + math.ceil(items / parts / cost.items_per_request))


def estimate(cost: Cost, items: int, parts: int, on: Deployment) -> Estimate:
    """Estimate one job that is cut into parts, of which as many run at once as there are slots."""
    requests = requests_of(cost, items, parts)
    starts = parts * START_CORE_SECONDS / on.cores
    at_once = min(parts, on.slots)
    per_request = on.latency + cost.encord_seconds * items / max(1, requests)
    limits = {
        "slots": requests * per_request / (at_once * cost.requests_at_once),
        "rate": 60 * requests / on.requests_per_minute if on.requests_per_minute else 0.0,
        "CPU": _cpu(cost, items, requests) / min(on.cores, at_once),
        "starts": starts,
    }
    bottleneck = max(limits, key=lambda name: limits[name])
    memory = cost.bytes_kept * math.ceil(items / parts) + cost.bytes_in_flight * cost.requests_at_once
    seconds = starts + simulate(cost, items, parts, on)
    return Estimate(seconds, requests, MB_IDLE + memory / 2**20, bottleneck, KNOBS[bottleneck])


def simulate(cost: Cost, items: int, parts: int, on: Deployment, most_events: int = 200_000) -> float:
    """Play the requests of a job: each waits for a connection, for its turn, and for a core. Seconds.

    Several requests are played as one if there are too many of them.
    """
    requests = requests_of(cost, items, parts)
    together = max(1, math.ceil(requests / most_events))
    at_once = min(parts, on.slots)
    # The first request of a part comes before the others, which are sent at once.
    connections = [on.latency if cost.requests_per_part else 0.0] * (at_once * cost.requests_at_once)
    requests -= at_once if cost.requests_per_part else 0
    cores = [0.0] * min(on.cores, at_once)
    waits = together * (on.latency + cost.encord_seconds * items / requests)
    works = together * _cpu(cost, items, requests) / requests
    turn, between = 0.0, together * (60 / on.requests_per_minute if on.requests_per_minute else 0.0)
    ended = 0.0
    for _ in range(math.ceil(requests / together)):
        starts = max(heapq.heappop(connections), turn)
        turn = max(turn, starts) + between
        answered = starts + waits
        done = max(answered, heapq.heappop(cores)) + works
        heapq.heappush(cores, done)
        heapq.heappush(connections, done)
        ended = max(ended, done)
    return ended


def _cpu(cost: Cost, items: int, requests: int) -> float:
    return cost.cpu_seconds * items + cost.cpu_per_request * requests


@dataclasses.dataclass(frozen=True)
class Waiting:
    """What waits cost in a triggerer.

    :param requests_per_minute: Of all polls together.
    :param cores: That they take.
    :param triggerers: That are needed, of so many waits each.
    """

    requests_per_minute: float
    cores: float
    memory_mb: float
    triggerers: int


def waits(
    number: int, questions: int, interval: float, *, cpu_per_poll: float, kb_per_wait: float, per_triggerer: int = 1000
) -> Waiting:
    """Waits share the polls of one question, in each triggerer.

    :param questions: Different ones, such as stages.
    :param per_triggerer: Airflow's ``[triggerer] capacity``.
    """
    triggerers = math.ceil(number / per_triggerer)
    # A question whose waits are in several triggerers is asked by each of them.
    polls = min(number, questions * triggerers)
    each_minute = polls * 60 / interval
    return Waiting(each_minute, each_minute / 60 * cpu_per_poll, number * kb_per_wait / 1024, triggerers)
