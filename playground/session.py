"""The whole: emulator, projects, people, and an Airflow with everything filled in."""

from __future__ import annotations

import contextlib
import datetime
import json
import pathlib
import sys
from collections.abc import Iterator

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from demo.environment import EMULATOR_PYTHON, KeyPair
from demo.steps import Steps
from encord_emulator.process import Emulator
from playground.dags import write_dags
from playground.past import write_past
from playground.people import People
from playground.place import Place
from playground.projects import AGENT, ARCHIVE, OWNER, PARKING, STREETS, seed, write_pictures
from tests.deployment.orphans import watched
from tests.deployment.processes import Deployment

PROJECT_OF = {
    "example_encord_nightly_export": ARCHIVE,
    "example_encord_prelabel": PARKING,
    "example_encord_routing": PARKING,
    "example_encord_task_agent": AGENT,
    "example_encord_training": STREETS,
    "example_encord_wait_and_export": PARKING,
}
"""Which project an example is about."""
WATCHED = PARKING
"""The project whose edits start ``example_encord_event_driven``."""


STEPS = 2
"""Emulator and Airflow."""


class Session:
    """A running playground.

    :param emulator: The emulator, with its projects.
    :param airflow: Airflow, with its web pages.
    :param projects: Ids by title.
    """

    def __init__(self, emulator: Emulator, airflow: Deployment, projects: dict[str, str]):
        self.emulator, self.airflow, self.projects = emulator, airflow, projects


@contextlib.contextmanager
def started(place: Place) -> Iterator[Session]:
    """Start everything; end everything, also if this process is killed."""
    with watched(), Steps("The playground starts", STEPS) as steps, _running(place, steps) as session:
        steps.finish()
        yield session


@contextlib.contextmanager
def _running(place: Place, steps: Steps) -> Iterator[Session]:
    with Emulator.start(python=str(EMULATOR_PYTHON)) as emulator:
        key = KeyPair.generate()
        emulator.authorize(key.public, email=OWNER, role="ADMIN")
        with EncordClient(
            SshKey.parse(key.private), Settings(base_url=emulator.url, web_app_url=emulator.url)
        ) as client:
            projects = seed(emulator, client)
            places = [projects[title] for title in (STREETS, PARKING, ARCHIVE)]
            write_past(client, place.history, places, datetime.datetime.now(datetime.UTC))
            api_key = client.project(projects[STREETS]).create_api_key("nightly export", ["label.read"])
        write_pictures(place.incoming)
        emulator.bucket("intake bucket", "s3://intake/cameras", place.incoming)
        steps.done(f"The emulator has {len(projects)} projects. It is not Encord: it behaves like it, on this machine.")
        write_dags(
            place.dags, {name: projects[title] for name, title in PROJECT_OF.items()}, place.output, place.incoming
        )
        environment = {
            "AIRFLOW_CONN_ENCORD_DEFAULT": connection(emulator, auth_method="ssh_key", private_key=key.private),
            "AIRFLOW_CONN_ENCORD_API_KEY": connection(
                emulator, auth_method="api_key", api_key=api_key, resource_id=projects[STREETS]
            ),
            "AIRFLOW__ENCORD__HISTORY": f"file://{place.history}",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "True",  # for the runs that asset events start
            "ENCORD_PROJECT_ID": projects[WATCHED],
            "ENCORD_API_HOST": emulator.url,
            "ENCORD_DESTINATION": f"file://{place.output / 'events'}",
            "TMPDIR": str(place.temporary),
        }
        python = pathlib.Path(sys.executable)
        with Deployment(python, place.airflow_home, place.dags, environment=environment) as airflow:
            steps.done("Airflow is ready, with the example DAGs and the connections encord_default and encord_api_key.")
            with People(emulator, projects):
                yield Session(emulator, airflow, projects)


def connection(emulator: Emulator, **extra: str) -> str:
    """A connection to the emulator. As for a private installation, it says where the pages are that links lead to."""
    fields = {"web_app_url": emulator.url, **extra}
    return json.dumps({"conn_type": "encord", "host": emulator.url, "extra": fields})
