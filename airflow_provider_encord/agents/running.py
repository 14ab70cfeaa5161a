"""Running a function on several tasks: one after the other, in threads, or as coroutines. Answers come as they end."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_turn(items: Sequence[T], call: Callable[[T], R]) -> Iterator[R]:
    """Call a function for one item after the other."""
    return map(call, items)


def in_threads(items: Sequence[T], call: Callable[[T], R], limit: int) -> Iterator[R]:
    """Call a function in threads.

    :param limit: How many calls may run at once.
    """
    pool = concurrent.futures.ThreadPoolExecutor(limit, thread_name_prefix="encord-agent")
    try:
        for future in concurrent.futures.as_completed([pool.submit(call, item) for item in items]):
            yield future.result()
    finally:
        # If the task is killed, it raises here. Calls that have not started must not start any more.
        pool.shutdown(wait=False, cancel_futures=True)


def as_coroutines(items: Sequence[T], call: Callable[[T], Coroutine[Any, Any, R]], limit: int) -> Iterator[R]:
    """Call a coroutine function on an event loop of this thread. The loop pauses while an answer is handled.

    :param limit: How many calls may run at once.
    """
    waiting, running = list(reversed(items)), set[asyncio.Task[R]]()

    async def step() -> set[asyncio.Task[R]]:
        while waiting and len(running) < limit:
            running.add(asyncio.create_task(call(waiting.pop())))
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        return done

    with asyncio.Runner() as runner:  # at its end, calls that still run are cancelled
        while waiting or running:
            for task in runner.run(step()):
                running.discard(task)
                yield task.result()
