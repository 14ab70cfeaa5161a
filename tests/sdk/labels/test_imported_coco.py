"""A COCO document that we import is, to the vendor's SDK, the same as one that the SDK imports itself."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.client.api.labels import LabelRowMetadata
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.prelabels.forms.spec import FormSpec
from airflow_provider_encord.prelabels.importing import import_labels
from airflow_provider_encord.prelabels.report import ImportReport
from airflow_provider_encord.prelabels.rows import ImportSpec
from airflow_provider_encord.prelabels.whole_import import lines_of_form
from tests.sdk.conftest import Account
from tests.sdk.environments import SSH_SDK
from tests.wire.server import Server

pytestmark = pytest.mark.sdk

SHAPES = {1: ("Car", "bounding_box"), 2: ("Person", "polygon"), 3: ("Road", "bitmask")}
TRIANGLE, SQUARE = [10, 10, 50.5, 10, 30, 60], [100, 100, 120, 100, 120, 120, 100, 120]
RUNS = [9605, 30, 450, 30]
"""The first runs of a mask; the rest is unset."""
ANNOTATIONS: list[dict[str, Any]] = [
    {"image_id": 0, "category_id": 1, "bbox": [64, 48.5, 128, 96], "score": 0.75},
    {"image_id": 0, "category_id": 1, "bbox": [0, 0, 640, 480]},
    {"image_id": 0, "category_id": 2, "bbox": [10, 10, 41, 50], "segmentation": [TRIANGLE], "score": 0.5},
    {"image_id": 1, "category_id": 2, "bbox": [10, 10, 110, 110], "segmentation": [TRIANGLE, SQUARE]},
    {"image_id": 1, "category_id": 2, "bbox": [1, 2, 30, 40]},
    {"image_id": 1, "category_id": 3, "bbox": [0, 0, 9, 9], "segmentation": RUNS},
]


@pytest.fixture
def client(owner: Account) -> Any:
    with EncordClient(SshKey.from_path(str(owner.key_file)), Settings(base_url=owner.server.url)) as client:
        yield client


def _project(server: Server, owner: Account, client: EncordClient) -> str:
    wanted = {"owner": owner.email, "title": f"Data {uuid.uuid4()}", "rows": 2, "created": 0}
    dataset = str(server.control("POST", "projects", wanted)["dataset_hash"])
    structure = {"objects": [{"name": name, "shape": shape} for name, shape in SHAPES.values()]}
    ontology = client.create_ontology(f"Shapes {uuid.uuid4()}", structure=structure).id
    title = f"Coco {uuid.uuid4()}"
    return client.create_project(title, dataset_ids=[dataset], ontology_id=ontology).id


def _mask(row: LabelRowMetadata, *, is_compressed: bool) -> dict[str, Any]:
    size = [int(row.height or 0), int(row.width or 0)]
    mask = {"size": size, "counts": [*RUNS, size[0] * size[1] - sum(RUNS)]}
    if is_compressed:
        tools = pytest.importorskip("pycocotools.mask")
        mask["counts"] = tools.frPyObjects(mask, *size)["counts"].decode()
    return mask


def _shapes(read: dict[str, Any]) -> dict[str, list[Any]]:
    """What was imported, without hashes, which the SDK draws by lot, and without authors and times."""
    return {
        title: sorted(
            (
                [one["name"], frame, seen["coordinates"], seen["confidence"]]
                for one in row["objects"]
                for frame, seen in one["frames"].items()
            ),
            key=repr,
        )
        for title, row in read.items()
    }


def _parts(client: EncordClient, project: str) -> list[Any]:
    """The parts of all polygons, which the SDK's script does not show."""
    there = client.project(project)
    contents = [row.decoded() for row in there.read_label_rows([row.label_hash or "" for row in there.label_rows()])]
    units = [unit for content in contents for unit in content["data_units"].values()]
    return sorted(drawn["polygons"] for unit in units for drawn in unit["labels"]["objects"] if "polygons" in drawn)


@pytest.mark.parametrize("is_compressed", [False, True])
def test_the_sdk_reads_the_same_from_its_import_and_from_ours(
    server: Server, owner: Account, client: EncordClient, tmp_path: Path, is_compressed: bool
) -> None:
    annotations = [
        {"id": number, "area": 1.0, "iscrowd": 0, **annotation} for number, annotation in enumerate(ANNOTATIONS)
    ]
    read, parts = [], []
    for imported_by in ("sdk", "us"):
        project = _project(server, owner, client)
        rows = sorted(client.project(project).label_rows(), key=lambda row: row.data_title)
        images = [
            {"id": number, "file_name": f"train/{row.data_title}", "width": row.width, "height": row.height}
            for number, row in enumerate(rows)
        ]
        annotations[-1]["segmentation"] = _mask(rows[1], is_compressed=is_compressed)
        categories = [{"id": category, "name": name} for category, (name, _) in SHAPES.items()]
        document = {"images": images, "categories": categories, "annotations": annotations}
        if imported_by == "sdk":
            features = {object_["name"]: object_["featureNodeHash"] for object_ in _objects(client, project)}
            owner.run(
                SSH_SDK,
                "import_coco",
                project=project,
                document=document,
                features={category: features[name] for category, (name, _) in SHAPES.items()},
                images={number: row.data_hash for number, row in enumerate(rows)},
            )
        else:
            assert _import(client, project, tmp_path, document)["created"] == 2
        read.append(owner.run(SSH_SDK, "read_labels", project=project))
        parts.append(_parts(client, project))
    theirs, ours = map(_shapes, read)
    assert sum(map(len, theirs.values())) == len(ANNOTATIONS)
    assert ours == theirs
    assert parts[0] == parts[1]
    assert [len(outlines) for outlines in parts[0]].count(2) == 1


def _objects(client: EncordClient, project: str) -> list[dict[str, Any]]:
    objects: list[dict[str, Any]] = client.project(project).ontology().editor_ontology["objects"]
    return objects


def _import(client: EncordClient, project: str, directory: Path, document: dict[str, Any]) -> Any:
    path = directory / "coco.json"
    path.write_text(json.dumps(document))
    report = ImportReport(None)
    import_labels(
        client,
        ImportSpec(project_id=project, match_by="title"),
        lines_of_form(path, FormSpec(format="coco"), "title", None),
        report,
        check_first=True,
    )
    return report.counts
