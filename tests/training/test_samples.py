"""Samples of label rows: every image is one, or is counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airflow_provider_encord.exports.formats.annotations import LeftOut
from airflow_provider_encord.exports.formats.answers import Names
from airflow_provider_encord.training.samples import NOT_AN_IMAGE, File, Sample, samples_of

NAMES = Names({})


class EveryFile:
    def find(self, unit: str, frame: int | None) -> File | None:
        return File(f"{unit}.png", None, None)


class Everything:
    """Filters nothing out."""

    def of_row(self, data_hash: str) -> None:
        return None

    def of_image(self, classifications: Any) -> None:
        return None

    def of_object(self, object_: Any) -> None:
        return None


EVERYTHING = Everything()


def unit(name: str, number: int, **about: Any) -> dict[str, Any]:
    return {"data_hash": name, "data_title": name, "data_sequence": str(number), "width": 40, "height": 30, **about}


def label_row(data_type: str, units: Iterable[dict[str, Any]], **about: Any) -> dict[str, Any]:
    by_hash = {one["data_hash"]: one for one in units}
    return {"label_hash": "l", "data_hash": "d", "data_type": data_type, "data_units": by_hash, **about}


def split(row: dict[str, Any]) -> tuple[list[Sample], list[LeftOut]]:
    found = list(samples_of(row, NAMES, EveryFile(), EVERYTHING))
    samples = [one for one in found if isinstance(one, Sample)]
    return samples, [one for one in found if isinstance(one, LeftOut)]


def classification(ranges: list[list[int]]) -> dict[str, Any]:
    answer = {"name": "Weather", "featureHash": "w", "answers": [{"name": "Sun", "featureHash": "s"}]}
    return {"c": {"classificationHash": "c", "featureHash": "w", "classifications": [answer], "range": ranges}}


def box(hash_: str) -> dict[str, Any]:
    return {"objectHash": hash_, "shape": "bounding_box", "boundingBox": {"x": 0.1, "y": 0.1, "w": 0.1, "h": 0.1}}


def test_a_picture_without_any_labels_is_a_sample_with_nothing_in_it() -> None:
    forms: list[dict[str, Any]] = [{"labels": {}}, {"labels": None}, {}]
    for labels in forms:
        [sample], left_out = split(label_row("image", [unit("d", 0, **labels)]))
        assert (sample.place.unit, sample.place.frame, sample.size, sample.objects) == ("d", 0, (40, 30), [])
        assert left_out == []


def test_images_of_a_group_without_any_labels_are_samples_in_their_order() -> None:
    labels: list[dict[str, Any]] = [{"labels": {}}, {"labels": {"objects": [box("o")]}}, {}]
    samples, _ = split(label_row("img_group", [unit(f"u{n}", n, **some) for n, some in enumerate(labels)]))
    assert [(sample.name, len(sample.objects)) for sample in samples] == [("u0", 0), ("u1", 1), ("u2", 0)]


def test_a_video_without_labels_has_no_samples() -> None:
    assert split(label_row("video", [unit("d", 0, labels={})])) == ([], [])


def test_a_classification_of_a_whole_group_is_on_each_of_its_images() -> None:
    units = [unit("u0", 0, labels={}), unit("u1", 1, labels={"objects": []})]
    samples, left_out = split(label_row("img_group", units, classification_answers=classification([])))
    assert left_out == []
    for number, sample in enumerate(samples):
        [weather] = sample.classifications
        assert (weather.hash, weather.place) == ("c", sample.place)
        assert weather.place.unit == f"u{number}"


def test_a_classification_of_some_images_of_a_group_is_on_these() -> None:
    units = [unit(f"u{number}", number, labels={"objects": []}) for number in range(3)]
    samples, left_out = split(label_row("img_group", units, classification_answers=classification([[1, 2]])))
    assert [len(sample.classifications) for sample in samples] == [0, 1, 1]
    assert left_out == []


def test_a_classification_of_a_group_that_names_images_without_labels_is_on_these() -> None:
    units = [unit("u0", 0, labels={}), unit("u1", 1, labels={}), unit("u2", 2, labels={})]
    samples, left_out = split(label_row("img_group", units, classification_answers=classification([[1, 2]])))
    assert [len(sample.classifications) for sample in samples] == [0, 1, 1]
    assert left_out == []


def test_a_classification_of_a_whole_video_is_on_its_frames_with_labels() -> None:
    frames = {"3": {"objects": [box("o")]}, "7": {"objects": [box("o")]}}
    row = label_row("video", [unit("d", 0, labels=frames)], classification_answers=classification([]))
    samples, left_out = split(row)
    assert [(sample.name, len(sample.classifications)) for sample in samples] == [("d-000003", 1), ("d-000007", 1)]
    assert left_out == []


def test_a_classification_of_a_whole_video_without_other_labels_is_listed() -> None:
    row = label_row("video", [unit("d", 0, labels={})], classification_answers=classification([]))
    samples, [left_out] = split(row)
    assert (samples, left_out.hash, left_out.reason) == ([], "c", NOT_AN_IMAGE)


def test_a_classification_of_a_sound_is_listed() -> None:
    row = label_row("audio", [unit("d", 0, labels={})], classification_answers=classification([]))
    samples, [left_out] = split(row)
    assert (samples, left_out.reason) == ([], NOT_AN_IMAGE)
