"""Annotations of label rows of every shape as records."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.exports.formats.annotations import (
    DELETED,
    NO_FRAME,
    LeftOut,
    annotations_of,
)
from tests.exports.documents import BOX, JSON, NEW, TIME, WIDTH, image, option, records_of, row, unit


def _left_out(document: dict[str, Any]) -> list[LeftOut]:
    return [annotation for annotation in annotations_of(document) if isinstance(annotation, LeftOut)]


def test_each_object_of_an_image_is_a_record_with_its_answers():
    answered = {"box": {"classifications": [option("Colour", [{"name": "Dark red"}]), option("Note", "hello")]}}
    (one,) = records_of(image(BOX, object_answers=answered))
    assert (one.kind, one.hash, one.shape, one.feature_hash) == ("object", "box", "bounding_box", "f-bounding_box")
    assert one.answers == {"Colour": ["Dark red"], "Note": "hello"}
    assert (one.place.unit, one.place.frame, one.place.width) == ("image", 0, WIDTH)
    assert (one.created_by, one.confidence, one.manual) == ("a@example.com", 0.5, False)
    assert one.created_at == datetime.datetime(2026, 11, 23, 6, 59, 47, tzinfo=datetime.UTC)
    assert one.last_edited_at == datetime.datetime(2026, 11, 23, 7, 4, 37, tzinfo=datetime.UTC)


def test_an_object_of_a_video_is_a_record_on_each_frame_with_the_answers_of_that_frame():
    frames = {str(frame): {"objects": [BOX], "classifications": []} for frame in (10, 2)}
    actions = {"box": {"actions": [option("Seen", [{"name": "Yes"}], range=[[3, 11]])]}}
    found = records_of(row("video", unit("video", frames), object_actions=actions))
    assert [(one.place.frame, one.answers) for one in found] == [(2, {}), (10, {"Seen": ["Yes"]})]


def test_images_of_a_group_are_reported_by_their_sequence():
    units = [unit(name, {"objects": [BOX], "classifications": []}, number) for name, number in (("b", "1"), ("a", 0))]
    assert [(record.place.unit, record.place.frame) for record in records_of(row("img_group", *units))] == [
        ("a", 0),
        ("b", 1),
    ]


ENTRY = {
    "classificationHash": "c",
    "featureHash": "f",
    "name": "Weather",
    "createdAt": TIME,
    "createdBy": "a@example.com",
    "confidence": 1.0,
    "manualAnnotation": True,
}
OLD = {"c": {"classificationHash": "c", "classifications": [option("Weather", "rain")]}}


@pytest.mark.parametrize(
    ("answers", "entries"), [(NEW, []), (OLD, [ENTRY]), (NEW, [ENTRY])], ids=["newer", "older", "both"]
)
def test_classifications_of_both_forms_are_records_on_each_frame_once(answers, entries):
    frames = {str(frame): {"objects": [], "classifications": entries} for frame in (0, 1, 4)}
    found = records_of(row("video", unit("video", frames), classification_answers=answers))
    assert [one.place.frame for one in found] == [0, 1, 4]
    for one in found:
        assert (one.kind, one.hash, one.feature_hash, one.name) == ("classification", "c", "f", "Weather")
        assert (one.answers, one.created_by, one.confidence) == ({"Weather": "rain"}, "a@example.com", 1.0)


def test_a_classification_is_on_frames_that_have_nothing_else():
    found = records_of(row("video", unit("video", {}), classification_answers=NEW))
    assert [one.place.frame for one in found] == [0, 1, 4]


def test_what_has_no_frame_and_what_was_deleted_is_reported():
    document = image({**BOX, "isDeleted": True}, classification_answers=OLD)
    document["object_answers"]["sound"] = {"objectHash": "sound", "range": [[0, 9]], "classifications": []}
    document["classification_answers"]["d"] = {"classificationHash": "d", "isDeleted": True, "range": [[0, 0]]}
    assert [record.hash for record in records_of(document)] == ["c"]
    assert {(one.hash, one.reason) for one in _left_out(document)} == {
        ("box", DELETED),
        ("sound", NO_FRAME),
        ("d", DELETED),
    }


def test_a_classification_without_frames_is_of_the_image_or_of_the_whole_data_unit():
    (of_image,) = records_of(image(classification_answers=OLD))
    (of_video,) = records_of(row("video", unit("v", {}), classification_answers={"c": {**NEW["c"], "range": []}}))
    assert (of_image.place.frame, of_video.place.frame) == (0, None)


def test_frames_of_ranges_that_overlap_or_lie_outside_of_an_image_are_reported_once():
    ranges = [[0, 1], [1, 2], [0, 0]]
    answers = {"c": {**NEW["c"], "range": ranges}}
    found = records_of(row("video", unit("v", {}), classification_answers=answers))
    assert [one.place.frame for one in found] == [0, 1, 2]
    assert [record.place.frame for record in records_of(image(classification_answers=answers))] == [0]


def test_labels_in_spaces_and_scenes_are_reported():
    answers = {"c": {**NEW["c"], "range": [[0, 0]], "spaces": {"s": {"range": [[0, 3]]}}}}
    document = image(classification_answers=answers, spaces={"s": {"labels": {"0": {}}}}, scene={"streams": []})
    assert [(one.kind, one.reason) for one in _left_out(document)] == [
        ("classification", "space"),
        ("space", "space"),
        ("scene", "scene"),
    ]


def test_answers_to_attributes_of_one_name_are_both_there():
    answered = {"box": {"classifications": [option("Note", "first"), {**option("Note", "second"), "featureHash": "g"}]}}
    (one,) = records_of(image(BOX, object_answers=answered))
    assert one.answers == {"Note": "first", "Note (g)": "second"}


def test_the_size_of_a_dicom_frame_stands_with_its_labels():
    frames = {"4": {"objects": [BOX], "classifications": [], "metadata": {"width": 512, "height": 256}}}
    (one,) = records_of(row("dicom", unit("d", frames, width=None, height=None)))
    assert (one.place.frame, one.place.width, one.place.height) == (4, 512, 256)


@given(
    st.dictionaries(
        st.sampled_from(["createdAt", "confidence", "isDeleted", "shape", "reviews", "unknown", "lastEditedAt"]), JSON
    )
)
def test_keys_that_are_odd_or_not_known_break_nothing(odd):
    assert len(list(annotations_of(image({**BOX, **odd})))) == 1
