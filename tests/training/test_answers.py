"""Answers that are wanted, beside answers of any form."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.training.answers import WantedAnswers
from tests.training.test_outlines import annotation

STRUCTURE = {
    "objects": [
        {
            "featureNodeHash": "car",
            "name": "Car",
            "attributes": [
                {"name": "Colour", "type": "checklist", "options": [{"label": "Red"}, {"label": "Blue"}]},
                {
                    "name": "Parked",
                    "type": "radio",
                    "options": [{"label": "Yes", "options": [{"name": "Where", "type": "text"}]}, {"label": "No"}],
                },
            ],
        },
        {"featureNodeHash": "van", "name": "Van", "attributes": [{"name": "Seats", "type": "numeric"}]},
    ]
}
values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
json_values = st.recursive(
    values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2)
)


def drawn(feature: str, **answers: Any) -> Any:
    return msgspec.structs.replace(annotation("polygon"), feature_hash=feature, answers=answers)


def wanted(**answers: list[Any]) -> WantedAnswers:
    return WantedAnswers("object_answers", answers, STRUCTURE, "objects")


@given(json_values, json_values)
def test_any_answer_is_compared_without_an_error(colour: Any, seats: Any) -> None:
    either = wanted(Colour=["Red"], Seats=[4])
    for feature, question in (("car", "Colour"), ("van", "Seats")):
        assert either.not_wanted_of(drawn(feature, Colour=colour, Seats=seats)) in (None, question)
    assert either.not_wanted_of(drawn("unknown", Colour=colour, Seats=seats)) is None


def test_of_a_checklist_one_wanted_option_is_enough() -> None:
    assert wanted(Colour=["Red"]).not_wanted_of(drawn("car", Colour=["Blue", "Red"])) is None
    assert wanted(Colour=["Red"]).not_wanted_of(drawn("car", Colour=["Blue"])) == "Colour"


def test_an_attribute_below_an_option_belongs_to_the_object() -> None:
    assert wanted(Where=["street"]).not_wanted_of(drawn("car", Parked=["No"])) == "Where"
    assert wanted(Where=["street", None]).not_wanted_of(drawn("car", Parked=["No"])) is None
    assert wanted(Where=["street"]).not_wanted_of(drawn("van")) is None


def test_without_questions_everything_is_wanted() -> None:
    assert wanted().not_wanted_of(drawn("car", Colour=["Blue"])) is None
    assert wanted().not_wanted([drawn("car")]) is None
