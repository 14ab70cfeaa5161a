"""KubernetesExecutor runs every attempt in a pod of its own. Here the first attempt of a task is killed in the middle,
its disk is removed, and the next attempt ends the work on another one: all that it needs is in Encord, in the store,
and in the state that Airflow keeps.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.attempts import CLAIM_FILE
from tests.airflow_layer.bench import Account
from tests.histories.processes import GREEN, KILLED
from tests.moves.agents import RunAgent
from tests.moves.attempts import Run
from tests.moves.labels import ExportLabels, ExportLabelsPartition, ImportLabels, SnapshotLabels
from tests.moves.media import BuildTrainingSet, PullMedia
from tests.moves.scenario import Scenario
from tests.moves.storage import PartitionObjects, RegisterListing, RegisterManifest, SyncFolder, UploadFiles
from tests.moves.tasks import MoveTasks
from tests.object_stores import ObjectStore, Served, served
from tests.pods.pod import Kill, Pod

pytestmark = pytest.mark.system

MIDDLE: Mapping[type[Scenario], Kill] = {
    ExportLabels: Kill(r"object .*/part-.*\.finished\.json"),
    ExportLabelsPartition: Kill(r"object .*/part-.*\.finished\.json"),
    UploadFiles: Kill("GET .*/presigned-urls", 3),
    RegisterManifest: Kill("POST .*/data-upload-jobs", 2),
    RegisterListing: Kill("GET .*/data-upload-jobs/", 2),
    PartitionObjects: Kill("object .*/objects-", 30),
    SyncFolder: Kill("GET .*-folder-syncs/"),
    ImportLabels: Kill(r"object .*/part-000000\.jsonl"),
    SnapshotLabels: Kill("labelrowmetadata GET", 2),
    PullMedia: Kill(r"object .*\.png", 3),
    BuildTrainingSet: Kill(r"object .*\.png", 4),
    MoveTasks: Kill(r"object .*/part-000000\.jsonl"),
    RunAgent: Kill(r"object .*/sent-000001\.jsonl"),
}
"""Where the first attempt of each is killed: after it has done something, and before it has noted all."""
_EVERY_STEP = os.environ.get("POD_KILLS") == "all"  # minutes; `make test-system` kills each once
_MOST_STEPS = 80
_ENDED: set[type[Scenario]] = set()
"""Those whose steps have all been tried."""
KILLS = [
    pytest.param(kind, kill, id=kind.__name__ + (f"-{kill.number}" if _EVERY_STEP else ""))
    for kind, middle in MIDDLE.items()
    for kill in ([Kill(number=number) for number in range(1, _MOST_STEPS)] if _EVERY_STEP else [middle])
]


@pytest.fixture(scope="session")
def store() -> Iterator[Served]:
    with served() as made:
        yield made


class Remote:
    """A scenario whose files are in the store, and not on the disk of the machine where attempts run.

    :param scenario: Made for a directory of this disk, where its truth is read, too.
    """

    def __init__(self, scenario: Scenario, store: Served):
        self.scenario, self._objects = scenario, store.connect()
        self._root = f"bucket/{scenario.account.email.partition('@')[0]}"

    def arguments(self) -> dict[str, Any]:
        """Its arguments, with addresses in the store; what they name is put there."""
        arguments = self.scenario.arguments()
        for path in self._files():
            self._objects.put(self._key(path), path.read_bytes())
        moved: dict[str, Any] = self._moved(arguments)
        return moved

    def fetch(self) -> None:
        """Make the directory of the disk what is in the store."""
        there = {self._path(key): key for key, _, _ in self._objects.below(f"{self._root}/")}
        for path in set(self._files()) - there.keys():
            path.unlink()
        for path, key in there.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self._objects.get(key) or b"")

    def objects(self) -> list[str]:
        """The keys of its objects."""
        return [key for key, _, _ in self._objects.below(f"{self._root}/")]

    def _files(self) -> list[Path]:
        return [path for path in self.scenario.directory.rglob("*") if path.is_file()]

    def _key(self, path: Path) -> str:
        return f"{self._root}/{path.relative_to(self.scenario.directory)}"

    def _path(self, key: str) -> Path:
        return self.scenario.directory / key.removeprefix(f"{self._root}/")

    def _moved(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._moved(one) for key, one in value.items()}
        if isinstance(value, str):
            here, there = str(self.scenario.directory), f"{ObjectStore.protocol}://{self._root}"
            return value.replace(f"file://{here}", there).replace(here, there)
        return value


@pytest.mark.parametrize(("kind", "kill"), KILLS)
def test_the_next_pod_ends_what_a_killed_one_began(
    kind: type[Scenario], kill: Kill, account: Account, store: Served, tmp_path: Path
) -> None:
    if kind in _ENDED:
        pytest.skip("it has fewer steps")
    for place in ("world", "disk", "airflow"):
        (tmp_path / place).mkdir()
    scenario = kind(account, tmp_path / "world")
    remote, run, pod = Remote(scenario, store), Run(tmp_path / "airflow"), Pod(tmp_path / "disk", store)
    arguments, before = remote.arguments(), remote.objects()
    scenario.begun()
    first = pod.run(kind.operator, arguments, run, kill=kill)
    if _EVERY_STEP and first.kind == GREEN:
        _ENDED.add(kind)
        pytest.skip("it has no such step")
    assert first.kind == KILLED, first.text
    assert _EVERY_STEP or remote.objects() != before or scenario.changes(), f"nothing was done before {pod.step}"
    assert list((tmp_path / "disk").iterdir()) == []
    second = pod.run(kind.operator, arguments, run)
    assert second.kind == GREEN, second.text
    remote.fetch()
    assert scenario.truth() == scenario.goal(), f"killed before {pod.step}"
    assert run.store.keys == []
    assert not [key for key in remote.objects() if CLAIM_FILE in key]
