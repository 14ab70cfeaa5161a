"""What two structures differ in, as people see it: by names, shapes and types, and not by ids and colours."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from airflow_provider_encord.client.structure import complete_structure
from airflow_provider_encord.client.structure_differences import differences

COLOUR = {"name": "colour", "type": "radio", "options": ["red", "blue"]}


def made(*objects: dict[str, Any], classifications: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return complete_structure({"objects": list(objects), "classifications": list(classifications)})


def car(**more: Any) -> dict[str, Any]:
    return {"name": "Car", "shape": "polygon", **more}


NOTE = {"name": "note", "type": "text"}


@pytest.mark.parametrize(
    ("wanted", "there", "differs"),
    [
        (made(), made(), []),
        (made(car()), made(), ["it lacks object Car"]),
        (made(), made(car()), ["it has object Car, which was not requested"]),
        (made(car()), made(car(shape="point")), ["object Car is point, not polygon"]),
        (made(car(attributes=[COLOUR])), made(car()), ["it lacks object Car / colour"]),
        (made(car(attributes=[COLOUR])), made(), ["it lacks object Car"]),
        (
            made(car(attributes=[COLOUR])),
            made(car(attributes=[{**COLOUR, "options": ["red", "green"]}])),
            ["it lacks object Car / colour / blue", "it has object Car / colour / green, which was not requested"],
        ),
        (
            made(car(attributes=[COLOUR])),
            made(car(attributes=[{**COLOUR, "type": "checklist"}])),
            ["object Car / colour is checklist, not radio"],
        ),
        (made(classifications=(NOTE,)), made(), ["it lacks classification note"]),
        (made(classifications=(NOTE,)), made({"name": "note", "shape": "text"}),
         ["it lacks classification note", "it has object note, which was not requested"]),
        (made(car(), classifications=(NOTE,)), made(car(), classifications=(NOTE,)), []),
        (made(car()), made(car(archived=True)), ["it lacks object Car"]),
        (made(), made(car(archived=True)), []),
    ],
)  # fmt: skip
def test_differences_are_named(wanted: dict[str, Any], there: dict[str, Any], differs: list[str]) -> None:
    assert differences(wanted, there) == differs


def test_ids_colours_hashes_and_order_are_no_difference() -> None:
    wanted = made(car(attributes=[COLOUR]), {"name": "Tree", "shape": "point"})
    there = copy.deepcopy(wanted)
    there["objects"].reverse()
    for one in there["objects"]:
        one |= {"id": "77", "color": "#000000", "featureNodeHash": "aaaaaaaa", "newInEncord": True}
    assert differences(wanted, there) == []


def test_a_long_list_is_cut_and_its_length_reported() -> None:
    there = made(*({"name": f"thing {number:02}", "shape": "point"} for number in range(30)))
    named = differences(made(), there)
    assert (len(named), named[-1]) == (11, "20 more")


@pytest.mark.parametrize("there", [{}, {"objects": None}, {"objects": ["x", {"name": 3}]}, {"classifications": [{}]}])
def test_a_structure_of_another_form_breaks_nothing(there: dict[str, Any]) -> None:
    assert differences(made(car()), there)[0] == "it lacks object Car"
