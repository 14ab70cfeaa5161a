"""A whole Airflow on the loopback: web server, scheduler, workers, triggerer, each a process, in a home of its own.

Left alone, Airflow opens its log servers on every interface, so the components start in turn with
``--skip-serve-logs``, and a deployment that listens anywhere but on the loopback is an error.
"""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import json
import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
import requests

from tests.deployment.environment import airflow_version, kept_variables, settings
from tests.deployment.polling import DeploymentError, poll
from tests.free_port import free_port

WEB, SCHEDULER, DAG_PROCESSOR, TRIGGERER = "web", "scheduler", "dag-processor", "triggerer"
EXECUTION_API = "execution-api"
EVERYTHING = (WEB, SCHEDULER, DAG_PROCESSOR, TRIGGERER)

USER = "admin"
START_SECONDS = 180
RUN_SECONDS = 240
STOP_SECONDS = 20


@dataclasses.dataclass
class Deployment:
    """Airflow, from `__enter__` to `__exit__`.

    :param python: Interpreter of the environment that Airflow is installed in; its version decides what is started.
    :param home: Where everything goes that Airflow stores; absolute, made if missing.
    :param dags: Folder of the DAGs.
    :param components: Which to start, of `EVERYTHING`. Airflow 2.11 has no DAG processor of its own: its scheduler
        parses.
    :param environment: More variables, such as connections; they win over the ones set here.
    :param web_workers: Processes of the API server (Airflow 3).
    """

    python: Path
    home: Path
    dags: Path
    components: Sequence[str] = EVERYTHING
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    web_workers: int = 1

    def __post_init__(self) -> None:
        if not self.home.is_absolute():
            raise ValueError(f"home must be absolute, not {self.home}: Airflow 3.3 fails otherwise.")
        self.python = self.python.absolute()  # and no resolve(): the link is what makes it a virtual environment
        self.version = airflow_version(self.python)
        self.port, self.execution_port = free_port(), free_port()
        self.password = secrets.token_urlsafe(12)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._dag_of_run: dict[str, str] = {}
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy of the machine
        self._variables = {**kept_variables(), **self._settings(), **self.environment}

    @property
    def old(self) -> bool:
        """Airflow 2: another web server, another API, a log-in."""
        return self.version < (3,)

    @property
    def url(self) -> str:
        """Of the web interface, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def execution_url(self) -> str:
        """Of the API that Airflow 3's workers and triggerer talk to."""
        return f"http://127.0.0.1:{self.execution_port}"

    @property
    def logs(self) -> Path:
        """Folder of all logs; what each component prints is ``components/<name>.log`` in it."""
        return self.home / "logs"

    def __enter__(self) -> Deployment:
        (self.logs / "components").mkdir(parents=True, exist_ok=True)
        try:
            self.cli("db", "migrate")
            if self.old:
                self._add_user()
            for name in self._all_components():
                if command := self._command(name):
                    self._start(name, command)
            poll(self._healthy, f"{', '.join(self._processes)} to be healthy", START_SECONDS)
            self.assert_loopback_only()
            if not self.old and any(name.startswith(WEB) for name in self.components):
                self._log_in()
        except BaseException as error:
            error.add_note(self._last_words())
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.assert_loopback_only()  # again: workers and triggers have come since the start
            else:
                error.add_note(self._last_words())
        finally:
            self.stop()

    def stop(self) -> None:
        """End every process of the deployment, kindly first; more than once is fine."""
        family = list(self._family())
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 15)
        _, alive = psutil.wait_procs(family, timeout=STOP_SECONDS)
        for one in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(alive, timeout=STOP_SECONDS)
        for process in self._processes.values():
            process.wait()
        self._processes.clear()
        self._session.close()

    def cli(self, *arguments: str) -> str:
        """Run an ``airflow`` command in the deployment's environment; what it prints on standard output.

        :raises DeploymentError: It failed.
        """
        command = [str(self.python), "-m", "airflow", *arguments]
        done = subprocess.run(
            command,
            env=self._variables,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise DeploymentError(
                f"airflow {arguments[0]}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
            )
        return done.stdout

    def rest(self, method: str, path: str, body: Any = None) -> Any:
        """Ask Airflow's stable REST API.

        :param path: After ``/api/v2/`` (Airflow 2.11: ``/api/v1/``).
        :return: The answer's JSON; None if it has none.
        :raises DeploymentError: The answer is an error.
        """
        answer = self.request(method, path, body)
        if not answer.ok:
            raise DeploymentError(f"{method} {path}: {answer.status_code} {answer.text[:2000]}")
        return answer.json() if answer.content else None

    def asset_events(self, uri: str) -> list[dict[str, Any]]:
        """Return the events of an asset, the oldest first.

        Airflow 3 answers 500 while a run that an event created has not started, because the answer must have the
        run's start date. So the question is repeated until the scheduler has started it.
        """

        def look() -> list[dict[str, Any]] | None:
            answer = self.request("GET", "assets/events?limit=100&order_by=timestamp")
            if answer.status_code == 500:
                return None
            answer.raise_for_status()
            return list(answer.json()["asset_events"])

        return [event for event in poll(look, "the list of asset events", RUN_SECONDS) if event["uri"] == uri]

    def request(self, method: str, path: str, body: Any = None) -> requests.Response:
        """As `rest`, and the answer as it is, even if it is an error."""
        version, auth = ("v1", (USER, self.password)) if self.old else ("v2", None)
        return self._session.request(method, f"{self.url}/api/{version}/{path}", json=body, auth=auth, timeout=60)

    def connect(self, connection_id: str, connection: str) -> None:
        """Store a connection in Airflow's database, as its web interface does; in the place of one that is there.

        :param connection: JSON, as an environment variable would hold it.
        """
        fields = json.loads(connection)
        body = {**fields, "connection_id": connection_id, "extra": json.dumps(fields["extra"])}
        self.request("DELETE", f"connections/{connection_id}")
        self.rest("POST", "connections", body)

    def restart(self, component: str) -> None:
        """Kill a component at once, as a crash would, and start it again."""
        self.kill(component)
        self.start(component)

    def kill(self, component: str) -> None:
        """Kill a component at once, with all processes that stem from it."""
        process = self._processes.pop(component)
        family = psutil.Process(process.pid)
        for one in [*family.children(recursive=True), family]:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait()

    def start(self, component: str) -> None:
        """Start a component that does not run."""
        self._start(component, self._command(component) or [])

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> str:
        """Start a run of a DAG, as soon as Airflow knows the DAG.

        :return: The run's id, unique in this deployment.
        """
        run_id = f"run-{len(self._dag_of_run) + 1}-{dag_id}"
        poll(lambda: self._knows(dag_id) or None, f"the DAG {dag_id} to be parsed", START_SECONDS, every=1.0)
        body: dict[str, Any] = {"dag_run_id": run_id, "conf": dict(conf or {})}
        if not self.old:
            body["logical_date"] = None
        self.rest("POST", f"dags/{dag_id}/dagRuns", body)
        self._dag_of_run[run_id] = dag_id
        return run_id

    def _knows(self, dag_id: str) -> bool:
        """Whether the DAG is parsed; if its file cannot be imported, fail at once, with the traceback."""
        if self.request("GET", f"dags/{dag_id}").ok:
            return True
        for error in self.rest("GET", "importErrors")["import_errors"]:
            if dag_id in (self.dags / error["filename"]).read_text():  # some tests have a broken file on purpose
                raise DeploymentError(f"{error['filename']} cannot be imported.\n{error['stack_trace']}")
        return False

    def wait(self, run_id: str, seconds: float = RUN_SECONDS) -> str:
        """Wait until a run of `trigger` has ended; its state."""

        def look() -> str | None:
            self._assert_alive()
            state: str = self.rest("GET", f"dags/{self._dag_of_run[run_id]}/dagRuns/{run_id}")["state"]
            return state if state in ("success", "failed") else None

        return poll(look, f"the run {run_id} to end", seconds, every=1.0)

    def task_states(self, run_id: str) -> dict[str, str]:
        """State of each task of a run; of a mapped task the last one."""
        tasks = self.rest("GET", f"dags/{self._dag_of_run[run_id]}/dagRuns/{run_id}/taskInstances")
        return {one["task_id"]: one["state"] for one in tasks["task_instances"]}

    def listening(self) -> set[tuple[str, int]]:
        """Address and port of each socket on which a process of the deployment waits for others."""
        found = set()
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                connections = process.net_connections("inet")
                found |= {(one.laddr.ip, one.laddr.port) for one in connections if one.status == psutil.CONN_LISTEN}
        return found

    def assert_loopback_only(self) -> None:
        """:raises DeploymentError: Something listens elsewhere."""
        elsewhere = [one for one in self.listening() if not ipaddress.ip_address(one[0]).is_loopback]
        if elsewhere:
            raise DeploymentError(f"Listens outside of the loopback: {elsewhere}.")

    def _all_components(self) -> Sequence[str]:
        """Those of `components`, and the API for workers, if there are any, in a process of its own.

        Airflow 3's API server writes its audit log on its event loop. SQLite lets that wait for every other writer,
        and a request of a worker that is written but not yet committed waits for the loop: with both in one process,
        nothing answers until the wait for the lock is over.
        """
        extra = [EXECUTION_API] if {WEB, SCHEDULER} <= {*self.components} and not self.old else []
        return [*self.components, *extra]

    def _settings(self) -> dict[str, str]:
        return settings(self)

    def _command(self, component: str) -> list[str] | None:
        if component == WEB and self.old:
            # A worker waits on a connection until something comes, and a browser opens some early: so more than one.
            return ["webserver", "--hostname", "127.0.0.1", "--port", str(self.port), "--workers", "4"]
        if component == WEB:
            return self._api_server("core", self.port, self.web_workers)
        if component == EXECUTION_API:
            return self._api_server("execution", self.execution_port, 1)
        if component == DAG_PROCESSOR:
            return None if self.old else ["dag-processor"]
        if component in (SCHEDULER, TRIGGERER):
            return [component, "--skip-serve-logs"]
        raise ValueError(f"No component is called {component!r}; there are {', '.join(EVERYTHING)}.")

    @staticmethod
    def _api_server(apps: str, port: int, workers: int) -> list[str]:
        place = ["--host", "127.0.0.1", "--port", str(port)]
        return ["api-server", "--apps", apps, *place, "--workers", str(workers)]

    def _variables_of(self, name: str) -> Mapping[str, str]:
        """What a component has of its own, beside what all have."""
        return {}

    def _start(self, name: str, command: list[str]) -> None:
        with self._log_of(name).open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [str(self.python), "-m", "airflow", *command],
                env=self._variables | self._variables_of(name),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _add_user(self) -> None:
        person = ["--email", "admin@example.com", "--firstname", "Ada", "--lastname", "Admin"]
        self.cli("users", "create", "--username", USER, "--password", self.password, "--role", "Admin", *person)

    def _log_in(self) -> None:
        token = self._session.get(f"{self.url}/auth/token", timeout=60).json()["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def _healthy(self) -> bool | None:
        self._assert_alive()
        if WEB not in self._processes:
            return True  # no process to ask
        try:
            answer = self._session.get(f"{self.url}{'/health' if self.old else '/api/v2/monitor/health'}", timeout=10)
        except requests.RequestException:
            return None
        if not answer.ok or (EXECUTION_API in self._processes and not self._execution_api_answers()):
            return None
        health = answer.json()
        others = [name for name in self._processes if name not in (WEB, EXECUTION_API)]
        wanted = {"metadatabase", *(name.replace("-", "_") for name in others)}
        return all((health.get(name) or {}).get("status") == "healthy" for name in wanted) or None

    def _execution_api_answers(self) -> bool:
        try:
            return self._session.get(f"{self.execution_url}/execution/health", timeout=10).ok
        except requests.RequestException:
            return False

    def _assert_alive(self) -> None:
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise DeploymentError(f"{name} ended with {process.returncode}.")

    def _family(self) -> Iterator[psutil.Process]:
        """Every process that stems from the deployment, also one whose parent is gone."""
        groups = {process.pid for process in self._processes.values()}
        known: set[int] = set()
        for one in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
                if os.getpgid(one.pid) not in groups:
                    continue
                for member in (one, *one.children(recursive=True)):
                    if member.pid not in known:
                        known.add(member.pid)
                        yield member

    def _log_of(self, name: str) -> Path:
        return self.logs / "components" / f"{name}.log"

    def _last_words(self) -> str:
        tails = ((name, self._log_of(name).read_text(errors="replace")[-2000:]) for name in self._processes)
        return "\n".join(f"--- {name} said last:\n{tail}" for name, tail in tails)
