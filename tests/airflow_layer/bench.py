"""What the tests of the Airflow layer stand on: an account on the emulator, its connections, and runs of DAGs."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from airflow_provider_encord.client.api.keys import DATASET_SCOPES, PROJECT_SCOPES
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from encord_emulator.process import Emulator
from tests.client import keys

SSH_CONNECTION = "AIRFLOW_CONN_ENCORD_DEFAULT"
API_KEY_CONNECTION = "AIRFLOW_CONN_ENCORD_API_KEY"


def connection(host: str, **extra: Any) -> str:
    """A connection as an environment variable holds it, in JSON."""
    return json.dumps({"conn_type": "encord", "host": host, "extra": extra})


@dataclasses.dataclass
class Account:
    """A person on the emulator who has nothing yet, with a key that is registered there."""

    emulator: Emulator
    email: str = dataclasses.field(default_factory=lambda: f"{uuid.uuid4().hex[:12]}@example.com")
    private_key: str = dataclasses.field(default="", repr=False)
    role: str | None = None

    def __post_init__(self) -> None:
        key = keys.new_key()
        self.private_key = keys.openssh(key)
        self.public_key = keys.public_line(key)
        self.emulator.authorize(self.public_key, email=self.email, role=self.role)

    def connection(self, **extra: Any) -> str:
        """A connection with this person's SSH key, and more fields."""
        return connection(self.emulator.url, private_key=self.private_key, **extra)

    def client(self) -> EncordClient:
        """A client of this person, to prepare things and to look at what came out."""
        return EncordClient(SshKey.parse(self.private_key), Settings(base_url=self.emulator.url))

    def project(self, **options: Any) -> dict[str, Any]:
        """A whole project; see `Emulator.project`."""
        return self.emulator.project(owner=self.email, **{"title": f"Seeded {uuid.uuid4()}", "rows": 3, **options})

    def api_key(self, resource: str, kind: str = "project", scopes: Sequence[str] | None = None) -> str:
        """A new API key of a project or dataset, with every scope by default."""
        with self.client() as client:
            if kind == "project":
                return client.project(resource).create_api_key("test", scopes or PROJECT_SCOPES)
            return client.dataset(resource).create_api_key("test", scopes or DATASET_SCOPES).api_key

    def api_key_connection(self, resource: str, kind: str = "project", scopes: Sequence[str] | None = None) -> str:
        """A connection with a new API key."""
        return connection(self.emulator.url, api_key=self.api_key(resource, kind, scopes), resource_id=resource)

    def titles(self, kind: str) -> list[str]:
        """Titles of the projects, datasets or ontologies that this person can see, sorted."""
        from airflow_provider_encord.client.api.ontologies import list_ontologies

        with self.client() as client:
            if kind == "ontology":
                return sorted(result.title for result in client.send(list_ontologies()).results)
            return sorted(one.title for one in (client.projects() if kind == "project" else client.datasets()))


PARAMS = {"title": "Rendered", "nothing": "", "none": None, "many": ["one", "two"], "yes": True}


def run(operator: Any, **arguments: Any) -> Any:
    """Run an operator as Airflow's worker does: templates first, with `PARAMS`."""
    task = operator(task_id="task", **arguments)
    task.render_template_fields({"params": PARAMS})
    return task.execute({})


def changes(account: Account) -> list[str]:
    """What was sent that changes something, since the journal was cleared."""
    return [entry["query_type"] or entry["path"] for entry in account.emulator.journal() if entry["changes"]]


@dataclasses.dataclass(frozen=True)
class Run:
    """What came of a DAG run.

    :param state: ``"success"`` or ``"failed"``.
    :param tasks: State of each task instance, by task id and map index (``"upload"``, ``"create[1]"``).
    :param tries: How often each was tried.
    :param results: What they returned, by the same names.
    """

    state: str
    tasks: Mapping[str, str]
    tries: Mapping[str, int]
    results: Mapping[str, Any]


@contextlib.contextmanager
def in_its_folder(dag: Any) -> Iterator[None]:
    """Put the file of a DAG into Airflow's folder, for one run: Airflow runs no DAG that is in no file there. And no
    longer, as Airflow 3.3 reads and stores every DAG of the folder, at each run of any.
    """
    source, folder = Path(dag.fileloc), Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    if source.parent == folder:
        yield
        return
    file = Path(shutil.copy(source, folder))
    try:
        yield
    finally:
        file.unlink()


def run_dag(dag: Any, **params: Any) -> Run:
    """Run a DAG in this process until it ends.

    :param dag: The DAG.
    :param params: Its params, for this run.
    """
    with in_its_folder(dag):
        run = dag.test(run_conf=params or None)
    tasks, tries, results = {}, {}, {}
    for instance in run.get_task_instances():
        name = instance.task_id + (f"[{instance.map_index}]" if instance.map_index >= 0 else "")
        tasks[name], tries[name] = str(instance.state), instance.try_number
        results[name] = instance.xcom_pull(task_ids=instance.task_id, map_indexes=instance.map_index)
    return Run(str(run.state), tasks, tries, results)
