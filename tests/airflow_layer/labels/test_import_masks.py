"""Pre-labels as PNG masks, whose pixel values are classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from PIL import Image

from airflow_provider_encord.exports.formats.geometry import runs_of
from tests.airflow_layer.pre_labels import Model, counts_of, objects_of


@pytest.fixture
def roads(model: Model) -> Model:
    """The project, with an ontology of bitmasks and a box."""
    model.use_shapes(Road="bitmask", Sky="bitmask", Car="bounding_box")
    return model


def write(model: Model, number: int, runs: dict[int, tuple[int, int]], mode: str = "L", size: Any = None) -> None:
    """A mask, whose values begin and end at positions row by row."""
    row = model.rows()[number]
    width, height = size or (int(row.width or 0), int(row.height or 0))
    image = Image.new(mode, (width, height))
    if mode == "P":
        image.putpalette([number % 256 for number in range(768)])
    for value, (start, end) in runs.items():
        for place in range(start, end):
            image.putpixel((place % width, place // width), value if mode != "1" else bool(value))
    path: Path = model.directory / "masks" / f"{row.data_title.removesuffix('.png')}.png"
    path.parent.mkdir(exist_ok=True)
    image.save(path)


def load(model: Model, **arguments: Any) -> dict[str, Any]:
    return model.load(str(model.directory / "masks"), **{"format": "masks", **arguments})


CLASSES = {"1": "Road", 2: "Sky", 255: None}


@pytest.mark.parametrize("mode", ["L", "P"])
def test_the_pixels_of_a_value_become_a_bitmask(roads: Model, mode: str) -> None:
    write(roads, 0, {1: (700, 2000), 2: (2100, 2101), 255: (3000, 3100)}, mode)
    write(roads, 1, {})
    result = load(roads, class_map=CLASSES)
    assert (counts_of(result), result["dropped"]) == ({"created": 2}, {"class_map": 1})
    rows = roads.rows()
    road, sky = objects_of(roads.labels()[rows[0].data_hash])
    assert (road["name"], runs_of(road["bitmask"])) == ("Road", [(700, 2000)])
    assert (sky["name"], runs_of(sky["bitmask"])) == ("Sky", [(2100, 2101)])
    assert objects_of(roads.labels()[rows[1].data_hash]) == []
    assert counts_of(load(roads, class_map=CLASSES)) == {"unchanged": 2}


def test_black_and_white_is_0_and_1_and_the_background_can_be_a_class(roads: Model) -> None:
    write(roads, 0, {1: (0, 700)}, "1")
    load(roads, class_map={0: "Sky", 1: "Road"})
    row = roads.rows()[0]
    sky, road = objects_of(roads.labels()[row.data_hash])
    assert (road["name"], runs_of(road["bitmask"])) == ("Road", [(0, 700)])
    assert runs_of(sky["bitmask"]) == [(700, int((row.width or 0) * (row.height or 0)))]


def test_values_of_16_bits_from_1000_on_are_instances_of_their_class(roads: Model) -> None:
    runs = {1: (0, 9), 2001: (700, 800), 2002: (800, 900), 257: (900, 1000), 1000: (1000, 1001)}
    write(roads, 0, runs, "I;16")
    load(roads, class_map={"1": "Road", "2": "Sky", "257": None})
    drawn = objects_of(roads.labels()[roads.rows()[0].data_hash])
    assert [(one["name"], runs_of(one["bitmask"])) for one in drawn] == [
        ("Road", [(0, 9)]),
        ("Road", [(1000, 1001)]),
        ("Sky", [(700, 800)]),
        ("Sky", [(800, 900)]),
    ]


def test_values_without_a_feature_are_named_all_at_once(roads: Model) -> None:
    write(roads, 0, {1: (0, 5), 7: (5, 9)})
    write(roads, 1, {7: (5, 9)})
    with pytest.raises(AirflowFailException, match=r"for the classes '7' \(2\), '1' \(1\)\. It has Road \(bitmask\)"):
        load(roads)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ({"runs": {1: (0, 5)}, "size": (4, 4)}, "the mask has 4 x 4 pixels, but the image has"),
        ({"runs": {3: (0, 5)}}, "'Car' is a bounding_box in the ontology, but this is bitmask"),
        ({"runs": {}, "mode": "RGB"}, "its pixels have the mode RGB, but a mask has one value for each pixel"),
    ],
)
def test_masks_that_do_not_fit_are_named(roads: Model, mask: dict[str, Any], message: str) -> None:
    write(roads, 0, **mask)
    with pytest.raises(AirflowFailException, match=message):
        load(roads, class_map={1: "Road", 3: "Car"})
    assert roads.changes() == []


def test_files_that_are_no_masks_are_named(roads: Model) -> None:
    write(roads, 0, {})
    path = next((roads.directory / "masks").iterdir())
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(AirflowFailException, match="it is not a PNG image, or it is damaged"):
        load(roads)
    path.rename(path.with_name("nowhere.png"))
    with pytest.raises(AirflowFailException, match=r"nowhere\.png: title 'nowhere': no data unit has it"):
        load(roads)
