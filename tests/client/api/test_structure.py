"""From what a person writes to what Encord stores: nothing is lost, all that Encord needs is there."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.structure import ATTRIBUTE_TYPES, SHAPES, complete_structure

NAMES = st.text(min_size=1, max_size=8).filter(str.strip)
OPTIONS = st.lists(NAMES | st.builds(lambda name: {"label": name}, NAMES), max_size=3, unique_by=lambda one: str(one))


def _attributes(depth: int = 1) -> Any:
    plain = st.fixed_dictionaries(
        {"name": NAMES, "type": st.sampled_from(ATTRIBUTE_TYPES)},
        optional={"options": OPTIONS, "required": st.booleans(), "dynamic": st.booleans()},
    )
    if depth == 0:
        return plain
    nested = st.builds(
        lambda name, inner: {"name": name, "type": "radio", "options": [{"label": "o", "options": inner}]},
        NAMES,
        st.lists(_attributes(depth - 1), max_size=2, unique_by=lambda one: one["name"]),
    )
    return plain | nested


ATTRIBUTES = st.lists(_attributes(), max_size=2, unique_by=lambda one: one["name"])
STRUCTURES = st.fixed_dictionaries(
    {},
    optional={
        "objects": st.lists(
            st.fixed_dictionaries(
                {"name": NAMES, "shape": st.sampled_from(SHAPES)},
                optional={"attributes": ATTRIBUTES, "color": st.just("#000000"), "unknown": st.integers()},
            ),
            max_size=4,
            unique_by=lambda one: one["name"],
        ),
        "classifications": st.lists(_attributes(), max_size=3, unique_by=lambda one: one["name"]),
        "skeleton_templates": st.just([]),
    },
)


def parts(structure: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every object, classification, attribute and option."""
    waiting = [*structure["objects"], *structure["classifications"]]
    while waiting:
        part = waiting.pop()
        yield part
        waiting += [*part.get("attributes", []), *part.get("options", [])]


def completed(structure: dict[str, Any]) -> dict[str, Any]:
    """The completed structure. A clash of names (two options `a` and `{"label": "a"}`) is not a subject here."""
    with contextlib.suppress(InvalidArgumentError):
        return complete_structure(structure)
    with pytest.raises(InvalidArgumentError, match="same featureNodeHash"):
        complete_structure(structure)
    return complete_structure(None)


@given(STRUCTURES)
def test_all_that_encord_needs_is_there_and_unique(structure):
    complete = completed(structure)
    assert set(complete) == {"objects", "classifications", "skeleton_templates"}
    every = list(parts(complete))
    assert len({part["featureNodeHash"] for part in every}) == len(every)
    for part in every:
        assert len(part["featureNodeHash"]) == 8
        assert re.fullmatch(r"\d+(\.\d+)*", part["id"])
        assert part.get("attributes") != []
        assert part.get("options") != []
    for one in complete["objects"]:
        assert re.fullmatch("#[0-9A-Fa-f]{6}", one["color"])
        assert one["shape"] in SHAPES
    for one in complete["classifications"]:
        assert len(one["attributes"]) == 1
    for side in ("objects", "classifications"):
        ids = [part["id"] for part in parts({"objects": complete[side], "classifications": []})]
        assert len(set(ids)) == len(ids)


@given(STRUCTURES)
def test_a_complete_structure_stays_as_it_is(structure):
    complete = completed(structure)
    assert complete_structure(complete) == complete
    assert complete_structure(json.loads(json.dumps(complete))) == complete


@given(STRUCTURES)
def test_the_same_structure_written_twice_is_the_same_ontology_and_the_input_is_not_changed(structure):
    before = json.loads(json.dumps(structure))
    assert completed(structure) == completed(json.loads(json.dumps(structure)))
    assert structure == before


def test_the_short_form_of_the_documentation():
    complete = complete_structure(
        {
            "objects": [
                {
                    "name": "Car",
                    "shape": "bounding_box",
                    "attributes": [{"name": "colour", "type": "radio", "options": ["Dark  red", {"label": "blue"}]}],
                },
                {"name": "Road", "shape": "polygon"},
            ],
            "classifications": [{"name": "note", "type": "text"}],
        }
    )
    car, road = complete["objects"]
    assert (car["id"], road["id"], road["shape"], "attributes" in road) == ("1", "2", "polygon", False)
    assert car["color"] != road["color"]
    (colour,) = car["attributes"]
    assert (colour["id"], colour["required"], colour["dynamic"]) == ("1.1", False, False)
    assert [(option["id"], option["label"], option["value"]) for option in colour["options"]] == [
        ("1.1.1", "Dark  red", "dark_red"),
        ("1.1.2", "blue", "blue"),
    ]
    (note,) = complete["classifications"]
    assert (note["id"], note["level"], note["attributes"][0]["name"]) == ("1", "global", "note")


def test_what_is_given_wins():
    given_object = {"name": "Car", "shape": "polygon", "id": "9", "color": "#010203", "featureNodeHash": "abcd1234"}
    (car,) = complete_structure({"objects": [given_object]})["objects"]
    assert car.items() >= given_object.items()


@pytest.mark.parametrize("nothing", [None, {}, {"objects": None}, {"objects": [], "classifications": ()}])
def test_nothing_is_an_empty_ontology(nothing):
    assert complete_structure(nothing) == {"objects": [], "classifications": [], "skeleton_templates": []}


CAR = {"name": "Car", "shape": "bounding_box"}


@pytest.mark.parametrize(
    ("structure", "words"),
    [
        ({"object": []}, "unknown part object"),
        ({"objects": None, "classifications": "text"}, "classifications must be a list"),
        ({"objects": {"name": "Car"}}, "objects must be a list"),
        ({"objects": ["Car"]}, r"objects\[0\] has no 'name'"),
        ({"objects": [{"shape": "polygon"}]}, r"objects\[0\] has no 'name'"),
        ({"objects": [CAR, {"name": "Bus"}]}, r"objects\[1\] has no 'shape'"),
        ({"objects": [{"name": "Car", "shape": "box"}]}, "unknown shape 'box'.*bounding_box"),
        ({"objects": [{"name": " ", "shape": "polygon"}]}, "has no 'name'"),
        ({"objects": [CAR | {"attributes": "colour"}]}, r"objects\[0\]\.attributes must be a list"),
        ({"objects": [CAR | {"attributes": 7}]}, r"objects\[0\]\.attributes must be a list"),
        ({"objects": [CAR | {"attributes": [{"name": "c"}]}]}, r"attributes\[0\] has no 'type'"),
        ({"objects": [CAR | {"attributes": [{"name": "c", "type": "date"}]}]}, "unknown type 'date'"),
        (
            {"objects": [CAR | {"attributes": [{"name": "c", "type": "radio", "options": 3}]}]},
            r"attributes\[0\]\.options must be a list",
        ),
        (
            {"objects": [CAR | {"attributes": [{"name": "c", "type": "radio", "options": "red"}]}]},
            r"attributes\[0\]\.options must be a list",
        ),
        (
            {"objects": [CAR | {"attributes": [{"name": "c", "type": "radio", "options": [7]}]}]},
            r"options\[0\] has no 'label'",
        ),
        ({"classifications": [{"attributes": []}]}, "exactly one attribute"),
        ({"classifications": ["note"]}, "has no 'name'"),
        ({"objects": [CAR, CAR]}, "'Car' and 'Car' have the same featureNodeHash"),
        ({"objects": [CAR | {"id": "2"}, {"name": "Bus", "shape": "polygon"}]}, "same id 2"),
        ("text", "must be an object"),
        ([], "must be an object"),
    ],
)
def test_a_mistake_is_named_with_its_place(structure, words):
    with pytest.raises(InvalidArgumentError, match=f"structure: .*{words}"):
        complete_structure(structure)


KEYS = ["objects", "classifications", "skeleton_templates", "name", "shape", "attributes", "type", "options"]
WILD = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(KEYS), inner | st.sampled_from(["radio", "polygon"]), max_size=4)
    ),
    max_leaves=12,
)


@given(WILD)
def test_whatever_is_given_is_completed_or_an_error_of_ours(value):
    with contextlib.suppress(InvalidArgumentError):
        json.dumps(complete_structure(value))


def test_a_classification_that_is_given_in_full_keeps_its_own_level():
    """Fault 5.2: without a level it is about single frames; only the short form is about the whole file."""
    full = {"featureNodeHash": "aaaaaaaa", "attributes": [{"name": "Weather", "type": "text"}]}
    assert "level" not in complete_structure({"classifications": [full]})["classifications"][0]
    framed = complete_structure({"classifications": [{**full, "level": None}]})["classifications"][0]
    assert framed["level"] is None
    (short,) = complete_structure({"classifications": [{"name": "Weather", "type": "text"}]})["classifications"]
    assert short["level"] == "global"


@pytest.mark.parametrize("structure", [{1: 2}, {1: 2, "more": 3}])
def test_a_part_whose_name_is_no_text_is_named(structure):
    with pytest.raises(InvalidArgumentError, match=r"^structure: unknown part 1"):
        complete_structure(structure)
