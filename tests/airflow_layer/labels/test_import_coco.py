"""Pre-labels as COCO: boxes, polygons, masks, results, frames of videos, and our own exports again."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.operators.labels import EncordExportLabelsOperator
from tests.airflow_layer.bench import Account
from tests.airflow_layer.pre_labels import Model, counts_of, objects_of, saved

CATEGORIES = [{"id": 7, "name": "Car"}, {"id": 9, "name": "Person"}, {"id": 11, "name": "Lorry"}]
TRIANGLE = [8.0, 8.0, 40.0, 8.0, 24.0, 48.0]


def document(model: Model, *annotations: dict[str, Any], **more: Any) -> dict[str, Any]:
    images = [
        {"id": number, "file_name": f"train/{row.data_title}", "width": row.width, "height": row.height}
        for number, row in enumerate(model.rows())
    ]
    numbered = [{"id": number, **annotation} for number, annotation in enumerate(annotations)]
    return {"annotations": numbered, "images": images, "categories": CATEGORIES, **more}


def write(model: Model, content: Any, name: str = "coco.json") -> str:
    path: Path = model.directory / name
    text = json.dumps(content).encode()
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return str(path)


def load(model: Model, content: Any, **arguments: Any) -> dict[str, Any]:
    name = arguments.pop("name", "coco.json")
    return model.load(write(model, content, name), **{"format": "coco", **arguments})


CAR = {"image_id": 0, "category_id": 7, "bbox": [10, 20, 30, 40], "score": 0.5}
PERSON = {"image_id": 1, "category_id": 9, "segmentation": [TRIANGLE], "bbox": [8, 8, 32, 40]}


@pytest.mark.parametrize("name", ["coco.json", "coco.json.gz"])
def test_boxes_and_polygons_come_in_as_fractions_with_their_score(model: Model, name: str) -> None:
    result = load(model, document(model, CAR, PERSON), name=name)
    assert (counts_of(result), result["dropped"]) == ({"created": 6}, {})
    first, second, *others = model.rows()
    (car,) = objects_of(model.labels()[first.data_hash])
    width, height = first.width or 0, first.height or 0
    assert car["boundingBox"] == {"x": 10 / width, "y": 20 / height, "w": 30 / width, "h": 40 / height}
    assert (car["confidence"], car["manualAnnotation"]) == (0.5, False)
    (person,) = objects_of(model.labels()[second.data_hash])
    width, height = second.width or 0, second.height or 0
    assert person["polygon"]["2"] == {"x": 24 / width, "y": 48 / height}
    assert all(objects_of(model.labels()[row.data_hash]) == [] for row in others)
    assert counts_of(load(model, document(model, CAR, PERSON), name=name)) == {"unchanged": 6}


def test_classes_without_a_feature_are_named_all_at_once(model: Model) -> None:
    others = [{"id": 12, "name": "Bus"}, *CATEGORIES]
    lorries = [{**CAR, "category_id": 11, "image_id": number % 6} for number in range(30)]
    content = document(model, *lorries, {**CAR, "category_id": 12}, categories=others)
    message = r"for the classes 'Lorry' \(30\), 'Bus' \(1\)\. It has Car \(bounding_box\), Person \(polygon\), Weather"
    with pytest.raises(AirflowFailException, match=message):
        load(model, content)
    assert model.changes() == []
    with pytest.raises(AirflowFailException, match=r"for the classes 'Lorry as Van' \(30\)\. It has"):
        load(model, content, class_map={"Lorry": "Van", "Bus": None})
    result = load(model, content, class_map={"Lorry": "Car", "Bus": None})
    assert (saved(result), result["dropped"]) == (6, {"class_map": 1, "duplicate": 24})


def test_a_class_map_can_be_rendered_and_dropped_annotations_are_listed(model: Model) -> None:
    report = model.directory / "report.jsonl"
    annotations = [CAR, {**CAR, "score": 0.49, "bbox": [0, 0, 5, 5]}, {**PERSON, "score": 0.9}]
    result = load(
        model,
        document(model, *annotations),
        class_map=json.dumps({"Person": None}),
        score_threshold="0.5",
        report=str(report),
    )
    assert result["dropped"] == {"class_map": 1, "score_threshold": 1}
    lines = {line["source"]: line for line in map(json.loads, report.read_text().splitlines())}
    titles = [row.data_title for row in model.rows()]
    assert lines[f"coco.json, image 0 (train/{titles[0]})"]["dropped"] == {"score_threshold": 1}
    assert lines[f"coco.json, image 1 (train/{titles[1]})"]["dropped"] == {"class_map": 1}


def test_an_annotation_without_a_score_is_refused_if_scores_decide(model: Model) -> None:
    with pytest.raises(AirflowFailException, match="annotation 0: it has no score, but score_threshold needs it"):
        load(model, document(model, PERSON), score_threshold=0.3)


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ({**CAR, "bbox": [10, 20, 30]}, r"annotation 0: bbox: '\[10, 20, 30\]' is not a list of 4 numbers"),
        ({**CAR, "bbox": [10, 20, -3, 4]}, "the box has the size -3 x 4"),
        ({**CAR, "bbox": [10, 20, 99999, 4]}, "the coordinate 100009.* is outside of the image, whose width is"),
        ({**CAR, "bbox": ["a", 20, 1, 4]}, "bbox: 'a' is not a number"),
        ({**CAR, "score": 80}, "confidence: '80.0' is not a number from 0 to 1"),
        ({**CAR, "score": "high"}, "score: 'high' is not a number"),
        ({**CAR, "image_id": 77}, "image 77: image_id 77 is not the id of one of the images"),
        ({**CAR, "image_id": "0"}, 'image "0": image_id "0" is not the id of one of the images'),
        ({**CAR, "category_id": 77}, "category_id 77 is not the id of one of the categories"),
        ({"image_id": 0, "category_id": 7, "score": 0.5}, "class 'Car': 'Car' is a bounding_box in the ontology"),
        ({**PERSON, "segmentation": [[1, 2, 3]]}, "3 coordinates are not pairs"),
        ({**PERSON, "segmentation": [[1, 2, 3, 4]]}, "a polygon needs at least 3 corners"),
        (
            {**PERSON, "segmentation": {"size": [4, 4], "counts": [0, 16]}},
            "the mask has 4 x 4 pixels, but the image has",
        ),
        ({**PERSON, "segmentation": {"size": [4, 4], "counts": [15]}}, "the runs of the mask have 15 pixels"),
        ({**CAR, "track_id": 1.5}, "track_id: '1.5' is neither text nor a number"),
    ],
)
def test_wrong_annotations_are_named_before_anything_is_sent(model: Model, annotation: Any, message: str) -> None:
    with pytest.raises(AirflowFailException, match=message):
        load(model, document(model, annotation, PERSON))
    assert model.changes() == []
    result = load(model, document(model, annotation, {**PERSON, "image_id": 2}), on_error="skip")
    assert result["failed"] == 1
    assert saved(result) >= 5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"categories": []}, "is not COCO: it has no images"),
        ({"images": [], "categories": []}, "is not COCO: it has no images|names no data units"),
        ([], "is a list of COCO results|is not COCO"),
        ({"images": [{"file_name": "x"}]}, r"images\[0\]: it is not an object with an id"),
        ({"images": [], "annotations": [3]}, r"annotations\[0\] has no image_id"),
        ("x", "it is neither a JSON object nor a list"),
        ({"images": [{"id": 1, "file_name": "nowhere.png"}]}, "title 'nowhere.png': no data unit has it"),
        ({"images": [{"id": 1}]}, "file_name: it is missing"),
    ],
)
def test_a_file_that_is_not_coco_is_refused(model: Model, content: Any, message: str) -> None:
    with pytest.raises(AirflowFailException, match=message):
        load(model, content)
    assert model.changes() == []


def test_a_list_of_results_needs_the_images_and_imports_only_those_that_it_names(model: Model) -> None:
    results = [CAR, {**CAR, "image_id": 3}]
    with pytest.raises(AirflowFailException, match=r"is a list of COCO results.* as images_source"):
        load(model, results)
    images = write(model, document(model), "instances.json")
    result = load(model, results, images_source=images)
    assert (result["created"], result["dropped"]) == (2, {})
    rows = model.rows()
    assert [row.data_hash for row in rows if model.labels().get(row.data_hash)] == [
        rows[0].data_hash,
        rows[3].data_hash,
    ]


def test_objects_over_the_edge_are_clipped_and_counted(model: Model) -> None:
    row = model.rows()[0]
    width = row.width or 0
    result = load(model, document(model, {**CAR, "bbox": [-4, 20, width + 8, 40]}))
    assert result["dropped"] == {"clipped": 1}
    (car,) = objects_of(model.labels()[row.data_hash])
    assert (car["boundingBox"]["x"], car["boundingBox"]["w"]) == (0, 1)


def test_frames_of_videos_are_named_by_video_and_frame(account: Account, tmp_path: Path) -> None:
    model = Model(account, tmp_path, kind="video", frames=5, rows=2)
    row = model.rows()[0]
    size = {"width": row.width, "height": row.height}
    images = [
        {"id": 1, "file_name": "a/0.jpg", "video_id": 1, "frame_id": 0, **size},
        {"id": 2, "file_name": "a/3.jpg", "video_id": 1, "frame_id": 3, **size},
    ]
    tracks = [{**CAR, "image_id": image, "instance_id": 5} for image in (1, 2)]
    content = {"videos": [{"id": 1, "name": row.data_title}], "images": images, "categories": CATEGORIES}
    assert load(model, {**content, "annotations": tracks})["created"] == 1
    (unit,) = model.labels()[row.data_hash]["data_units"].values()
    drawn = {frame: labels["objects"] for frame, labels in unit["labels"].items() if labels["objects"]}
    assert [*drawn] == ["0", "3"]
    assert len({one["objectHash"] for objects in drawn.values() for one in objects}) == 1
    images[1]["frame_id"] = 5
    with pytest.raises(AirflowFailException, match="frame: 5 is not within the 5 frames"):
        load(model, {**content, "annotations": tracks})


def test_images_of_an_image_group_are_named_by_their_title(account: Account, tmp_path: Path) -> None:
    model = Model(account, tmp_path, kind="img_group", frames=3, rows=1)
    row = model.rows()[0]
    images = [{"id": 4, "file_name": "image-000002.png", "width": row.width, "height": row.height}]
    content = {"images": images, "categories": CATEGORIES, "annotations": [{**CAR, "image_id": 4}]}
    assert load(model, content)["created"] == 1
    units = model.labels()[row.data_hash]["data_units"].values()
    assert [len(unit["labels"]["objects"]) for unit in sorted(units, key=lambda unit: int(unit["data_sequence"]))] == [
        0,
        0,
        1,
    ]


@pytest.mark.parametrize(("kind", "frames"), [("image", 1), ("video", 4), ("img_group", 3)])
def test_our_own_export_as_coco_comes_in_with_the_same_shapes(
    account: Account, tmp_path: Path, kind: str, frames: int
) -> None:
    project = account.project(rows=4, created=1.0, objects_per_row=5, kind=kind, frames=frames, seed=2)["project_id"]
    export = EncordExportLabelsOperator(
        task_id="export", project_id=project, destination=str(tmp_path / "export"), format="coco.json"
    )
    export.execute({})
    model = Model(account, tmp_path, rows=1)
    model.project = project
    before = drawings(model)
    result = model.load(str(tmp_path / "export"), format="coco", if_exists="overwrite")
    assert (saved(result), result["failed"], result["dropped"]) == (4, 0, {})
    after = drawings(model)
    assert [drawing[:3] for drawing in after] == [drawing[:3] for drawing in before]
    assert sum(len(drawing[3]) for drawing in before) > 20
    for one, other in zip(before, after, strict=True):
        assert other[3] == pytest.approx(one[3], abs=1e-5)


def drawings(model: Model) -> list[tuple[str, str, str, list[float]]]:
    """Data unit, frame, class and coordinates of each shape, in an order that does not depend on hashes."""
    found = []
    for data_hash, row in model.labels().items():
        for name, unit in row["data_units"].items():
            frames = {name: unit["labels"]} if "objects" in unit["labels"] else unit["labels"]
            for frame, labels in frames.items():
                found += [(data_hash, frame, one["name"], numbers_in(one)) for one in labels["objects"]]
    return sorted(found, key=lambda drawing: (*drawing[:3], [round(value, 3) for value in drawing[3]]))


def numbers_in(drawn: dict[str, Any]) -> list[float]:
    if "boundingBox" in drawn:
        return [drawn["boundingBox"][name] for name in "xywh"]
    return [value for point in drawn["polygon"].values() for value in (point["x"], point["y"])]


KEYPOINTS = [10, 20, 2, 30, 40, 1, 0, 0, 0]


def test_keypoints_come_in_as_the_skeleton_of_the_ontology(model: Model) -> None:
    model.use_shapes(Pose="skeleton")
    names = ["point-1", "Point 0", "point_2"]
    category = {"id": 7, "name": "Pose", "keypoints": names}
    pose = {"image_id": 0, "category_id": 7, "keypoints": KEYPOINTS, "num_keypoints": 2}
    load(model, document(model, pose, categories=[category]))
    row = model.rows()[0]
    width, height = row.width or 0, row.height or 0
    (drawn,) = objects_of(model.labels()[row.data_hash])
    assert drawn["skeleton"] == {
        "0": {
            "x": 30 / width,
            "y": 40 / height,
            "name": "Point 0",
            "featureHash": "point000",
            "visibility": "occluded",
        },
        "1": {"x": 10 / width, "y": 20 / height, "name": "Point 1", "featureHash": "point001", "visibility": "visible"},
        "2": {"x": 0, "y": 0, "name": "Point 2", "featureHash": "point002", "visibility": "invisible"},
    }
    for wrong, message in (
        ({"keypoints": KEYPOINTS[:6]}, "it has 2 keypoints, but the skeleton of the ontology has 3"),
        ({"keypoints": KEYPOINTS[:5]}, "5 numbers are not keypoints of 3 numbers each"),
    ):
        with pytest.raises(AirflowFailException, match=message):
            load(model, document(model, {**pose, **wrong}, categories=[category]))
    category["keypoints"] = ["nose", "eye", "ear"]
    with pytest.raises(AirflowFailException, match="other names than the skeleton of the ontology, which has Point 0"):
        load(model, document(model, pose, categories=[category]))


def test_rotated_boxes_of_our_export_keep_their_angle(model: Model) -> None:
    model.use_shapes(Ship="rotatable_bounding_box")
    box = {"x": 0.2, "y": 0.3, "w": 0.2, "h": 0.1, "theta": 30.0}
    row = model.rows()[0]
    model.load(model.write({"data_hash": row.data_hash, "objects": [{"feature": "Ship", "rotatableBoundingBox": box}]}))
    directory = str(model.directory / "export")
    EncordExportLabelsOperator(
        task_id="export", project_id=model.project, destination=directory, format="coco.json"
    ).execute({})
    model.load(directory, format="coco", if_exists="overwrite")
    (drawn,) = objects_of(model.labels()[row.data_hash])
    assert drawn["rotatableBoundingBox"] == pytest.approx(box, abs=1e-3)


def test_a_mask_of_a_polygon_class_is_traced_along_its_pixels(model: Model) -> None:
    """pycocotools wrote the mask: a frame with a hole, and a pixel of its own. Shapely is the referee."""
    numpy, shapely = pytest.importorskip("numpy"), pytest.importorskip("shapely")
    tools = pytest.importorskip("pycocotools.mask")
    row = model.rows()[0]
    width, height = int(row.width or 0), int(row.height or 0)
    pixels = numpy.zeros((height, width), dtype=numpy.uint8)
    pixels[10:50, 20:80] = 1
    pixels[20:30, 30:40] = 0
    pixels[60, 90] = 1
    rle = tools.encode(numpy.asfortranarray(pixels))
    mask = {"size": [int(side) for side in rle["size"]], "counts": rle["counts"].decode()}
    content = document(model, {"image_id": 0, "category_id": 9, "segmentation": mask, "iscrowd": 1})
    assert load(model, content)["created"] == 6
    (person,) = objects_of(model.labels()[row.data_hash])
    assert [len(rings) for rings in person["polygons"]] == [2, 1]
    parts = [
        shapely.Polygon(*_in_pixels(rings[:1], width, height), _in_pixels(rings[1:], width, height))
        for rings in person["polygons"]
    ]
    assert sum(part.area for part in parts) == pytest.approx(float(pixels.sum()))
    assert person["polygon"]["0"] == {"x": 20 / width, "y": 10 / height}
    assert counts_of(load(model, content)) == {"unchanged": 6}


def _in_pixels(rings: list[list[float]], width: int, height: int) -> list[list[tuple[float, float]]]:
    return [[(x * width, y * height) for x, y in zip(ring[::2], ring[1::2], strict=True)] for ring in rings]
