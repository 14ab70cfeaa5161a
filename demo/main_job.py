"""``make demo``: three DAGs on Airflow against the emulator, and people who label in between.

1. ``example_encord_intake`` creates a dataset, uploads images, creates an ontology and a project.
2. People label: here the emulator's annotator, which the demo drives as people would drive the web app.
3. ``example_encord_export`` exports the labels with the SSH key.
4. ``example_encord_api_key_export`` exports them with nothing but an API key of the project.

At the end the exports are compared with what the emulator holds.
"""

from __future__ import annotations

import datetime
import json
import os
import sys
import tempfile
import time
from typing import Any

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from demo.checks import exported_rows, require_no_secrets, require_read_only, require_same
from demo.environment import CHECKOUT, EMULATOR_PYTHON, TEMPORARY, WORK, DemoError, Environment, KeyPair, write_images
from demo.steps import Steps
from encord_emulator.process import Emulator, EmulatorError
from tests.leaks.forms import private_key, text_secret

TITLE = "Street scenes"
EMAIL = "engineer@example.com"
IMAGES = 12
LABELLED = 9
STEPS = 7
"""So many lines `Demo.say` prints."""
LOGICAL_DATE = "2026-11-01T00:00:00+00:00"


class Demo:
    """One run of the demo.

    :param emulator: A fresh one.
    """

    def __init__(self, emulator: Emulator, environment: Environment):
        self.emulator, self.environment = emulator, environment
        self.key = KeyPair.generate()
        self.connections: dict[str, dict[str, Any]] = {}
        self.started = time.monotonic()
        self.steps = Steps("The demo", STEPS)

    def say(self, text: str) -> None:
        """Print what was done, with the time since the start."""
        self.steps.done(text)

    def run(self) -> None:
        """The whole demo.

        :raises DemoError: Something did not come out as it should.
        """
        with self.steps:
            self.prepare()
            self.intake()
            project = self.find_project()
            self.label(project)
            api_key = self.make_api_key(project)
            self.export("the SSH key", "example_encord_export", "ssh-key", {"title": TITLE})
            self.export("the API key", "example_encord_api_key_export", "api-key", {})
        self.check_and_sum_up(project, api_key)

    def prepare(self) -> None:
        """Register a user at the emulator, and give Airflow a connection with the user's key."""
        self.environment.prepare()
        self.emulator.authorize(self.key.public, email=EMAIL)
        self.connections["encord_default"] = {
            "conn_type": "encord",
            "host": self.emulator.url,
            "extra": {"auth_method": "ssh_key", "private_key": self.key.private},
        }
        self.say(f"The emulator listens on {self.emulator.url}. It is not Encord: it behaves like it, on this machine.")
        self.environment.airflow("db", "migrate", connections=self.connections)
        self.say("Airflow is ready, with the connection encord_default (SSH key).")

    def intake(self) -> None:
        """Run the DAG that brings files in."""
        write_images(self.environment.images, IMAGES)
        source = str(self.environment.images / "*.png")
        self.run_dag("example_encord_intake", {"title": TITLE, "source": source})
        self.say(f"example_encord_intake: dataset, ontology and project {TITLE!r} are made, {IMAGES} images uploaded.")

    def find_project(self) -> str:
        """Id of the project that the DAG made."""
        with EncordClient(SshKey.parse(self.key.private), Settings(base_url=self.emulator.url)) as client:
            (project,) = [project.project_hash for project in client.projects() if project.title == TITLE]
        return project

    def label(self, project: str) -> None:
        """Have people label most of the images."""
        done = self.emulator.annotate(project, count=LABELLED, objects_per_row=3, advance="complete", seed=7)
        self.say(f"People (the emulator's annotator) labelled {done} of {IMAGES} images and completed their tasks.")

    def make_api_key(self, project: str) -> str:
        """Make an API key for the project, as its owner, and a connection with nothing else."""
        with EncordClient(SshKey.parse(self.key.private), Settings(base_url=self.emulator.url)) as client:
            api_key = client.project(project).create_api_key("nightly export", ["label.read"])
        self.connections["encord_api_key"] = {
            "conn_type": "encord",
            "host": self.emulator.url,
            "extra": {"auth_method": "api_key", "api_key": api_key, "resource_id": project},
        }
        self.say("The project's owner made an API key with the scope label.read: connection encord_api_key.")
        return api_key

    def export(self, who: str, dag: str, directory: str, parameters: dict[str, str]) -> None:
        """Run a DAG that exports, and check that it changed nothing."""
        before = self.emulator.journal()[-1]["id"]
        # Not as_uri(): Airflow takes the path in a file:// URI as it is, and %20 for a part of a name.
        destination = f"file://{self.environment.exports / directory}"
        self.run_dag(dag, {**parameters, "destination": destination})
        requests = require_read_only(dag, self.emulator.journal(since=before))
        self.say(f"{dag}: labels exported with {who}, in {requests} requests, none of which changes anything.")

    def run_dag(self, dag: str, parameters: dict[str, str]) -> None:
        """Run a DAG as ``airflow dags test`` does."""
        arguments = ("dags", "test", dag, LOGICAL_DATE, "--conf", json.dumps(parameters))
        self.environment.airflow(*arguments, connections=self.connections)

    def check_and_sum_up(self, project: str, api_key: str) -> None:
        """Compare with the truth, search for secrets, and print the summary."""
        truth = self.emulator.labels(project)
        exports = self.environment.exports
        rows = {who: exported_rows(exports / who) for who in ("ssh-key", "api-key")}
        for who, exported in rows.items():
            require_same(who, exported, truth)
        secrets = [*private_key("the private key", self.key.private), text_secret("the API key", api_key)]
        places = (self.environment.airflow_home, self.environment.log, exports)
        searched = require_no_secrets(places, self.emulator.journal(), secrets)
        state = self.emulator.state()
        with EncordClient(SshKey.parse(self.key.private), Settings(base_url=self.emulator.url)) as client:
            (dataset,) = client.project(project).datasets()
        took = datetime.timedelta(seconds=round(time.monotonic() - self.started))
        print(
            f"""
The main job, done in {took}:
  project         {TITLE!r}, {project}
  dataset         {dataset.title!r}, {dataset.dataset_hash}
  files uploaded  {state["data_rows"]}
  label rows      {len(rows["ssh-key"])} exported with the SSH key, {len(rows["api-key"])} with the API key alone
  exports         {exports.relative_to(CHECKOUT)}
  Airflow's log   {self.environment.log.relative_to(CHECKOUT)}
Checked: both exports equal the {len(truth)} rows that the emulator holds; exporting changed nothing; no secret
is, in any form, in Airflow's database, its logs, the exports or the emulator's journal ({searched / 1e6:.1f} MB).""",
            flush=True,
        )


def run() -> int:
    """Run the demo; 0 if all is well."""
    if not EMULATOR_PYTHON.exists():
        print("The emulator's environment is missing. Run `make demo`, which builds it.", file=sys.stderr)
        return 1
    print(f"The demo takes about a minute. Everything that it writes is in {WORK.relative_to(CHECKOUT)}.", flush=True)
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    try:
        TEMPORARY.mkdir(parents=True, exist_ok=True)
        tempfile.tempdir = os.environ["TMPDIR"] = str(TEMPORARY)
        with Emulator.start(python=str(EMULATOR_PYTHON)) as emulator:
            Demo(emulator, Environment()).run()
    except (DemoError, EmulatorError) as error:
        print(f"The demo failed. {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The demo failed. {error.filename or 'A file'} cannot be used: {error.strerror}.", file=sys.stderr)
        return 1
    return 0
