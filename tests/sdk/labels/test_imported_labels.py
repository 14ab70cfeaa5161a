"""Labels that our import writes are labels to the vendor's SDKs; theirs are the same after an export and an import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.defaults import JSON_LINES_FORMATS
from airflow_provider_encord.exports.labels import ExportSpec, export_labels
from airflow_provider_encord.exports.listing import RowSelection
from airflow_provider_encord.exports.whole_shards import whole_shards
from airflow_provider_encord.prelabels.importing import import_labels
from airflow_provider_encord.prelabels.report import ImportReport
from airflow_provider_encord.prelabels.rows import ImportSpec
from airflow_provider_encord.prelabels.sources import prelabels_of
from tests.sdk.conftest import Account
from tests.sdk.environments import API_KEY_SDK, SSH_SDK, VERSIONS
from tests.sdk.substance import substance
from tests.wire.server import Server

pytestmark = pytest.mark.sdk

BOX = {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}
TRIANGLE = {str(number): {"x": x, "y": y} for number, (x, y) in enumerate([(0.1, 0.1), (0.5, 0.1), (0.3, 0.6)])}


@pytest.fixture
def client(owner: Account) -> Any:
    with EncordClient(SshKey.from_path(str(owner.key_file)), Settings(base_url=owner.server.url)) as client:
        yield client


def _seed(server: Server, owner: Account, **options: Any) -> str:
    wanted = {"owner": owner.email, "title": "Street", "rows": 2, **options}
    return str(server.control("POST", "projects", wanted)["project_hash"])


def _import(client: EncordClient, project: str, source: Path) -> ImportReport:
    report = ImportReport(None)
    import_labels(
        client,
        ImportSpec(project_id=project),
        lambda _: prelabels_of(source, whole_shards(source, "source", JSON_LINES_FORMATS)),
        report,
        check_first=True,
    )
    return report


@pytest.mark.parametrize(("kind", "frames"), [("image", 1), ("video", 6), ("img_group", 3)])
def test_both_sdks_read_imported_labels(
    server: Server, owner: Account, client: EncordClient, tmp_path: Path, kind: str, frames: int
) -> None:
    project = _seed(server, owner, kind=kind, frames=frames, created=0)
    last = frames - 1
    lines = [
        {
            "data_hash": row.data_hash,
            "objects": [
                {"feature": "Car", "boundingBox": BOX, "id": "car", "confidence": 0.5, "answers": {"Colour": "Blue"}},
                *([{"feature": "Car", "boundingBox": BOX, "id": "car", "frame": last}] if last else []),
                {"feature": "Person", "polygon": TRIANGLE, "frame": last},
            ],
            "classifications": [{"feature": "Weather", "answer": "Rain", "frames": [[0, last]]}],
        }
        for row in client.project(project).label_rows()
    ]
    source = tmp_path / "prelabels.jsonl"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert _import(client, project, source).counts["created"] == 2
    read = {version: owner.run(version, "read_labels", project=project) for version in VERSIONS}
    assert substance(read[SSH_SDK]) == substance(read[API_KEY_SDK])
    assert len(read[SSH_SDK]) == 2
    for row in read[SSH_SDK].values():
        objects = {one["name"]: one for one in row["objects"]}
        assert {*objects} == {"Car", "Person"}
        assert objects["Car"]["answers"] == {"Colour": "Blue"}
        assert {*objects["Car"]["frames"]} == {str(one) for one in {0, last}}
        assert objects["Car"]["frames"]["0"]["coordinates"] == BOX
        assert objects["Car"]["frames"]["0"]["confidence"] == 0.5
        (weather,) = row["classifications"]
        assert (weather["name"], weather["answers"]) == ("Weather", {"Weather": "Rain"})
        assert weather["frames"] == list(range(frames))


def test_labels_are_the_same_to_the_sdk_after_an_export_and_an_import(
    server: Server, owner: Account, client: EncordClient, tmp_path: Path
) -> None:
    project = _seed(server, owner, kind="video", frames=9, created=1, objects_per_row=5, seed=3)
    export_labels(client, ExportSpec(selection=RowSelection(project_id=project)), tmp_path / "export")
    there = client.project(project)
    datasets = [dataset.dataset_hash for dataset in there.datasets()]
    copy = client.create_project(
        "Copy", dataset_ids=datasets, ontology_id=there.get().ontology_hash, if_exists="new"
    ).id
    assert _import(client, copy, tmp_path / "export").counts["created"] == 2
    for version in VERSIONS:
        read = [owner.run(version, "read_labels", project=one) for one in (project, copy)]
        assert substance(read[0]) == substance(read[1])


def test_answers_that_change_within_a_track_are_dynamic_answers_to_the_sdk(
    server: Server, owner: Account, client: EncordClient, tmp_path: Path
) -> None:
    seeded = _seed(server, owner, kind="video", frames=6, created=0, rows=1)
    datasets = [dataset.dataset_hash for dataset in client.project(seeded).datasets()]
    state = {"type": "text", "name": "State", "dynamic": True}
    car = {"name": "Car", "shape": "bounding_box", "attributes": [state, {"type": "text", "name": "Brand"}]}
    ontology = client.create_ontology("Changing", structure={"objects": [car], "classifications": []}).id
    project = client.create_project("Changing", dataset_ids=datasets, ontology_id=ontology).id
    (row,) = client.project(project).label_rows()
    objects = [
        {"feature": "Car", "boundingBox": BOX, "id": 7, "frame": frame, "answers": {"State": state, "Brand": "Ford"}}
        for frame, state in enumerate(("Parked", "Parked", "Moving", "Moving", "Parked"))
    ]
    source = tmp_path / "prelabels.jsonl"
    source.write_text(json.dumps({"data_hash": row.data_hash, "objects": objects}) + "\n")
    assert _import(client, project, source).counts["created"] == 1
    read = {version: owner.run(version, "read_labels", project=project) for version in VERSIONS}
    assert substance(read[SSH_SDK]) == substance(read[API_KEY_SDK])
    (found,) = (one for row in read[SSH_SDK].values() for one in row["objects"])
    assert found["answers"] == {"Brand": "Ford"}
    answers = {one["answer"]: one["ranges"] for one in found["changing answers"]["State"]}
    assert answers == {"Parked": [[0, 1], [4, 4]], "Moving": [[2, 3]]}
    owner.run(SSH_SDK, "resave_labels", project=project)
    assert _import(client, project, source).counts["unchanged"] == 1
