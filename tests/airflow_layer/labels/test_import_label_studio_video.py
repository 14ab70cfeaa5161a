"""Pre-labels as Label Studio's export of videos: boxes with keyframes, and timelines."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.prelabels.forms.label_studio_video import boxes_of
from tests.airflow_layer.bench import Account
from tests.airflow_layer.pre_labels import Model, counts_of

FRAMES = 10


@pytest.fixture
def model(account: Account, tmp_path: Path) -> Model:
    return Model(account, tmp_path, kind="video", frames=FRAMES, rows=1)


def keyframe(frame: Any, x: float = 10, *, enabled: bool = True, **more: Any) -> dict[str, Any]:
    """As Label Studio writes it."""
    box = {"x": x, "y": 20, "width": 30, "height": 40, "rotation": 0}
    return {"frame": frame, "enabled": enabled, "time": 0.04, **box, **more}


def region(*sequence: Any, id_: str | None = "r1", **more: Any) -> dict[str, Any]:
    value = {"framesCount": FRAMES, "duration": 0.4, "sequence": [*sequence], "labels": ["Car"], **more}
    about = {"type": "videorectangle", "from_name": "box", "to_name": "video", "origin": "manual"}
    return {"value": value, "id": id_, **about}


def load(model: Model, *results: Any, **arguments: Any) -> dict[str, Any]:
    (row,) = model.rows()
    task = {"id": 1, "data": {"video": f"/data/upload/3/1a2b3c4d-{row.data_title}"}}
    path: Path = model.directory / "export.json"
    path.write_text(json.dumps([{**task, "annotations": [{"id": 5, "result": [*results]}]}]))
    return model.load(str(path), **{"format": "label_studio", **arguments})


def drawn(model: Model) -> dict[int, list[dict[str, Any]]]:
    (saved,) = model.labels().values()
    (unit,) = saved["data_units"].values()
    return {int(frame): labels["objects"] for frame, labels in unit["labels"].items() if labels["objects"]}


def test_a_box_moves_between_its_keyframes_and_stays_to_the_end(model: Model) -> None:
    """Frame 1 of Label Studio is frame 0."""
    result = load(model, region(keyframe(2, 10), keyframe(6, 50)))
    assert counts_of(result) == {"created": 1}
    found = drawn(model)
    assert [*found] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert [box["boundingBox"]["x"] for (box,) in found.values()] == pytest.approx(
        [0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.5, 0.5, 0.5]
    )
    assert len({box["objectHash"] for (box,) in found.values()}) == 1
    assert counts_of(load(model, region(keyframe(2, 10), keyframe(6, 50)))) == {"unchanged": 1}


def test_a_box_is_gone_after_a_keyframe_that_is_not_enabled(model: Model) -> None:
    load(model, region(keyframe(1), keyframe(3, enabled=False), keyframe(6), keyframe(7, enabled=False)))
    assert [*drawn(model)] == [0, 1, 2, 5, 6]


def test_keyframes_may_be_in_any_order_and_interpolated_already(model: Model) -> None:
    interpolated = [keyframe(frame, 10 * frame, auto=True) for frame in (3, 2)]
    load(model, region(keyframe(4, 40, enabled=False), *interpolated, keyframe(1, 10)))
    assert [box["boundingBox"]["x"] for (box,) in drawn(model).values()] == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_boxes_of_several_regions_are_several_objects_with_their_answers(model: Model) -> None:
    colour = {"type": "choices", "from_name": "Colour", "id": "r2", "value": {"choices": ["Blue"]}}
    load(model, region(keyframe(10)), region(keyframe(9), id_="r2"), colour)
    found = drawn(model)
    assert {frame: len(objects) for frame, objects in found.items()} == {8: 1, 9: 2}
    (saved,) = model.labels().values()
    answers = saved["object_answers"][found[8][0]["objectHash"]]["classifications"]
    assert [answer["answers"][0]["name"] for answer in answers] == ["Blue"]


def test_a_count_of_frames_that_is_too_large_is_cut_at_the_end_of_the_video(model: Model) -> None:
    load(model, region(keyframe(9), framesCount=FRAMES + 1))
    assert [*drawn(model)] == [8, 9]


def test_a_keyframe_far_after_the_end_of_the_video_makes_no_boxes_on_the_way() -> None:
    """A number such as a time in place of a frame made a thousand million boxes."""
    found = boxes_of({"sequence": [keyframe(1), keyframe(10**9)]}, FRAMES)
    frames = [frame for frame, _ in itertools.islice(found, 100)]
    assert frames == [*range(1, FRAMES + 1), 10**9]  # the last one is reported


def test_rotated_boxes_turn_between_keyframes(model: Model) -> None:
    model.use_shapes(Car="rotatable_bounding_box")
    load(model, region(keyframe(1, rotation=0), keyframe(3, rotation=20, enabled=False)))
    assert [box["rotatableBoundingBox"]["theta"] for (box,) in drawn(model).values()] == pytest.approx([0, 10, 20])


def test_labels_of_a_timeline_are_classifications_of_their_frames(model: Model) -> None:
    value = {"ranges": [{"start": 1, "end": 3}, {"start": 7, "end": 7}], "timelinelabels": ["Rain"]}
    result = {"type": "timelinelabels", "from_name": "sky", "id": "t1", "value": value}
    load(model, result, class_map={"sky": "Weather"})
    (saved,) = model.labels().values()
    (weather,) = saved["classification_answers"].values()
    assert weather["range"] == [[0, 2], [6, 6]]
    assert weather["classifications"][0]["answers"][0]["name"] == "Rain"


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (region(), "result r1: sequence: it is not a list of keyframes"),
        (region("x"), "sequence: it is not a list of keyframes"),
        (region(keyframe(0)), "sequence: frame: '0' is not the number of a frame, from 1"),
        (region(keyframe("soon")), "sequence: frame: 'soon' is not the number of a frame"),
        (region(keyframe(3), keyframe(3)), "sequence: frame 3 has two keyframes"),
        (region(keyframe(3, width="wide")), "sequence, frame 3: width: 'wide' is not a number"),
        (region(keyframe(3, x=95)), "result r1 on frame 3: the coordinate .* is outside of the image"),
        (region(keyframe(FRAMES + 1, enabled=False)), "frame: 10 is not within the 10 frames"),
        (region(keyframe(1), labels=["Car", "Person"]), "it has 2 labels, but an object has one class"),
        (region(keyframe(1), labels=["Person"]), "result r1 on frame 1: class 'Person': 'Person' is a polygon"),
        (region(keyframe(2, rotation=5, enabled=False)), "result r1 on frame 2: class 'Car': .* but this is rotatable"),
        (region(keyframe(1), id_=None), "id: it is missing"),
        (
            {"type": "timelinelabels", "from_name": "Weather", "id": "t", "value": {"timelinelabels": ["Rain"]}},
            "result t: ranges: it is not a list of ranges",
        ),
        (
            {
                "type": "timelinelabels",
                "from_name": "Weather",
                "id": "t",
                "value": {"ranges": [{"start": 4, "end": 2}], "timelinelabels": ["Rain"]},
            },
            "ranges: 4 to 2 ends before it starts",
        ),
    ],
)
def test_wrong_regions_are_named_before_anything_is_sent(model: Model, result: Any, message: str) -> None:
    with pytest.raises(AirflowFailException, match=message):
        load(model, result)
    assert model.changes() == []


@given(
    st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=1, max_size=6, unique_by=lambda one: one[0]),
    st.integers(1, 60),
)
def test_each_frame_has_one_box_and_a_second_pass_changes_nothing(frames: list[tuple[int, bool]], count: int) -> None:
    """Boxes of an interpolated export are those of the plain one."""
    sequence = [keyframe(frame, float(frame), enabled=enabled) for frame, enabled in frames]
    once = dict(boxes_of({"sequence": sequence, "framesCount": count}, None))
    assert [*once] == sorted({*once})
    assert {frame for frame, _ in frames} <= once.keys()
    assert max(once) <= max(count, *(frame for frame, _ in frames))
    again = [
        keyframe(frame, enabled=frame + 1 in once, **{name: box[name] for name in ("y", "width")}, x=box["x"])
        for frame, box in once.items()
    ]
    twice = dict(boxes_of({"sequence": again, "framesCount": max(once)}, None))
    assert {frame: pytest.approx(box) for frame, box in twice.items()} == once


def timeline(id_: str, label: str, *ranges: tuple[int, int]) -> dict[str, Any]:
    value = {"ranges": [{"start": start, "end": end} for start, end in ranges], "timelinelabels": [label]}
    return {"type": "timelinelabels", "from_name": "Weather", "id": id_, "value": value}


def test_a_timeline_has_different_labels_on_different_frames(model: Model) -> None:
    content = (timeline("a", "Rain", (1, 3), (9, 10)), timeline("b", "Clear", (4, 8)), timeline("c", "Rain", (9, 9)))
    assert counts_of(load(model, *content)) == {"created": 1}
    (saved,) = model.labels().values()
    found = {
        answer["classifications"][0]["answers"][0]["name"]: answer["range"]
        for answer in saved["classification_answers"].values()
    }
    assert found == {"Clear": [[3, 7]], "Rain": [[0, 2], [8, 9]]}
    assert counts_of(load(model, *content)) == {"unchanged": 1}


def test_two_labels_of_a_timeline_on_one_frame_are_refused(model: Model) -> None:
    with pytest.raises(AirflowFailException, match="it is there twice with different answers on the same frames"):
        load(model, timeline("a", "Rain", (1, 3)), timeline("b", "Clear", (3, 8)))
    assert model.changes() == []
