"""The data card: plots that other readers can read, the same ones each time."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.plots import histogram, stacked_bars
from airflow_provider_encord.training.card import card_of, page_of
from airflow_provider_encord.training.record import KIND, SCHEMA_VERSION, SplitCounts, TrainingSet
from airflow_provider_encord.training.sizes import Sizes, add_boxes, add_length, in_order

SVG = "{http://www.w3.org/2000/svg}"
names = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=40)


def record(**about: Any) -> TrainingSet:
    splits = {
        "train": SplitCounts(images=8, objects={"Car": 30, "<b>Van": 4}),
        "val": SplitCounts(images=2, objects={"Car": 10}),
    }
    plain = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "provider_version": "1",
        "format": "coco",
        "project_id": "p",
        "labels": "/labels",
        "watermark": None,
        "branch": "main",
        "classes": ["Car", "<b>Van"],
        "class_map": {},
        "split": {"train": 0.8, "val": 0.2},
        "split_by": "data_hash",
        "splits": splits,
        "left_out": {},
        "files": 1,
        "bytes": 1,
        "fingerprint": "f",
    }
    return TrainingSet(**{**plain, **about})


def svg(lines: Any) -> ElementTree.Element:
    return ElementTree.fromstring("".join(lines))


def test_the_page_has_a_plot_of_classes_images_and_boxes_with_title_and_description() -> None:
    page = page_of(record(image_sizes={1024: 10}, box_sizes={16: 3, 64: 41}))
    assert page == page_of(record(image_sizes={1024: 10}, box_sizes={16: 3, 64: 41}))
    plots = [ElementTree.fromstring(f"<svg{part.partition('</svg>')[0]}</svg>") for part in page.split("<svg")[1:]]
    assert [plot.find(f"{SVG}title").text for plot in plots] == [  # type: ignore[union-attr]
        "Number of labels of each class in each split",
        "Sizes of images",
        "Sizes of boxes",
    ]
    described = [str(plot.find(f"{SVG}desc").text) for plot in plots]  # type: ignore[union-attr]
    assert "Car: 30, 10; <b>Van: 4, 0" in described[0]
    assert "1024 to less than 2048: 10" in described[1]
    assert "16 to less than 32: 3; 32 to less than 64: 0; 64 to less than 128: 41" in described[2]
    for plot in plots:
        assert plot.get("role") == "img"
        ids = {child.get("id") for child in plot}
        assert {*str(plot.get("aria-labelledby")).split()} <= ids
    assert "<b>Van" not in page


def test_a_card_without_sizes_has_no_plots_of_them() -> None:
    assert page_of(record()).count("<svg") == 1


def test_filters_and_strata_are_on_the_card() -> None:
    filtered = record(filters={"object_answers": {"Occluded": ["false", None]}}, stratify_by="class")
    for card in (card_of(filtered), page_of(filtered)):
        assert "Filter: object" in card.replace("\\", "")
        assert "Occluded" in card
        assert "Stratified by" in card


@given(st.dictionaries(names, st.lists(st.integers(0, 10**9), min_size=2, max_size=2), max_size=60))
def test_bars_are_well_formed_whatever_classes_are_called(rows: dict[str, list[int]]) -> None:
    plot = svg(stacked_bars("x", "T", ["a", "b"], rows))
    bars = [bar for bar in plot.iter(f"{SVG}rect") if bar.get("width") != "12"]
    assert len(bars) <= 2 * 40
    width = float(str(plot.get("width")))
    assert all(float(str(bar.get("x"))) + float(str(bar.get("width"))) <= width for bar in bars)


@given(st.lists(st.floats(0, 1e7), max_size=30))
def test_each_length_is_in_the_range_of_its_power_of_two(lengths: list[float]) -> None:
    sizes = Sizes()
    for length in lengths:
        add_length(sizes, length)
    counts = in_order(sizes)
    for end, count in counts.items():
        low = 0 if end == 1 else end
        assert count == sum(low <= length < 2 * end for length in lengths)
    assert sum(counts.values()) == len(lengths)
    svg(histogram("x", "T", "Lengths", counts))


def test_a_box_counts_by_its_area() -> None:
    sizes = Sizes()
    add_boxes(sizes, [(8, 2), (100, 1), (0.1, 0.1)])
    assert in_order(sizes) == {1: 1, 4: 1, 8: 1}
