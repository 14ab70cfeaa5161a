"""Airflow in many processes: two schedulers, triggerers and API servers, a DAG processor, and Celery workers, each with
ways of its own to Redis, PostgreSQL and an API server.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import requests

from tests.cluster.links import Link, Links
from tests.cluster.servers import Postgres, Redis
from tests.deployment.polling import DeploymentError, poll
from tests.deployment.processes import DAG_PROCESSOR, SCHEDULER, START_SECONDS, TRIGGERER, WEB, Deployment
from tests.free_port import free_port

WORKER = "worker"
PAIRS = [f"{name}-{number}" for name in (WEB, SCHEDULER, TRIGGERER) for number in (1, 2)]
SERVERS_ALONE = tuple(f"{name}-1" for name in (WEB, SCHEDULER, TRIGGERER))
"""One of each, for runs that look for what grows."""
WORKERS = [f"{WORKER}-{number}" for number in (1, 2, 3, 4)]
SLOTS = 3
"""Tasks that a worker runs at once."""
MOST_RESTARTS = 20
SOON = {
    # What a component that is gone held is taken over after so many seconds. Airflow's own times are minutes.
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "15",
    "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "20",
    "SCHEDULER__TASK_QUEUED_TIMEOUT": "45",
    "SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "10",
    "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "20",
    # A message that a worker took along is given to another one. Airflow 3.3 ignores it if its task runs still.
    "CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": "120",
}


class Fleet(Deployment):
    """Airflow, from `__enter__` to `__exit__`, with the components that `components` names.

    :param python: Interpreter of the environment that Airflow is installed in.
    :param home: As for `Deployment`.
    :param dags: Folder of the DAGs.
    :param postgres: Runs already.
    :param redis: Runs already.
    :param links: For the ways of the workers.
    :param workers: Those that start with the rest; `start` adds one of `WORKERS`.
    :param servers: Which of `PAIRS` there are.
    """

    def __init__(
        self,
        python: Path,
        home: Path,
        dags: Path,
        *,
        postgres: Postgres,
        redis: Redis,
        links: Links,
        workers: Iterable[str] = WORKERS,
        servers: Iterable[str] = PAIRS,
    ) -> None:
        self._postgres, self._redis = postgres, redis
        self._second_port = free_port()
        self.to_postgres: Mapping[str, Link] = {name: links.to(postgres.port) for name in WORKERS}
        self.to_redis: Mapping[str, Link] = {name: links.to(redis.port) for name in WORKERS}
        self._started = False
        self._restarts: dict[str, int] = {}
        super().__init__(python, home, dags, components=[*servers, DAG_PROCESSOR, *workers])
        turns = itertools.cycle(self._ports)
        self.to_web: Mapping[str, Link] = {name: links.to(next(turns)) for name in WORKERS}

    @property
    def execution_url(self) -> str:
        """Of one of the two API servers; workers have ways of their own to them."""
        return self.url

    @property
    def _ports(self) -> list[int]:
        """Of the API servers."""
        return [self.port, self._second_port] if f"{WEB}-2" in self.components else [self.port]

    @property
    def running(self) -> Mapping[str, int]:
        """Process id of each component that runs."""
        return {name: process.pid for name, process in self._processes.items()}

    def __enter__(self) -> Fleet:
        super().__enter__()
        self._started = True
        return self

    def take_restarts(self) -> dict[str, int]:
        """How often each component has ended by itself since the last call; it was started again."""
        taken, self._restarts = self._restarts, {}
        return taken

    def stop(self) -> None:
        """End every process. A worker that is asked kindly waits for its tasks, whose processes are asked as well."""
        for name in [one for one in self._processes if one in WORKERS]:
            self.kill(name)
        super().stop()

    def listening(self) -> set[tuple[str, int]]:
        """As for `Deployment`; also of the servers around Airflow."""
        found = set()
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                connections = process.net_connections("inet")
                found |= {(one.laddr.ip, one.laddr.port) for one in connections if one.status == psutil.CONN_LISTEN}
        return found

    def add_workers(self, names: Iterable[str]) -> None:
        """Start those that do not run yet, and wait until they take tasks."""
        for name in names:
            if name not in self._processes:
                self.start(name)
        poll(lambda: self._ready() or None, "the workers to be ready", START_SECONDS, every=1.0)

    def all_done(self, runs: Iterable[str], seconds: float) -> dict[str, str]:
        """Wait until runs of `trigger` have ended; the state of each. An API that cannot answer is asked again.

        :raises DeploymentError: They did not end in time.
        """
        left, states = set(runs), {}

        def look() -> bool | None:
            self._assert_alive()
            for run in list(left):
                if (state := self.state(run)) in ("success", "failed"):
                    states[run] = state
                    left.discard(run)
            return None if left else True

        try:
            poll(look, "all runs to end", seconds, every=2.0)
        except DeploymentError as error:
            error.add_note("\n".join(f"{run}: {self.instances(run)}" for run in sorted(left)))
            raise
        return states

    def state(self, run: str) -> str | None:
        """State of a run; None if the API cannot say so now."""
        answer = self._answer(f"dags/{self._dag_of_run[run]}/dagRuns/{run}")
        return None if answer is None else str(answer["state"])

    def instances(self, run: str) -> list[dict[str, Any]]:
        """The task instances of a run as the API gives them; none if it cannot now."""
        answer = self._answer(f"dags/{self._dag_of_run[run]}/dagRuns/{run}/taskInstances?limit=500")
        return [] if answer is None else list(answer["task_instances"])

    def result(self, run: str, task: str, index: int = -1) -> Any:
        """What a task returned."""
        path = f"dags/{self._dag_of_run[run]}/dagRuns/{run}/taskInstances/{task}/xcomEntries/return_value"
        return self.rest("GET", f"{path}?map_index={index}&deserialize=true")["value"]

    def clear(self, run: str, tasks: Sequence[str]) -> None:
        """Clear tasks of a run, as a person does: they are tried again, also if they succeeded."""
        body = {"dry_run": False, "dag_run_id": run, "task_ids": list(tasks), "only_failed": False}
        self.rest("POST", f"dags/{self._dag_of_run[run]}/clearTaskInstances", body | {"reset_dag_runs": True})

    def connect_s3(self, port: int) -> None:
        """Store the connection ``aws_default``, to an S3 server on the loopback."""
        fields = {
            "conn_type": "aws",
            "login": "test",
            "password": "test",
            "extra": {"endpoint_url": f"http://127.0.0.1:{port}", "region_name": "us-east-1"},
        }
        self.connect("aws_default", json.dumps(fields))

    def _answer(self, path: str) -> Any:
        try:
            answer = self.request("GET", path)
            return answer.json() if answer.ok else None
        except requests.RequestException:
            return None

    def _settings(self) -> dict[str, str]:
        own = {
            "CORE__EXECUTOR": "CeleryExecutor",
            "CORE__PARALLELISM": "32",
            "CORE__MAX_ACTIVE_TASKS_PER_DAG": "16",
            "DATABASE__SQL_ALCHEMY_CONN": self._postgres.url("psycopg2"),
            "DATABASE__SQL_ALCHEMY_CONN_ASYNC": self._postgres.url("asyncpg"),
            "CELERY__BROKER_URL": self._redis.url(),
            "CELERY__RESULT_BACKEND": f"db+{self._postgres.url('psycopg2')}",
            "SCHEDULER__MIN_FILE_PROCESS_INTERVAL": "30",
            "OPERATORS__DEFAULT_DEFERRABLE": "True",
            **SOON,
        }
        return super()._settings() | {f"AIRFLOW__{name}": value for name, value in own.items()}

    def _variables_of(self, name: str) -> Mapping[str, str]:
        if name not in WORKERS:
            return {}
        temporary = self.home / "workers" / name
        temporary.mkdir(parents=True, exist_ok=True)
        database = self._postgres.url("psycopg2", self.to_postgres[name].port)
        return {
            "TMPDIR": str(temporary),
            "AIRFLOW__CELERY__BROKER_URL": self._redis.url(self.to_redis[name].port),
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{database}",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self.to_web[name].port}/execution/",
        }

    def _command(self, component: str) -> list[str] | None:
        kind, _, number = component.rpartition("-")
        if kind == WORKER:
            own = ["--celery-hostname", f"{component}@cluster", "--concurrency", str(SLOTS)]
            pid = str(self.home / f"{component}.pid")
            return ["celery", "worker", *own, "--skip-serve-logs", "--pid", pid]
        if kind == WEB:
            port = self.port if number == "1" else self._second_port
            return ["api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        return super()._command(kind if component in PAIRS else component)

    def _log_in(self) -> None:
        poll(lambda: self._ready() or None, "the workers to be ready", START_SECONDS, every=1.0)
        super()._log_in()

    def _assert_alive(self) -> None:
        """Start again what has ended, as systemd and Kubernetes do: some components end when they lose the database."""
        if not self._started:
            super()._assert_alive()
        for name, process in list(self._processes.items()):
            if process.poll() is not None:
                self._restarts[name] = self._restarts.get(name, 0) + 1
                if self._restarts[name] > MOST_RESTARTS:
                    raise DeploymentError(f"{name} ended {self._restarts[name]} times.")
                self.start(name)

    def _ready(self) -> bool:
        """Whether each worker has said so."""
        workers = [name for name in self._processes if name in WORKERS]
        return all("ready." in self._log_of(name).read_text(errors="replace") for name in workers)

    def _healthy(self) -> bool | None:
        self._assert_alive()
        for port in self._ports:
            try:
                answer = self._session.get(f"http://127.0.0.1:{port}/api/v2/monitor/health", timeout=10)
            except requests.RequestException:
                return None
            if not answer.ok:
                return None
        health = answer.json()
        wanted = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return all((health.get(name) or {}).get("status") == "healthy" for name in wanted) or None
