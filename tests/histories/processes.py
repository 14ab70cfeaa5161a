"""An attempt of a task in a process of its own, which can be stopped, continued and killed between any two steps.

A step is what the world outside can see: a request, or a file that is renamed or deleted. The process is a fork of the
test, so a kill is a real one (no ``finally`` runs), and a stopped attempt beside another one is a real overlap, in an
order that the history decides.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import faulthandler
import gc
import multiprocessing
import os
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.airflow_layer.masker import mask_nothing
from tests.object_stores import WRITES

GREEN, RETRY, FAIL, SKIP, RAW, KILLED = "green", "retry", "fail", "skip", "raw", "killed"
_PATIENCE = 120.0  # seconds for one stretch of an attempt
_LONGEST_SLEEP = 0.01


@dataclasses.dataclass(frozen=True)
class End:
    """How an attempt ended.

    :param kind: `GREEN`; `RETRY` (AirflowException), `FAIL` (AirflowFailException), `SKIP` (AirflowSkipException);
        `RAW` (another exception, which is always a defect); `KILLED`.
    :param result: What the task returned.
    :param text: The message, or the traceback of a raw exception.
    """

    kind: str
    result: Any = None
    text: str = ""


class Attempt:
    """Starts the process and runs it up to its first stop.

    :param work: What it does; returns the result of the task.
    :param directory: Renaming and deleting files in it are steps.
    :param stop_at: Number of the step before which it stops, from 1; None runs it to its end.
    """

    def __init__(self, work: Callable[[], Any], directory: Path, *, stop_at: int | None = None):
        self.end: End | None = None
        self.step = ""
        ours, theirs = multiprocessing.Pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self._process = os.fork()
        if self._process == 0:
            ours.close()
            _run(work, directory, theirs, stop_at)
        theirs.close()
        self._pipe = ours
        self._listen()

    def go_on(self, steps: int | None = None) -> None:
        """Continue a stopped attempt, for so many steps or to its end."""
        assert self.end is None
        self._pipe.send(steps)
        self._listen()

    def kill(self) -> None:
        """End a stopped attempt as a lost worker does."""
        assert self.end is None
        os.kill(self._process, signal.SIGKILL)
        self._ended(End(KILLED, text=f"before {self.step}"))

    def _listen(self) -> None:
        if not self._pipe.poll(_PATIENCE):
            os.kill(self._process, signal.SIGABRT)
            self._ended(End(RAW, text=f"The attempt hung for {_PATIENCE:.0f} s; stderr says where."))
            return
        try:
            stopped, news = self._pipe.recv()
        except EOFError:
            self._ended(End(RAW, text="The process of the attempt ended without a word."))
            return
        if stopped:
            self.step = news
        else:
            self._ended(news)

    def _ended(self, end: End) -> None:
        self.end = end
        self._pipe.close()
        os.waitpid(self._process, 0)


def _run(work: Callable[[], Any], directory: Path, pipe: Connection, stop_at: int | None) -> None:
    """The life of the process."""
    try:
        gc.freeze()
        be_quiet()
        _renew_threads()
        stops = Stops(pipe, stop_at)
        watch(stops, str(directory))
        hurry()
        end = end_of(work)
        stops.over = True
        pipe.send((False, end))
    except BaseException:  # noqa: BLE001 - nothing may come back into the test from here
        traceback.print_exc()
    finally:
        os._exit(0)


def _renew_threads() -> None:
    """The test's process may have started the thread that reads connections for coroutines. A fork is without it."""
    from asgiref.sync import SyncToAsync

    SyncToAsync.single_thread_executor = concurrent.futures.ThreadPoolExecutor(max_workers=1)


def be_quiet() -> None:
    """Tasks log a lot. What ends a process still goes to where errors went."""
    errors = os.fdopen(os.dup(2), "w")
    faulthandler.enable(errors)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)


def end_of(work: Callable[[], Any]) -> End:
    """Run the work, and say how it ended."""
    from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowSkipException

    kinds = {AirflowException: RETRY, AirflowFailException: FAIL, AirflowSkipException: SKIP}
    try:
        return End(GREEN, result=work())
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what the test wants to know
        kind = kinds.get(type(error), RAW)
        return End(kind, text=str(error) if kind != RAW else traceback.format_exc())


class Stops:
    """Where an attempt stops: it says so through the pipe, and waits for how many steps it may go on.

    :param stop_at: Number of the step before which it stops first, from 1; None: it does not.
    :param only: A regular expression for the names of steps; others are not counted.
    """

    def __init__(self, pipe: Connection, stop_at: int | None, only: str = ""):
        self._pipe, self._stop_at, self._only = pipe, stop_at, re.compile(only)
        self._number, self._lock, self._last = 0, threading.RLock(), ""
        self.over = False

    def step(self, name: str) -> None:
        """A step is about to be taken."""
        with self._lock:
            if self.over or name == self._last:  # how often a job is polled depends on the machine
                return
            self._last = name
            if not self._only.search(name):
                return
            self._number += 1
            if self._number == self._stop_at:
                self._pipe.send((True, name))
                more = self._pipe.recv()
                self._stop_at = None if more is None else self._number + more


def watch(stops: Stops, directory: str) -> None:
    """Make steps of requests, of files in a directory, and of objects in a store of the tests."""
    import httpx
    import requests.adapters

    send, handle = requests.adapters.HTTPAdapter.send, httpx.AsyncHTTPTransport.handle_async_request

    def watched(self: Any, request: Any, *arguments: Any, **more: Any) -> Any:
        stops.step(f"{request.method} {request.path_url} {_operation(request.body)}")
        return send(self, request, *arguments, **more)

    async def watched_async(self: Any, request: Any) -> Any:
        stops.step(f"{request.method} {request.url.path}")
        return await handle(self, request)

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("os.rename", "os.remove") and str(arguments[0]).startswith(directory):
            stops.step(f"{event} {os.path.relpath(str(arguments[0]), directory)}")
        elif event == WRITES:
            stops.step(f"object {arguments[0]}")

    requests.adapters.HTTPAdapter.send = watched
    httpx.AsyncHTTPTransport.handle_async_request = watched_async
    sys.addaudithook(audit)


def _operation(body: Any) -> str:
    """The operation of a v1 request."""
    import json

    if not isinstance(body, str | bytes):
        return ""
    try:
        envelope = json.loads(body)
        return f"{envelope['query_type']} {envelope['query_method']}"
    except (ValueError, KeyError, TypeError):
        return ""


def hurry() -> None:
    """Wait between tries for no time worth naming, and mask nothing, as nothing is printed: a history has many tries.

    Airflow's masker compiles an expression of all secrets again for each line of each key.
    """
    from airflow_provider_encord.client.transport import retry
    from airflow_provider_encord.client.transport.sync import SyncTransport

    mask_nothing()
    sleep = time.sleep
    retry.delay = lambda state: 0.0
    defaults = SyncTransport.__init__.__kwdefaults__
    assert defaults is not None
    defaults["sleep"] = lambda seconds: sleep(min(seconds, _LONGEST_SLEEP))
