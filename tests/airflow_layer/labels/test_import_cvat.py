"""Pre-labels as XML of CVAT, for images and for videos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.exports.formats.geometry import runs_of
from tests.airflow_layer.bench import Account
from tests.airflow_layer.pre_labels import Model, counts_of, objects_of

BOX = '<box label="Car" xtl="10" ytl="20" xbr="40" ybr="60" occluded="0"><attribute name="Colour">Red</attribute></box>'
POLYGON = '<polygon label="Person" points="8.0,8.0;40.0,8.0;24.0,48.0"/>'
TAG = '<tag label="Weather"><attribute name="Weather">Rain</attribute></tag>'


def image(model: Model, number: int, *shapes: str, name: str | None = None) -> str:
    row = model.rows()[number]
    title = row.data_title if name is None else name
    size = f'width="{row.width:g}" height="{row.height:g}"'
    return f'<image id="{number}" name="{title}" {size}>{"".join(shapes)}</image>'


def load(model: Model, *parts: str, **arguments: Any) -> dict[str, Any]:
    path: Path = model.directory / "annotations.xml"
    path.write_text(f"<?xml version='1.0'?>\n<annotations><version>1.1</version>{''.join(parts)}</annotations>")
    return model.load(str(path), **{"format": "cvat", **arguments})


def drawn_on(model: Model, number: int = 0) -> list[dict[str, Any]]:
    return objects_of(model.labels()[model.rows()[number].data_hash])


def test_shapes_attributes_and_tags_come_in(model: Model) -> None:
    parts = (image(model, 0, BOX, TAG), image(model, 1, POLYGON), image(model, 2))
    result = load(model, *parts)
    assert (counts_of(result), result["dropped"]) == ({"created": 3}, {})
    row = model.rows()[0]
    width, height = row.width or 0, row.height or 0
    (car,) = drawn_on(model)
    assert car["boundingBox"] == {"x": 10 / width, "y": 20 / height, "w": 30 / width, "h": 40 / height}
    saved = model.labels()[row.data_hash]
    (colour,) = saved["object_answers"][car["objectHash"]]["classifications"]
    assert [answer["name"] for answer in colour["answers"]] == ["Red"]
    (weather,) = saved["classification_answers"].values()
    assert [answer["name"] for answer in weather["classifications"][0]["answers"]] == ["Rain"]
    assert drawn_on(model, 1)[0]["polygon"]["0"]["x"] == 8 / (model.rows()[1].width or 0)
    assert drawn_on(model, 2) == []
    assert counts_of(load(model, *parts)) == {"unchanged": 3}


def test_attributes_that_the_ontology_does_not_have_are_counted(model: Model) -> None:
    more = BOX.replace("</box>", '<attribute name="Brand">X</attribute><attribute name="Age"> </attribute></box>')
    assert load(model, image(model, 0, more))["dropped"] == {"attribute": 1}


def test_other_shapes_come_in_for_features_of_their_shape(model: Model) -> None:
    model.use_shapes(Ship="rotatable_bounding_box", Lane="polyline", Nose="point", Road="bitmask", Pose="skeleton")
    row = model.rows()[0]
    width, height = int(row.width or 0), int(row.height or 0)
    points = "".join(f'<points label="point {n}" points="{n},5" occluded="{n % 2}"/>' for n in (2, 0, 1))
    load(
        model,
        image(
            model,
            0,
            '<box label="Ship" xtl="10" ytl="20" xbr="40" ybr="60" rotation="30"/>',
            '<polyline label="Lane" points="1,2;30,40"/>',
            '<points label="Nose" points="3,4"/>',
            '<mask label="Road" rle="1, 2, 3" left="2" top="1" width="3" height="2"/>',
            f'<skeleton label="Pose">{points}</skeleton>',
        ),
    )
    ship, lane, nose, road, pose = drawn_on(model)
    sides = {"x": 10 / width, "y": 20 / height, "w": 30 / width, "h": 40 / height}
    assert ship["rotatableBoundingBox"] == {**sides, "theta": 30}
    assert lane["polyline"]["1"] == {"x": 30 / width, "y": 40 / height}
    assert nose["point"]["0"] == {"x": 3 / width, "y": 4 / height}
    assert (road["bitmask"]["width"], road["bitmask"]["height"]) == (width, height)
    assert runs_of(road["bitmask"]) == [(width + 3, width + 5)]
    assert [point["x"] for point in pose["skeleton"].values()] == [0, 1 / width, 2 / width]
    assert pose["skeleton"]["1"]["visibility"] == "occluded"


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ('<box label="Car" xtl="10" ytl="20" xbr="5" ybr="60"/>', "box 'Car': the box has the size -5 x 40"),
        ('<box label="Car" xtl="10" ytl="20" xbr="5"/>', "box 'Car': ybr: 'None' is not a number"),
        ('<box label="Car" xtl="0" ytl="0" xbr="9" ybr="9" rotation="5"/>', "but this is rotatable_bounding_box"),
        ('<polygon label="Person" points="1,2;3"/>', "points: they are not written as x,y;x,y"),
        ('<polygon label="Person" points="1,2;3,x;4,5"/>', "points: 'x' is not a number"),
        ('<cuboid label="Car" xtl1="1"/>', "but this is without a shape"),
        ('<box xtl="0" ytl="0" xbr="9" ybr="9"/>', r"for the classes '' \(1\)"),
        ('<tag label="Sky"/>', r"for the classes 'Sky' \(1\)"),
        ('<tag label="Weather"/>', "classification '.*': it has no answer"),
        (BOX.replace("Red", "Green"), "answer to 'Colour': 'Green' is not one of Red, Blue"),
    ],
)
def test_wrong_shapes_are_named_before_anything_is_sent(model: Model, shape: str, message: str) -> None:
    with pytest.raises(AirflowFailException, match=message):
        load(model, image(model, 0, shape), image(model, 1, BOX))
    assert model.changes() == []


def test_a_shape_without_a_counterpart_can_be_left_out(model: Model) -> None:
    result = load(model, image(model, 0, BOX, '<cuboid label="Cube" xtl1="1"/>'), class_map={"Cube": None})
    assert (result["created"], result["dropped"]) == (1, {"class_map": 1})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<annotations>", "it is not XML"),
        ("", "it is not XML"),
        ("<html></html>", "its root is 'html', but 'annotations' is expected"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><annotations/>", "it has a DOCTYPE"),
        ("<annotations/>", "names no data units"),
        ("<annotations>" + "<a>" * 100, "nested too deeply"),
        ('<annotations><image id="0" name="no.png"/></annotations>', r"annotations\.xml, image 0 \(no\.png\): title"),
        ("<annotations><track id='1' label='Car'><box frame='0'/></track></annotations>", "meta: it has no task"),
    ],
)
def test_what_is_not_of_cvat_is_refused(model: Model, content: str, message: str) -> None:
    path = model.directory / "annotations.xml"
    path.write_text(content)
    with pytest.raises(AirflowFailException, match=message):
        model.load(str(path), format="cvat")
    assert model.changes() == []


def track(number: int, *frames: int, outside: int | None = None) -> str:
    shape = '<box frame="{}" outside="{}" xtl="{}" ytl="20" xbr="60" ybr="60"/>'
    shapes = [shape.format(frame, int(frame == outside), 10 + frame) for frame in frames]
    return f'<track id="{number}" label="Car">{"".join(shapes)}</track>'


@pytest.mark.parametrize("is_project", [False, True])
def test_tracks_are_objects_of_the_video_of_their_task(account: Account, tmp_path: Path, is_project: bool) -> None:
    model = Model(account, tmp_path, kind="video", frames=6, rows=2)
    row = model.rows()[1]
    size = f"<original_size><width>{row.width:g}</width><height>{row.height:g}</height></original_size>"
    task = f"<task><id>7</id><name>Street</name>{size}<source>{row.data_title}</source></task>"
    meta = f"<meta>{f'<project><id>1</id><tasks>{task}</tasks></project>' if is_project else task}</meta>"
    tracks = [track(0, 1, 2, 3, outside=3), track(1, 2)]
    if is_project:
        tracks = [one.replace("<track ", '<track task_id="7" ') for one in tracks]
    assert load(model, meta, *tracks)["created"] == 1
    (unit,) = model.labels()[row.data_hash]["data_units"].values()
    drawn = {frame: labels["objects"] for frame, labels in unit["labels"].items() if labels["objects"]}
    assert {frame: len(objects) for frame, objects in drawn.items()} == {"1": 1, "2": 2}
    assert len({one["objectHash"] for objects in drawn.values() for one in objects}) == 2
    with pytest.raises(AirflowFailException, match="frame: 6 is not within the 6 frames"):
        load(model, meta, tracks[0].replace('frame="2"', 'frame="6"'))
    for text in ("\u00b2", "1" * 5000):  # digits, too, but not for int
        with pytest.raises(AirflowFailException, match="is not a number of a frame"):
            load(model, meta, tracks[0].replace('frame="2"', f'frame="{text}"'))


def test_images_of_a_video_task_are_frames_and_tags_join(account: Account, tmp_path: Path) -> None:
    model = Model(account, tmp_path, kind="video", frames=6, rows=1)
    (row,) = model.rows()
    meta = f"<meta><task><id>7</id><source>{row.data_title}</source></task></meta>"
    size = f'width="{row.width:g}" height="{row.height:g}"'
    frames = [f'<image id="{n}" name="frame_{n:06d}" {size}>{BOX}{TAG}</image>' for n in (0, 1, 4)]
    assert load(model, meta, *frames)["created"] == 1
    saved = model.labels()[row.data_hash]
    (unit,) = saved["data_units"].values()
    assert [frame for frame, labels in unit["labels"].items() if labels["objects"]] == ["0", "1", "4"]
    (weather,) = saved["classification_answers"].values()
    assert weather["range"] in ([[0, 0], [1, 1], [4, 4]], [[0, 1], [4, 4]])


def structure_with_changing_state() -> dict[str, Any]:
    options = [{"label": "Parked"}, {"label": "Moving", "options": [{"type": "text", "name": "Where"}]}]
    state = {"type": "radio", "name": "State", "dynamic": True, "options": options}
    speed = {"type": "numeric", "name": "Speed", "dynamic": True}
    brand = {"type": "text", "name": "Brand"}
    car = {"name": "Car", "shape": "bounding_box", "attributes": [state, speed, brand]}
    return {"objects": [car], "classifications": [], "skeleton_templates": []}


def use_changing_state(model: Model) -> None:
    """Go on in a project with the same data, whose cars have attributes that change."""
    with model.account.client() as client:
        datasets = [dataset.dataset_hash for dataset in client.project(model.project).datasets()]
        ontology = client.create_ontology("Changing", structure=structure_with_changing_state(), if_exists="new").id
        made = client.create_project("Changing", dataset_ids=datasets, ontology_id=ontology, if_exists="new")
    model.project = made.id
    model.emulator.clear_journal()


def changing_track(*states: str | None, speeds: tuple[str, ...] = (), brands: tuple[str, ...] = ("Ford",)) -> str:
    """A track as CVAT exports it: every box has all attributes, those that change and those that do not."""
    boxes = []
    for frame, state in enumerate(states):
        attributes = {
            "State": state,
            "Speed": speeds[frame % len(speeds)] if speeds else None,
            "Brand": brands[frame % len(brands)],
        }
        inner = "".join(f'<attribute name="{name}">{text}</attribute>' for name, text in attributes.items() if text)
        head = f'<box frame="{frame}" keyframe="1" outside="0" occluded="0"'
        boxes.append(f'{head} xtl="10" ytl="20" xbr="60" ybr="60" z_order="0">{inner}</box>')
    return f'<track id="0" label="Car" source="manual">{"".join(boxes)}</track>'


def video_meta(model: Model) -> str:
    (row,) = model.rows()
    size = f"<original_size><width>{row.width:g}</width><height>{row.height:g}</height></original_size>"
    return f"<meta><task><id>7</id><name>Street</name>{size}<source>{row.data_title}</source></task></meta>"


@pytest.fixture
def changing(account: Account, tmp_path: Path) -> Model:
    model = Model(account, tmp_path, kind="video", frames=6, rows=1)
    use_changing_state(model)
    return model


def actions_of(model: Model) -> dict[tuple[str, str], list[list[int]]]:
    """Frames by attribute and answer."""
    (saved,) = model.labels().values()
    (actions,) = saved["object_actions"].values()
    assert all(action["dynamic"] and not action["manualAnnotation"] for action in actions["actions"])
    return {
        (action["name"], action["answers"][0]["name"] if isinstance(action["answers"], list) else action["answers"]): (
            action["range"]
        )
        for action in actions["actions"]
    }


def test_attributes_that_change_within_a_track_are_answers_on_their_frames(changing: Model) -> None:
    states = ("Parked", "Parked", "Moving", None, "Moving", "Parked")
    one = changing_track(*states, speeds=("0", "1.5"))
    assert counts_of(load(changing, video_meta(changing), one)) == {"created": 1}
    assert actions_of(changing) == {
        ("State", "Parked"): [[0, 1], [5, 5]],
        ("State", "Moving"): [[2, 2], [4, 4]],
        ("Speed", 0.0): [[0, 0], [2, 2], [4, 4]],
        ("Speed", 1.5): [[1, 1], [3, 3], [5, 5]],
    }
    (saved,) = changing.labels().values()
    (answers,) = saved["object_answers"].values()
    assert [(answer["name"], answer["answers"]) for answer in answers["classifications"]] == [("Brand", "Ford")]
    assert counts_of(load(changing, video_meta(changing), one)) == {"unchanged": 1}


def test_attributes_of_the_track_itself_hold_on_all_its_frames(changing: Model) -> None:
    one = changing_track("Parked", "Moving").replace("<box", '<attribute name="Speed">3</attribute><box', 1)
    load(changing, video_meta(changing), one)
    assert actions_of(changing)["Speed", 3.0] == [[0, 1]]


def test_an_attribute_that_changes_but_must_not_is_named_with_the_fix(changing: Model) -> None:
    one = changing_track("Parked", "Parked", brands=("Ford", "Fiat"))
    with pytest.raises(AirflowFailException, match=r"'Brand' of the object 'Car' .* make the attribute dynamic"):
        load(changing, video_meta(changing), one)
    assert changing.changes() == []


def test_a_wrong_answer_on_one_frame_names_the_attribute(changing: Model) -> None:
    with pytest.raises(AirflowFailException, match="answer to 'State': 'Flying' is not one of Parked, Moving"):
        load(changing, video_meta(changing), changing_track("Parked", "Flying"))
    with pytest.raises(AirflowFailException, match="box 'Car' of track 0 on frame 1: attribute 'Speed': 'x' is not a"):
        load(changing, video_meta(changing), changing_track("Parked", "Parked", speeds=("1", "x")))
    assert changing.changes() == []


def test_a_new_prediction_replaces_the_changing_answers_and_a_merge_keeps_other_frames(changing: Model) -> None:
    report = str(changing.directory / "report.jsonl")
    meta = video_meta(changing)
    load(changing, meta, changing_track("Parked", "Parked", "Moving"), report=report)
    assert load(changing, meta, changing_track("Moving", "Parked"), report=report)["updated"] == 1
    assert actions_of(changing) == {("State", "Moving"): [[0, 0]], ("State", "Parked"): [[1, 1]]}
    later = changing_track(None, None, "Moving")
    assert load(changing, meta, later, report=report, if_exists="merge")["updated"] == 1
    assert actions_of(changing)["State", "Parked"] == [[1, 1]]
