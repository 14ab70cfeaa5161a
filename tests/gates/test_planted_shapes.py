"""Annotators who draw other shapes on the emulator, and what the gate finds."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.client.api.labels import LabelRowFilter
from tests.airflow_layer.bench import Account
from tests.gates.test_operators import Labelled

Ring = list[tuple[float, float]]


@pytest.fixture
def labelled(account: Account, tmp_path: Path) -> Labelled:
    return Labelled(account, tmp_path)


def person(geometry: dict[str, Any], shape: str) -> dict[str, Any]:
    """An object of the class Person, whose shape in the ontology is a polygon."""
    return {"shape": shape, **geometry}


def polygon(*rings: Ring) -> dict[str, Any]:
    numbers = [[round(number, 6) for point in ring for number in point] for ring in rings]
    points = {str(n): {"x": x, "y": y} for n, (x, y) in enumerate(rings[0])}
    return person({"polygon": points, "polygons": [numbers]}, "polygon")


def draw(labelled: Labelled, branch: str, *objects: dict[str, Any]) -> None:
    """Replace the labels of the first data unit on a branch by these objects."""
    with labelled.account.client() as client:
        project = client.project(labelled.project_id)
        which = LabelRowFilter(data_hashes=labelled.data_hashes[:1])
        hashes = [row.label_hash or "" for row in project.label_rows(which)]
        project.rows.copy_to_branch(hashes, target=branch)
        which = LabelRowFilter(data_hashes=labelled.data_hashes[:1], branch_name=branch)
        (row,) = project.label_rows(which)
        (read,) = project.read_label_rows([row.label_hash or ""])
        content = msgspec.json.decode(read.content)
        structure = project.ontology().editor_ontology
        (feature,) = [item for item in structure["objects"] if item["name"] == "Person"]
        about = {"name": "Person", "value": "person", "color": feature["color"], "createdBy": f"{branch}@example.com"}
        drawn = [
            {**about, "objectHash": f"{branch[:4]}{number:04d}", "featureHash": feature["featureNodeHash"], **object_}
            for number, object_ in enumerate(objects)
        ]
        (unit,) = content["data_units"].values()
        unit["labels"] = {"objects": drawn, "classifications": []}
        content["object_answers"] = {
            item["objectHash"]: {"objectHash": item["objectHash"], "classifications": []} for item in drawn
        }
        content["classification_answers"] = {}
        project.save_label_rows({row.label_hash or "": content}, validate_before_saving=False)


def diagonal(width: float) -> dict[str, Any]:
    return polygon(
        [(0.1, 0.1), (0.1 + width, 0.1), (0.9, 0.9 - width), (0.9, 0.9), (0.9 - width, 0.9), (0.1, 0.1 + width)]
    )


BOUNDS = polygon([(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)])


def agreement(labelled: Labelled, limit: float = 0.0, **arguments: Any) -> dict[str, Any]:
    manifest = labelled.export("branches", all_branches=True)
    value = labelled.gate(labels=manifest, min_agreement=limit, per_group=False, **arguments)
    found: dict[str, Any] = value["measures"]["agreement"]
    return found


def test_a_thin_diagonal_polygon_and_its_bounding_box_are_a_disagreement(labelled: Labelled) -> None:
    draw(labelled, "ada", diagonal(0.05), diagonal(0.05))
    draw(labelled, "eve", BOUNDS)
    found = agreement(labelled)
    assert (found["value"], found["support"], found["not_compared"]) == (0.0, 3, 0)
    with pytest.raises(AirflowFailException, match=r"agreement: 0\.000, limit 0\.5"):
        agreement(labelled, 0.5)
    named = [line for line in labelled.lines() if line["data_hash"]]
    assert [line["data_hash"] for line in named] == labelled.data_hashes[:1]


def test_two_thin_polygons_in_one_place_agree(labelled: Labelled) -> None:
    draw(labelled, "ada", diagonal(0.05))
    draw(labelled, "eve", diagonal(0.06))
    assert agreement(labelled)["value"] == 1.0
    assert agreement(labelled, min_iou=0.95)["value"] == 0.0


def test_a_forgotten_hole_is_a_disagreement(labelled: Labelled) -> None:
    hole = [(0.15, 0.15), (0.85, 0.15), (0.85, 0.85), (0.15, 0.85)]
    outline = [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)]
    draw(labelled, "ada", polygon(outline, hole))
    draw(labelled, "eve", polygon(outline))
    assert agreement(labelled)["value"] == 0.0


def test_a_rotated_box_and_its_polygon_agree(labelled: Labelled) -> None:
    place = {"x": 0.3, "y": 0.4, "w": 0.4, "h": 0.2}
    row = _unit_of(labelled)
    width, height = row["width"], row["height"]
    turn, middle = math.radians(30), (0.5 * width, 0.5 * height)
    half = (0.2 * width, 0.1 * height)
    corners = [
        (
            (middle[0] + a * half[0] * math.cos(turn) - b * half[1] * math.sin(turn)) / width,
            (middle[1] + a * half[0] * math.sin(turn) + b * half[1] * math.cos(turn)) / height,
        )
        for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    draw(labelled, "ada", person({"rotatableBoundingBox": {**place, "theta": 30}}, "rotatable_bounding_box"))
    draw(labelled, "eve", polygon(corners))
    assert agreement(labelled, min_iou=0.99)["value"] == 1.0
    draw(labelled, "ida", person({"boundingBox": place}, "bounding_box"))
    assert agreement(labelled, min_iou=0.99)["value"] == pytest.approx(1 / 3)  # of three pairs of annotators


def _unit_of(labelled: Labelled) -> dict[str, Any]:
    with labelled.account.client() as client:
        project = client.project(labelled.project_id)
        (row,) = project.label_rows(LabelRowFilter(data_hashes=labelled.data_hashes[:1]))
        (read,) = project.read_label_rows([row.label_hash or ""])
    (unit,) = msgspec.json.decode(read.content)["data_units"].values()
    found: dict[str, Any] = unit
    return found


def test_shapes_that_cannot_be_compared_are_counted_and_named(
    labelled: Labelled, caplog: pytest.LogCaptureFixture
) -> None:
    broken = person({"polygon": {"0": {"x": None, "y": 0.1}}}, "polygon")
    draw(labelled, "ada", BOUNDS, broken)
    draw(labelled, "eve", BOUNDS)
    found = agreement(labelled)
    assert (found["value"], found["support"], found["not_compared"]) == (1.0, 2, 1)
    assert "min_agreement: 1 annotations have shapes that cannot be compared" in caplog.text
    assert "Their classes: Person." in caplog.text


def test_if_nothing_can_be_compared_the_gate_does_not_pass(labelled: Labelled) -> None:
    broken = person({"polygon": {"0": {"x": None, "y": 0.1}}}, "polygon")
    draw(labelled, "ada", broken)
    draw(labelled, "eve", broken)
    with pytest.raises(AirflowFailException, match="agreement: not measured"):
        agreement(labelled)


def test_without_shapely_the_gate_fails_before_the_first_request(
    labelled: Labelled, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = labelled.export("now", all_branches=True)
    monkeypatch.setitem(sys.modules, "shapely", None)
    labelled.account.emulator.clear_journal()
    with pytest.raises(AirflowFailException, match=r"airflow-provider-encord\[quality\]"):
        labelled.gate(labels=manifest, min_agreement=0.5)
    assert labelled.account.emulator.journal() == []
    labelled.gate(labels=manifest, max_invalid_rows=1)  # other measures do not need it


def test_only_a_limit_for_the_agreement_compares_branches(labelled: Labelled, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(labelled, "ada", BOUNDS)
    draw(labelled, "eve", diagonal(0.1))
    manifest = labelled.export("branches", all_branches=True)
    monkeypatch.setitem(sys.modules, "shapely", None)
    value = labelled.gate(labels=manifest, reference=manifest, max_class_drift=0, max_invalid_rows=1)
    assert value["passed"] is True
