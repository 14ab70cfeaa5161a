"""Where the blocks of one document run: a person on the emulator with a project, a home with keys, a folder of files.

Documents are written for readers, so they name hosts, ids and paths as a reader would. `World.real` puts what is there
in their place.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from airflow_provider_encord.client.api.core.data_items import IMAGE
from airflow_provider_encord.client.flows.uploads import LocalFile
from tests.airflow_layer.agent_stage import STAGES as AGENT_STAGES
from tests.airflow_layer.bench import Account
from tests.client import keys
from tests.free_port import free_port
from tests.sdk import media

PASSPHRASE = "correct horse"
OWNER = "me@example.com"  # of the key, on an emulator that a document starts
PROJECT = "aaaaaaaa-0000-4000-8000-000000000001"
DATASET = "aaaaaaaa-0000-4000-8000-000000000002"
ONTOLOGY = "aaaaaaaa-0000-4000-8000-000000000003"
SECOND_DATASET = "aaaaaaaa-0000-4000-8000-000000000004"
FOLDER = "aaaaaaaa-0000-4000-8000-000000000005"
SYNCED_FOLDER = "aaaaaaaa-0000-4000-8000-000000000006"
AGENT_PROJECT = "aaaaaaaa-0000-4000-8000-000000000010"
DATA_HASH = "aaaaaaaa-0000-4000-8000-000000000009"
INTEGRATION = "production bucket"
SHOWN_KEY = "b3BlbnNzaC1rZXktdjEA..."
SHOWN_LOCKED_KEY = "b3BlbnNzaC1rZXktdjEAAAAACmFl..."
SHOWN_PROJECT_KEY = "the-api-key-of-the-project"
SHOWN_DATASET_KEY = "the-api-key-of-the-dataset"
SHOWN_PORT = "8765"

STAGES = [
    {"stageType": "ANNOTATION", "title": "Annotate"},
    {"stageType": "REVIEW", "title": "Review"},
    {"stageType": "DONE", "title": "Complete"},
    {"stageType": "AGENT", "title": "Pre-label", "pathways": [{"title": "annotate", "to": "Annotate"}]},
]


class World:
    """What a document's blocks find.

    :param account: A new one.
    :param folder: An empty one.
    :param dags: Airflow's folder of DAGs.
    :param commands: A folder of programs that stand before others in ``PATH``.
    """

    def __init__(self, account: Account, folder: Path, dags: Path, commands: Path) -> None:
        self.commands = commands
        self.account = account
        self.dags = dags
        self.folder = folder
        self.home = folder / "home"
        self.outside = folder / "root"  # stands for the root of the file system
        self.here = folder / "here"
        self.port = free_port()
        self.here.mkdir()
        self._write_keys()
        self._write_files()
        self._seed()

    def _write_keys(self) -> None:
        ssh = self.home / ".ssh"
        ssh.mkdir(parents=True)
        self._key = keys.new_key()
        self.account.emulator.authorize(keys.public_line(self._key), email=self.account.email, role="ADMIN")
        locked = keys.openssh(self._key, PASSPHRASE)
        for name, text in (("encord", keys.openssh(self._key)), ("encord-locked", locked)):
            (ssh / name).write_text(text)
        (ssh / "encord.pub").write_text(f"{keys.public_line(self._key)} {OWNER}\n")
        self._bodies = {SHOWN_KEY: _body(keys.openssh(self._key)), SHOWN_LOCKED_KEY: _body(locked)}

    def _write_files(self) -> None:
        incoming = self.outside / "data" / "incoming"
        incoming.mkdir(parents=True)
        for number in range(1, 4):
            (incoming / f"crossing {number}.jpg").write_bytes(media.jpeg(32 + number, 24))
        drives = self.outside / "data" / "drives"
        drives.mkdir()
        (drives / "drive 1.mcap").write_bytes(b"a recording")
        (self.outside / "etc" / "airflow").mkdir(parents=True)

    def _seed(self) -> None:
        template = self.account.emulator.template("with an agent", STAGES)["uuid"]
        seeded = self.account.project(title="Seeded street", rows=4, created=0.5, template=template)
        second = self.account.project(title="Another street", rows=2)
        self.ids = {
            PROJECT: seeded["project_id"],
            DATASET: seeded["dataset_id"],
            ONTOLOGY: seeded["ontology_id"],
            SECOND_DATASET: second["dataset_id"],
            DATA_HASH: seeded["data_hashes"][0],
            AGENT_PROJECT: self._agent_project(),
            **self._storage(),
        }
        self._api_keys = {
            SHOWN_PROJECT_KEY: self.account.api_key(seeded["project_id"]),
            SHOWN_DATASET_KEY: self.account.api_key(seeded["dataset_id"], "dataset"),
        }

    def _agent_project(self) -> str:
        """A project with tasks in an agent stage."""
        template = self.account.emulator.template("agent", AGENT_STAGES)["uuid"]
        return self.account.project(title="Agents", rows=3, template=template)["project_id"]

    def _storage(self) -> dict[str, str]:
        """A folder with an image, one that is synced with a bucket, and a manifest of what the bucket holds."""
        bucket = self.outside / "data" / "bucket"
        bucket.mkdir()
        (bucket / "crossing-9.jpg").write_bytes(media.jpeg(40, 24))
        name = self.account.email.partition("@")[0]
        place, title = f"s3://intake/{name}", f"{INTEGRATION} of {name}"
        self.account.emulator.bucket(integration=title, url=place, directory=str(bucket))
        (self.outside / "data" / "manifest.jsonl").write_text(f'{{"url": "{place}/crossing-9.jpg"}}\n')
        self._titles = {INTEGRATION: title, "s3://intake/cameras": place}
        with self.account.client() as client:
            there = {one.title: one.integration_uuid for one in client.cloud_integrations()}
            integration = there[title]
            folder = client.create_folder("Crossings").id
            image = self.outside / "data" / "incoming" / "crossing 1.jpg"
            file = LocalFile(
                title=image.name,
                kind=IMAGE,
                size=image.stat().st_size,
                open=lambda: image.open("rb"),
                media_type="image/jpeg",
            )
            client.folder(folder).upload([file], timeout=60)
            synced = client.create_folder("Synced", integration=integration, remote_url=f"{place}/").id
        return {FOLDER: folder, SYNCED_FOLDER: synced}

    def environment(self) -> dict[str, str]:
        """Variables that the blocks find, over those of the tests."""
        binaries = Path(sys.executable).parent
        project, dataset = self.ids[PROJECT], self.ids[DATASET]
        return {
            "HOME": str(self.home),
            "PATH": os.pathsep.join([str(self.commands), str(binaries), os.environ["PATH"]]),
            "AIRFLOW_CONN_ENCORD_DEFAULT": self.account.connection(),
            "AIRFLOW_CONN_ENCORD_API_KEY": self.account.api_key_connection(project),
            "AIRFLOW_CONN_ENCORD_DATASET_KEY": self.account.api_key_connection(dataset, "dataset"),
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__CORE__FERNET_KEY": "",  # so that this process reads what commands store
        }

    def real(self, text: str) -> str:
        """The text of a block with what is there in place of what is shown; in one go: what is put in may look so."""
        url = self.account.emulator.url
        real = {
            "encord://api.encord.com": f"encord://{url.replace('://', '%3A%2F%2F')}",
            "https://api.encord.com": url,
            "https://api.us.encord.com": url,
            f":{SHOWN_PORT}": f":{self.port}",
            f"--port {SHOWN_PORT}": f"--port {self.port}",
            **self.ids,
            **self._titles,
            **self._bodies,
            **self._api_keys,
        }
        pattern = "|".join([*map(re.escape, real), r"(?<![\w~.$])/(?=(?:data|etc)/)"])
        return re.sub(pattern, lambda found: real.get(found[0], f"{self.outside}/"), text)


def _body(key: str) -> str:
    """A key without its first and last line, in one line: so it may stand in JSON."""
    return "".join(key.strip().splitlines()[1:-1])
