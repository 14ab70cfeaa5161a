"""The whole cluster: the servers, Airflow, the emulator as Encord with an account on it, and what is in the bucket."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from encord_emulator.process import Emulator
from tests.airflow_layer.bench import Account
from tests.cluster.fleet import PAIRS, WORKERS, Fleet
from tests.cluster.links import Links
from tests.cluster.servers import ObjectStore, Postgres, Redis
from tests.deployment.orphans import watched
from tests.deployment.polling import poll
from tests.free_port import free_port

if TYPE_CHECKING:
    from botocore.client import BaseClient

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = CHECKOUT / ".work" / "cluster"
DAGS = Path(__file__).parent / "dags"
BUCKET = "cluster"
EMULATOR = "encord-emulator"
"""Its name among the parts."""
READ_TIMEOUT = 20
"""Seconds until a request is given up: before an Encord that stands still does what it was asked. By default 180."""


class World:
    """Everything, from `__enter__` to `__exit__`; it starts from nothing each time.

    :param folder: Where everything is stored; emptied at the start.
    :param workers: Those that start with the rest.
    :param servers: Schedulers, triggerers and API servers, of `PAIRS`.
    """

    def __init__(
        self, folder: Path = FOLDER, workers: tuple[str, ...] = tuple(WORKERS), servers: tuple[str, ...] = tuple(PAIRS)
    ) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.folder = folder
        self._workers, self._servers = workers, servers
        self._stack = contextlib.ExitStack()
        self._service_time = 0.0

    def __enter__(self) -> World:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def uri(self, path: str) -> str:
        """Of an object in the bucket, as Airflow reads it."""
        return f"s3://aws_default@{BUCKET}/{path}"

    def put(self, objects: Mapping[str, bytes]) -> None:
        """Put objects into the bucket, by their keys."""
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda one: self.s3.put_object(Bucket=BUCKET, Key=one[0], Body=one[1]), objects.items()))

    def slow_down(self, seconds: float) -> None:
        """Let Encord take so long for each request, beside what it takes to do it."""
        self._service_time = seconds
        self.emulator.clear_faults()
        if seconds:
            self.emulator.faults([{"do": {"delay_s": seconds}}])

    def start_emulator(self) -> None:
        """Start the emulator, again after `Emulator.kill`: at its port, with what it had stored."""

        def look() -> Emulator | None:
            with contextlib.suppress(Exception):  # the port is in use for a moment
                return Emulator.start(port=self._encord_port, database=self.folder / "encord.db")
            return None

        self.emulator = poll(look, "the emulator to start", 60)
        if self._service_time:
            self.slow_down(self._service_time)

    def processes(self) -> dict[str, int]:
        """Process id of every part that runs."""
        servers = {one.name: one.process.pid for one in (self.postgres, self.redis, self.store) if one.process}
        return {**servers, EMULATOR: self.emulator.process_id, **self.fleet.running}

    def _start(self) -> None:
        began = time.monotonic()
        self._stack.enter_context(watched())
        self._encord_port = free_port()
        self.start_emulator()
        self._stack.callback(lambda: self.emulator.stop())
        self.account = Account(self.emulator, role="ADMIN")
        links = self._stack.enter_context(Links())
        self.postgres, self.redis = Postgres(self.folder / "postgres"), Redis(self.folder / "redis")
        self.store = ObjectStore(self.folder / "s3")
        self._stack.callback(self.postgres.remove)
        for server in (self.postgres, self.redis, self.store):
            self._stack.callback(server.stop)
            server.start()
        self.to_s3 = links.to(self.store.port)
        self.s3 = _s3(self.store.port)
        self.s3.create_bucket(Bucket=BUCKET)
        print(f"The servers run after {time.monotonic() - began:.0f} s.", flush=True)
        self.fleet = self._stack.enter_context(
            Fleet(
                Path(sys.executable),
                self.folder / "airflow",
                DAGS,
                postgres=self.postgres,
                redis=self.redis,
                links=links,
                workers=self._workers,
                servers=self._servers,
            )
        )
        self.fleet.connect("encord_default", self.account.connection(read_timeout=READ_TIMEOUT))
        self.fleet.connect_s3(self.to_s3.port)
        print(f"Airflow runs after {time.monotonic() - began:.0f} s: {', '.join(self.processes())}.", flush=True)


def _s3(port: int) -> BaseClient:
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name="us-east-1",
        config=Config(max_pool_connections=8, proxies={}),
    )


def prepare_environment() -> None:
    """Let nothing of the machine come between the parts: no proxies."""
    for name in list(os.environ):
        if name.lower() in ("http_proxy", "https_proxy", "all_proxy"):
            del os.environ[name]
    os.environ["NO_PROXY"] = "*"
    os.environ.setdefault("ENCORD_EMULATOR_PYTHON", str(CHECKOUT / ".venvs" / "emulator" / "bin" / "python"))
