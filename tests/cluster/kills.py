"""What breaks while work is in progress, and how it comes back.

A sleep here is the loss itself, which lasts so long. Nothing is waited for by sleeping.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import psutil

from tests.cluster.fleet import WORKERS
from tests.cluster.links import Link
from tests.cluster.world import EMULATOR, World
from tests.deployment.processes import SCHEDULER, TRIGGERER, WEB

AWAY_SECONDS = 20
"""For how long a worker is cut off, or a killed component is missing: long enough for another to take over."""
S3_AWAY_SECONDS = 60
FROZEN_SECONDS = 50
"""For how long a part stands still: until others have taken over what it held, beside whom it runs afterwards."""
DOWN_SECONDS = 3
"""For how long what has crashed is down, so that requests to it fail meanwhile."""


def kill_workers(world: World) -> None:
    """Half of the workers die with their tasks, and come back."""
    restart(world, WORKERS[:2])


def cut_from_redis(world: World) -> None:
    """Half of the workers cannot reach Redis for a while."""
    _away([world.fleet.to_redis[name] for name in WORKERS[:2]], AWAY_SECONDS)


def cut_from_postgres(world: World) -> None:
    """Half of the workers cannot reach PostgreSQL for a while, where Celery keeps results."""
    _away([world.fleet.to_postgres[name] for name in WORKERS[:2]], AWAY_SECONDS)


def cut_from_airflow(world: World) -> None:
    """Half of the workers cannot reach the API servers for a while, to which tasks say that they live."""
    _away([world.fleet.to_web[name] for name in WORKERS[:2]], FROZEN_SECONDS)


def freeze_workers(world: World) -> None:
    """Half of the workers stand still with their tasks, as when a virtual machine is moved, and go on too late."""
    freeze(world, WORKERS[:2])


def kill_scheduler(world: World) -> None:
    """One of the schedulers dies; after a while there is a new one."""
    _replace(world, f"{SCHEDULER}-1")


def freeze_scheduler(world: World) -> None:
    """One of the schedulers stands still until the other has adopted its tasks."""
    freeze(world, [f"{SCHEDULER}-1"])


def freeze_triggerer(world: World) -> None:
    """One of the triggerers stands still until the other has taken over its triggers, which then run in both."""
    freeze(world, [f"{TRIGGERER}-1"])


def kill_triggerer(world: World) -> None:
    """One of the triggerers dies; after a while there is a new one."""
    _replace(world, f"{TRIGGERER}-1")


def kill_triggerers(world: World) -> None:
    """All triggerers die, and come back."""
    restart(world, [f"{TRIGGERER}-1", f"{TRIGGERER}-2"])


def kill_web(world: World) -> None:
    """All API servers die, and come back. Everything that a task says to Airflow passes through them."""
    restart(world, [f"{WEB}-1", f"{WEB}-2"])


def restart_redis(world: World) -> None:
    """Redis crashes and starts again."""
    world.redis.kill()
    time.sleep(DOWN_SECONDS)
    world.redis.start()


def restart_postgres(world: World) -> None:
    """PostgreSQL ends all connections at once, and starts again."""
    world.postgres.kill()
    time.sleep(DOWN_SECONDS)
    world.postgres.start()


def freeze_redis(world: World) -> None:
    """Redis keeps its connections and answers nothing for a while."""
    freeze(world, [world.redis.name])


def freeze_postgres(world: World) -> None:
    """PostgreSQL keeps its connections and answers nothing for a while."""
    freeze(world, [world.postgres.name])


def end_airflow(world: World) -> None:
    """All of Airflow dies at once, with its database and its broker, as when a machine loses its power."""
    components = list(world.fleet.running)
    for name in components:
        world.fleet.kill(name)
    world.postgres.kill()
    world.redis.kill()
    time.sleep(DOWN_SECONDS)
    world.postgres.start()
    world.redis.start()
    for name in components:
        world.fleet.start(name)


def take_s3_away(world: World) -> None:
    """Nothing reaches the S3 server for a minute."""
    _away([world.to_s3], S3_AWAY_SECONDS)


def restart_encord(world: World) -> None:
    """Encord crashes and starts again, with what it had stored."""
    world.emulator.kill()
    time.sleep(DOWN_SECONDS)
    world.start_emulator()


def freeze_encord(world: World) -> None:
    """Encord keeps its connections and answers nothing for a while; then it does what it was asked."""
    freeze(world, [EMULATOR])


ALL: Mapping[str, Callable[[World], None]] = {
    "workers killed": kill_workers,
    "workers cut off from Redis": cut_from_redis,
    "workers cut off from PostgreSQL": cut_from_postgres,
    "workers cut off from the API servers": cut_from_airflow,
    "workers frozen": freeze_workers,
    "scheduler killed": kill_scheduler,
    "scheduler frozen": freeze_scheduler,
    "triggerer killed": kill_triggerer,
    "triggerer frozen": freeze_triggerer,
    "all triggerers killed": kill_triggerers,
    "all API servers killed": kill_web,
    "Redis restarted": restart_redis,
    "Redis frozen": freeze_redis,
    "PostgreSQL restarted": restart_postgres,
    "PostgreSQL frozen": freeze_postgres,
    "all of Airflow killed": end_airflow,
    "S3 away for a minute": take_s3_away,
    "Encord restarted": restart_encord,
    "Encord frozen": freeze_encord,
}
IN_SHORT = (("workers killed",), ("Redis restarted", "Encord restarted", "PostgreSQL restarted"))
"""What breaks in each round of the short form."""


def _away(links: list[Link], seconds: float) -> None:
    for link in links:
        link.cut()
    time.sleep(seconds)
    for link in links:
        link.mend()


def restart(world: World, components: Sequence[str]) -> None:
    """Kill components, and start them again after a while.

    :param components: Their names in the fleet.
    """
    for name in components:
        world.fleet.kill(name)
    time.sleep(DOWN_SECONDS)
    for name in components:
        world.fleet.start(name)


def freeze(world: World, parts: Sequence[str]) -> None:
    """Let parts stand still with all their processes, such as the tasks of a worker, until others have taken over.

    :param parts: Their names in the world.
    """
    processes = [process for name in parts for process in _tree(world.processes()[name])]
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.suspend()
    time.sleep(FROZEN_SECONDS)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()


def _tree(process_id: int) -> Iterator[psutil.Process]:
    """The processes of a part, each before the ones that it has started."""
    waiting = [psutil.Process(process_id)]
    while waiting:
        process = waiting.pop()
        with contextlib.suppress(psutil.NoSuchProcess):
            yield process
            waiting += process.children()


def _replace(world: World, component: str) -> None:
    world.fleet.kill(component)
    time.sleep(AWAY_SECONDS)
    world.fleet.start(component)
