"""The run whose remains are searched: connections of every kind, in the environment and in the database; every example
DAG; and DAGs that give secrets away.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from encord_emulator.process import Emulator
from tests.airflow_layer.bench import Account
from tests.client import keys
from tests.deployment.polling import poll
from tests.deployment.processes import Deployment
from tests.leaks.forms import Secret, private_key, text_secret
from tests.leaks.search import Found, Search
from tests.leaks.signed_urls import handed_out
from tests.sdk import media

PASSPHRASE = 'open "sesame", 100% please'
WRONG_PASSPHRASE = "the sesame of another day / 17"
WRONG_API_KEY = "Wr0ng-Hk29_fzXw4LmB0sVtR8yNcE3uJdPaGi6oYh1K"
QUOTED_SIGNATURE = "5f1d7c3e9b8a40d26c7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f708192"
SEEDED, INTAKE = "Night street", "Day street"
PUT = {"method": "PUT", "path": "^/object-store/"}
DEFERRED = "task_id='tell_in_the_triggerer'"
SECONDS = 240

ENDS_WELL, FAILS = "success", "failed"
_TELLING = {
    "log_secrets": ENDS_WELL,
    "fail_with_secrets": FAILS,
    "tell_in_the_triggerer": ENDS_WELL,
    "get_project": ENDS_WELL,
}
EXPECTED: dict[str, dict[str, str]] = {
    "intake": dict.fromkeys(("create_dataset", "upload_files", "create_ontology", "create_project"), ENDS_WELL),
    "export": dict.fromkeys(("find_project", "export_labels"), ENDS_WELL),
    "export with an API key": dict.fromkeys(("get_project", "export_labels"), ENDS_WELL),
    "from the environment": _TELLING,
    "from the database": _TELLING,
    "refused": dict.fromkeys(("stranger", "locked_out", "wrong_api_key", "refused_upload"), FAILS),
}

# What Airflow's REST API shows of it, as its web interface does.
SHOWN = (
    "connections",
    "connections/encord_stored",
    "eventLogs?limit=100",
    "dags/tells_secrets/dagRuns/~/taskInstances",
    "dags/~/dagRuns/~/taskInstances",
    "dags/~/dagRuns/~/taskInstances/~/xcomEntries",
)


@dataclasses.dataclass
class Connections:
    """Connections of one test, and the secrets in them.

    :param account: Whose key `encord_default` has, locked; `encord_stored` has another key of the same person, plain.
    """

    account: Account
    resource: str

    def __post_init__(self) -> None:
        default, stored, stranger, locked_out = (keys.new_key() for _ in range(4))
        for key in (default, stored, locked_out):
            self.account.emulator.authorize(keys.public_line(key), email=self.account.email)
        locked, plain = keys.openssh(default, PASSPHRASE), keys.openssh(stored)
        unknown, unopened = keys.pkcs8(stranger), keys.openssh(locked_out, PASSPHRASE + "!")
        api_key = self.account.api_key(self.resource, scopes=["label.read"])
        self._extras: dict[str, dict[str, str]] = {
            "encord_default": {"private_key": locked, "private_key_passphrase": PASSPHRASE},
            "encord_stored": {"private_key": plain},
            "encord_api_key": {"api_key": api_key, "resource_id": self.resource},
            "encord_stranger": {"private_key": unknown},
            "encord_locked_out": {"private_key": unopened, "private_key_passphrase": WRONG_PASSPHRASE},
            "encord_wrong_api_key": {"api_key": WRONG_API_KEY, "resource_id": self.resource},
        }
        self.secrets: list[Secret] = [
            *private_key("the locked key", locked, PASSPHRASE),
            *private_key("the plain key", plain),
            *private_key("the stranger's key", unknown),
            *private_key("the key with a wrong passphrase", unopened, PASSPHRASE + "!"),
            text_secret("the passphrase", PASSPHRASE),
            text_secret("the wrong passphrase", WRONG_PASSPHRASE),
        ]
        self.api_keys = [text_secret("the API key", api_key), text_secret("the wrong API key", WRONG_API_KEY)]

    STORED = ("encord_stored", "encord_api_key")

    def in_environment(self) -> dict[str, str]:
        """As variables, in JSON: all but those of `STORED`."""
        return {
            f"AIRFLOW_CONN_{name.upper()}": json.dumps(self._connection(name) | {"extra": extra})
            for name, extra in self._extras.items()
            if name not in self.STORED
        }

    def store(self, deployment: Deployment) -> None:
        """Store the others in Airflow's database, as its web interface does."""
        for name in self.STORED:
            body = {"connection_id": name, "extra": json.dumps(self._extras[name]), **self._connection(name)}
            deployment.rest("POST", "connections", body)

    def _connection(self, name: str) -> dict[str, str]:
        return {"conn_type": "encord", "host": self.account.emulator.url}


@dataclasses.dataclass
class Remains:
    """What the run left.

    :param folder: Where the deployment's home, the exports and the reports are.
    :param states: State of each task, by run.
    :param texts: What is in no file: the journal, answers of the REST API.
    :param trigger_rows: Rows of triggers, found while tasks were deferred, by their class.
    :param found_in_triggers: Secrets in the database while tasks were deferred.
    :param urls: Signed URLs that were handed out.
    """

    folder: Path
    emulator: Emulator
    states: Mapping[str, Mapping[str, str]]
    texts: Mapping[str, bytes]
    trigger_rows: list[str]
    found_in_triggers: list[Found]
    secrets: list[Secret]
    api_keys: list[Secret]
    urls: list[tuple[str, str]]
    fernet_key: str
    seconds: float

    @property
    def database(self) -> Path:
        """Airflow's."""
        return self.folder / "home" / "airflow.db"

    def everything(self) -> list[Secret]:
        """All secrets there are, signed URLs included."""
        quoted = text_secret("the signature that a refusal quotes", QUOTED_SIGNATURE)
        signed = [text_secret(f"signed URL {number}", query) for number, (_, query) in enumerate(self.urls)]
        return [*self.secrets, *self.api_keys, *signed, quoted]


class Run:
    """Everything runs, each DAG as soon as what it needs is there."""

    def __init__(self, folder: Path, emulator: Emulator, fernet_key: str):
        self.folder, self.emulator, self.fernet_key = folder, emulator, fernet_key
        self.account = Account(emulator)
        self.seeded = self.account.project(title=SEEDED, rows=4, created=1.0)
        self.connections = Connections(self.account, self.seeded["project_id"])
        self.pictures = folder / "pictures"
        self.pictures.mkdir()
        for number in range(3):
            (self.pictures / f"crossing-{number}.png").write_bytes(media.png(32 + number, 24))
        self.runs: dict[str, str] = {}
        self.states: dict[str, dict[str, str]] = {}
        self.texts: dict[str, bytes] = {}
        self.trigger_rows: list[str] = []
        self.found_in_triggers: list[Found] = []
        self.seconds = 0.0

    def go(self, deployment: Deployment) -> None:
        """Run all DAGs to their end."""
        started = time.monotonic()
        self.connections.store(deployment)
        until, exports = self.folder / "go on", f"file://{self.folder / 'exports'}"
        telling = {"project": self.seeded["project_id"], "until": str(until)}
        start = deployment.trigger
        self.runs = {
            "from the environment": start("tells_secrets", {**telling, "conn_id": "encord_default"}),
            "from the database": start("tells_secrets", {**telling, "conn_id": "encord_stored"}),
            "intake": start("example_encord_intake", {"title": INTAKE, "source": f"{self.pictures}/*.png"}),
            "export": start("example_encord_export", {"title": SEEDED, "destination": f"{exports}/ssh"}),
            "export with an API key": start("example_encord_api_key_export", {"destination": f"{exports}/key"}),
        }
        self.trigger_rows = poll(self._two_triggers, "both triggers to run", SECONDS)
        self.found_in_triggers = Search(
            [*self.connections.secrets, *self.connections.api_keys], fernet_keys=[self.fernet_key]
        ).in_database(self._database)
        if not deployment.old:
            # A trigger that fires before the scheduler has seen its worker end makes Airflow fail the task.
            scheduler = deployment.logs / "components" / "scheduler.log"
            poll(lambda: _ends_of_deferring_workers(scheduler) >= 2 or None, "the scheduler to see both ends", SECONDS)
        until.touch()
        deployment.wait(self.runs["intake"], SECONDS)
        refusal = f"<Error><Url>https://store.example.com/a?Signature={QUOTED_SIGNATURE}</Url></Error>"
        self.emulator.faults([{"match": PUT, "when": {"nth": 2}, "do": {"cut": "before"}}])
        self.emulator.faults([{"match": PUT, "do": {"status": 403, "text": refusal}}])
        fresh = self.account.project(title="Refused", rows=1)
        conf = {"source": str(self.pictures), "dataset": fresh["dataset_id"], "project": self.seeded["project_id"]}
        self.runs["refused"] = start("is_refused", conf)
        for name, run in self.runs.items():
            deployment.wait(run, SECONDS)
            self.states[name] = deployment.task_states(run)
        self.emulator.clear_faults()
        for path in SHOWN:
            self.texts[f"GET {path}"] = deployment.request("GET", path).content
        self.seconds = time.monotonic() - started

    def remains(self) -> Remains:
        """After the deployment has ended."""
        journal = self.emulator.journal()
        self.texts["the journal"] = json.dumps(journal).encode()
        return Remains(
            self.folder,
            self.emulator,
            self.states,
            self.texts,
            self.trigger_rows,
            self.found_in_triggers,
            self.connections.secrets,
            self.connections.api_keys,
            list(handed_out(self.folder / "emulator.db", journal)),
            self.fernet_key,
            self.seconds,
        )

    @property
    def _database(self) -> Path:
        return self.folder / "home" / "airflow.db"

    def _two_triggers(self) -> list[str] | None:
        """Classes of the triggers that stand in the database, once there are two and they have run."""
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, timeout=60)) as database:
            # Without those of asset watchers, which an example has.
            rows: list[Any] = [
                name
                for (name,) in database.execute("SELECT classpath FROM trigger")
                if not name.endswith("EventTrigger")
            ]
        return rows if len(rows) == 2 else None


def _ends_of_deferring_workers(log: Path) -> int:
    """How many workers that deferred a task the scheduler has seen end."""
    lines = log.read_text(errors="replace").splitlines()
    return sum("Received executor event with state success" in line and DEFERRED in line for line in lines)
