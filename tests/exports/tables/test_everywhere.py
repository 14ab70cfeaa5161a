"""Ranges, spaces and scenes as records: what rows that the vendor's SDK read or saved hold, and rows of odd forms."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.exports.formats.annotations import Annotation, LeftOut, annotations_of
from airflow_provider_encord.exports.formats.everywhere import annotations_everywhere
from tests.exports.documents import BOX, JSON, NEW, TIME, image, option, recorded, row, unit


def _records(document: dict[str, Any]) -> list[Annotation]:
    return [one for one in annotations_everywhere(document) if isinstance(one, Annotation)]


def _left_out(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    found = (one for one in annotations_everywhere(document) if isinstance(one, LeftOut))
    return [(one.kind, one.hash, one.reason) for one in found]


def _ranges(document: dict[str, Any]) -> list[tuple[str, int | None, int | None, str | None]]:
    spans = [(one.hash, one.place.span) for one in _records(document)]
    return [(hash_, *((span.start, span.end, span.unit) if span else (None, None, None))) for hash_, span in spans]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("audio", [("OBJHASH1", 0, 1500, "milliseconds"), ("OBJHASH1", 3000, 4200, "milliseconds")]),
        ("text", [("OBJHASH1", 0, 4, "characters")]),
        ("html", [("OBJHASH1", 0, 5, "characters")]),
        ("time_series", [("OBJHASH1", 0, 1000, "axis")]),
    ],
)
def test_objects_of_data_without_frames_are_on_their_ranges_and_classifications_on_the_whole(
    name: str, expected: list[Any]
) -> None:
    document = recorded(name)
    assert _ranges(document) == [*expected, ("CLSHASH1", None, None, None)]
    assert [one.place.frame for one in _records(document)] == [None] * (len(expected) + 1)
    assert _left_out(document) == []
    (first, *_) = _records(document)
    assert (first.created_by, first.last_edited_by, first.manual) == ("a@example.com", "b@example.com", True)


def test_a_range_of_html_names_the_nodes_that_it_counts_in() -> None:
    span = _records(recorded("html"))[0].place.span
    assert span is not None
    assert (span.start_xpath, span.end_xpath) == ("/html[1]/body[1]/p[1]/text()[1]",) * 2


def test_labels_of_a_data_group_are_on_the_files_that_they_are_about() -> None:
    found = {}
    for one in _records(recorded("group")):
        place = one.place
        about = (place.layout_key, place.space_type, place.unit[-2:], place.unit_title, place.frame)
        found.setdefault(one.hash, set()).add((*about, place.span and (place.span.start, place.span.end)))
    assert {hash_: places for hash_, places in found.items() if hash_ != "CLSHASH1"} == {
        "OBJHASH1": {("left", "image", "02", "cat.jpg", 0, None)},
        "OBJHASH2": {("right", "video", "03", "dog.mp4", 5, None)},
        "OBJHASH3": {("pdf", "pdf", "01", "doc.pdf", 1, None)},
        "OBJHASH4": {("audio", "audio", "01", "call.wav", None, (0, 1500))},
        "OBJHASH5": {("signal", "time_series", "01", "signal.csv", None, (0, 1000))},
        "OBJHASH6": {("text", "text", "01", "note.txt", None, (0, 4))},
        "OBJHASH7": {("html", "html", "01", "page.html", None, (0, 5))},
        "CLSHASH2": {("audio", "audio", "01", "call.wav", None, None)},
        "CLSHASH3": {(None, None, "01", "Pair", None, None)},
    }
    on_video = {("right", "video", "03", "dog.mp4", frame, None) for frame in range(11)}
    assert found["CLSHASH1"] == {("left", "image", "02", "cat.jpg", 0, None), *on_video}
    assert _left_out(recorded("group")) == []


def test_labels_of_a_scene_are_on_its_frames_cameras_and_point_clouds() -> None:
    found = [(one, one.place) for one in _records(recorded("scene"))]
    assert [(one.hash, one.shape, place.stream, place.frame, place.width) for one, place in found] == [
        ("OBJHASH1", "cuboid", None, 0, None),
        ("OBJHASH1", "cuboid", None, 1, None),
        ("OBJHASH2", "segmentation", "lidar", 0, None),
        ("OBJHASH3", "bounding_box", "front", 0, 1920),
        ("CLSHASH1", None, None, 0, None),
        ("CLSHASH1", None, None, 1, None),
    ]
    assert _left_out(recorded("scene")) == []


def test_labels_of_a_recorded_scene_last_until_the_next_record_of_the_object() -> None:
    document = recorded("scene_events")
    assert _ranges(document) == [
        ("OBJHASH1", 0, 999_999_999, "nanoseconds"),
        ("OBJHASH1", 1_000_000_000, 2_500_000_000, "nanoseconds"),
        ("OBJHASH2", 1_000_000_000, 1_000_000_000, "nanoseconds"),
        ("OBJHASH3", 0, 1000, "axis"),
        ("CLSHASH1", 0, 2_500_000_000, "nanoseconds"),
    ]
    assert [one.interpolation for one in _records(document)][:2] == ["linear", "hold"]
    assert [one.place.space for one in _records(document)][2:4] == ["/lidar@1000000000", "/imu.speed"]
    assert _left_out(document) == []


def test_an_object_of_a_recorded_scene_without_an_end_has_a_range_without_one() -> None:
    document = recorded("scene_events")
    (labels,) = (one["labels"] for one in document["data_units"].values())
    del labels["2500000001"]
    assert _ranges(document)[1] == ("OBJHASH1", 1_000_000_000, None, "nanoseconds")


def test_an_object_that_only_ends_is_left_out() -> None:
    document = recorded("scene_events")
    (labels,) = (one["labels"] for one in document["data_units"].values())
    del labels["0"], labels["1000000000"]
    assert ("object", "OBJHASH1", "no frame") in _left_out(document)


def test_labels_with_the_data_unit_replace_those_in_the_space_of_a_camera() -> None:
    document = recorded("scene")
    document["spaces"]["front-0"]["labels"]["objects"] = [{**BOX, "objectHash": "older"}]
    assert "older" not in {one.hash for one in _records(document)}


@pytest.mark.parametrize("name", ["dicom", "nifti", "pdf", "video", "image_group", "shapes"])
def test_rows_of_frames_have_the_records_that_every_format_has(name: str) -> None:
    document = recorded(name)
    assert list(annotations_everywhere(document)) == list(annotations_of(document))


def test_the_slices_of_a_series_have_their_instance_uid() -> None:
    assert [one.place.instance_uid for one in _records(recorded("dicom"))] == ["1.2.3.0", "1.2.3.0", "1.2.3.1"]


def test_a_dynamic_answer_of_a_space_is_not_on_the_same_frame_of_another() -> None:
    labels = {"3": {"objects": [BOX], "classifications": []}}
    spaces = {name: {"space_type": "video", "labels": labels} for name in ("one", "other")}
    actions = {"box": {"actions": [option("Seen", "yes", range=[[3, 3]], spaceId="one")]}}
    document = row("group", unit("g", {"objects": []}), spaces=spaces, object_actions=actions)
    assert {one.place.space: one.answers for one in _records(document)} == {"one": {"Seen": "yes"}, "other": {}}


def _sound(**more: Any) -> dict[str, Any]:
    answer = {"objectHash": "s", "featureHash": "f", "name": "Speech", "shape": "audio", "classifications": [], **more}
    return row("audio", unit("a", {}), object_answers={"s": answer})


@pytest.mark.parametrize(
    ("ranges", "found", "left_out"),
    [
        ([[0, 9], [5, 20]], [(0, 20)], []),
        ([[30, 40], [0, 9]], [(0, 9), (30, 40)], []),
        ([[0, 9], [1.5, 2], "x"], [(0, 9)], [("object", "s", "malformed range")] * 2),
        ([["0", "9"]], [], [("object", "s", "malformed range")]),
        ({"0": 9}, [], [("object", "s", "malformed range")]),
        ([], [], [("object", "s", "no frame")]),
        (None, [], [("object", "s", "no frame")]),
    ],
)
def test_ranges_are_merged_and_those_that_cannot_be_read_are_counted(ranges: Any, found: Any, left_out: Any) -> None:
    document = _sound(range=ranges)
    assert [(start, end) for _, start, end, _ in _ranges(document)] == found
    assert _left_out(document) == left_out


@pytest.mark.parametrize(("ranges", "found"), [([], [None]), ([[0, 0]], [None]), ([[0, 9]], [(0, 9)])])
def test_a_classification_of_a_sound_is_on_the_whole_sound_however_that_is_written(ranges: Any, found: Any) -> None:
    document = row("audio", unit("a", {}), classification_answers={"c": {**NEW["c"], "range": ranges}})
    assert [
        place.span and (place.span.start, place.span.end) for place in (one.place for one in _records(document))
    ] == found


def test_an_entry_of_an_older_sdk_on_a_sound_is_on_the_whole_sound() -> None:
    entry = {"classificationHash": "c", "featureHash": "f", "name": "Weather"}
    (one,) = _records(row("audio", unit("a", {"0": {"objects": [], "classifications": [entry]}})))
    assert (one.place.frame, one.place.span) == (None, None)


def test_a_deleted_object_on_a_range_is_left_out() -> None:
    assert _left_out(_sound(range=[[0, 9]], isDeleted=True)) == [("object", "s", "deleted")]


def test_a_range_of_data_that_counts_nothing_known_is_left_out() -> None:
    document = image(object_answers={"s": {"objectHash": "s", "range": [[0, 9]], "classifications": []}})
    assert _left_out(document) == [("object", "s", "malformed range")]


def test_a_classification_of_an_image_group_without_any_of_its_images_is_left_out() -> None:
    units = [unit(name, {"objects": [], "classifications": []}, number) for number, name in enumerate("ab")]
    answers = {"c": {**NEW["c"], "range": [[7, 9]]}}
    assert _left_out(row("img_group", *units, classification_answers=answers)) == [("classification", "c", "no frame")]


def test_a_classification_in_a_space_that_the_row_does_not_list_keeps_the_id_of_the_space() -> None:
    answers = {"c": {**NEW["c"], "range": [], "spaces": {"/imu": {"range": [], "type": "frame"}}}}
    (one,) = _records(row("scene", unit("s", {}), classification_answers=answers))
    assert (one.place.space, one.place.frame, one.place.unit) == ("/imu", None, "s")


@pytest.mark.parametrize("space", ["text", 3, [1], {"labels": [1]}])
def test_a_space_of_another_form_is_counted(space: Any) -> None:
    assert _left_out(image(BOX, spaces={"s": space})) == [("space", "s", "space")]


def test_an_entry_of_an_older_sdk_in_a_space_is_a_record_there() -> None:
    entry = {"classificationHash": "c", "featureHash": "f", "name": "Weather", "createdAt": TIME}
    labels = {"2": {"objects": [], "classifications": [entry]}}
    document = row("group", unit("g", {"objects": []}), spaces={"s": {"space_type": "video", "labels": labels}})
    assert [(one.hash, one.place.space, one.place.frame) for one in _records(document)] == [("c", "s", 2)]


WILD = st.dictionaries(
    st.sampled_from(["range", "spaces", "shape", "range_html", "isDeleted", "classifications", "featureHash"]), JSON
)


@given(st.sampled_from(["audio", "text", "html", "group", "scene", "scene_events"]), WILD, st.integers(0, 6))
def test_every_object_of_every_row_is_a_record_or_left_out(name: str, odd: dict[str, Any], which: int) -> None:
    """Or the row has a form that cannot be read at all, which an export names."""
    document = copy.deepcopy(recorded(name))
    hashes = sorted(document["object_answers"])
    changed = hashes[which % len(hashes)]
    document["object_answers"][changed] |= odd
    try:
        found = list(annotations_everywhere(document))
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
        return
    assert set(hashes) <= {one.hash for one in found}


FRAME = st.fixed_dictionaries({"objects": st.lists(st.just(BOX), max_size=1), "classifications": st.just([])})


RANGES = st.lists(st.lists(st.integers(-2, 12), min_size=2, max_size=2))


@given(st.dictionaries(st.integers(0, 9).map(str), FRAME), RANGES)
def test_a_video_has_the_same_records_as_in_every_format(frames: dict[str, Any], ranges: list[list[int]]) -> None:
    document = row("video", unit("v", frames), classification_answers={"c": {**NEW["c"], "range": ranges}})
    here = [one for one in annotations_everywhere(document) if isinstance(one, Annotation)]
    assert here == [one for one in annotations_of(document) if isinstance(one, Annotation)]
