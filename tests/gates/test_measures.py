"""Planted faults are found, and rows are named; what is right is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.api.analytics import TaskAction
from airflow_provider_encord.client.errors import EncordError
from airflow_provider_encord.defaults import MEASURES_OF_DATA_UNITS
from airflow_provider_encord.gates.activity import rejections
from airflow_provider_encord.gates.judging import Thresholds, judge
from airflow_provider_encord.gates.measures import (
    AGREEMENT,
    INVALID_ROWS,
    ISSUE_RATE,
    MISSING_ATTRIBUTES,
    REJECTION_RATE,
    Finding,
    Measured,
    Rate,
    class_drift,
    measure,
)

TEXT = {"name": "Note", "type": "text", "required": True}
RED = {"name": "Red", "value": "red", "featureHash": "red"}
STRUCTURE = {
    "objects": [
        {
            "name": "Car",
            "featureNodeHash": "car",
            "shape": "bounding_box",
            "attributes": [
                {
                    "name": "Colour",
                    "featureNodeHash": "colour",
                    "type": "radio",
                    "required": True,
                    "options": [
                        {
                            "label": "Red",
                            "value": "red",
                            "featureNodeHash": "red",
                            "options": [
                                {"name": "Shade", "featureNodeHash": "shade", "type": "text", "required": True}
                            ],
                        },
                        {"label": "Blue", "value": "blue", "featureNodeHash": "blue"},
                    ],
                }
            ],
        },
        {"name": "Person", "featureNodeHash": "person", "shape": "bounding_box"},
    ],
    "classifications": [],
}


def box(x: float, name: str = "Car", hash_: str | None = None, by: str = "ada") -> dict[str, Any]:
    return {
        "objectHash": hash_ or f"{name}{x}",
        "featureHash": name.lower(),
        "name": name,
        "shape": "bounding_box",
        "boundingBox": {"x": x, "y": 0.1, "w": 0.2, "h": 0.2},
        "createdBy": by,
    }


def answered(name: str, *options: dict[str, Any], text: str | None = None) -> dict[str, Any]:
    return {"name": name, "featureHash": name.lower(), "answers": list(options) if text is None else text}


def row(data: str, objects: list[dict[str, Any]], *, branch: str = "main", valid: bool = True, **answers: Any) -> Any:
    return {
        "label_hash": f"label of {data} on {branch}",
        "data_hash": data,
        "data_title": f"{data}.jpg",
        "branch_name": branch,
        "is_valid": valid,
        "object_answers": {
            item["objectHash"]: {"classifications": answers.get(item["objectHash"], [])} for item in objects
        },
        "data_units": {
            data: {
                "data_hash": data,
                "data_sequence": "0",
                "width": 100,
                "height": 100,
                "labels": {"objects": objects, "classifications": []},
            }
        },
    }


def measured(rows: list[Any], min_iou: float = 0.5) -> tuple[Measured, list[Finding]]:
    found = Measured()
    return found, list(measure(rows, STRUCTURE, found, main_branch="main", min_iou=min_iou))


def test_required_attributes_without_an_answer_are_found_also_below_a_chosen_option() -> None:
    rows = [
        row("a", [box(0.1, hash_="c1")], c1=[answered("Colour", {"featureHash": "blue", "name": "Blue"})]),
        row("b", [box(0.1, hash_="c2"), box(0.5, "Person")]),
        row("c", [box(0.1, hash_="c3", by="eve")], c3=[answered("Colour", RED)]),
        row("d", [box(0.1, hash_="c4")], c4=[answered("Colour", RED), answered("Shade", text="dark")]),
    ]
    found, findings = measured(rows)
    assert [(finding.data_hash, finding.message) for finding in findings] == [
        ("b", "Car c2 has no answer to Colour."),
        ("c", "Car c3 has no answer to Shade."),
    ]
    assert {finding.measure for finding in findings} == {MISSING_ATTRIBUTES}
    assert (found.missing.total.matched, found.missing.total.annotations) == (2, 4)
    assert found.missing.by_annotator["eve"].share == 1.0
    assert found.classes == {"Car": 4, "Person": 1}


def test_an_object_on_many_frames_counts_once() -> None:
    document = row("v", [])
    frames = {str(number): {"objects": [box(0.1, hash_="c")], "classifications": []} for number in range(9)}
    document["data_units"]["v"]["labels"] = frames
    found, findings = measured([document])
    assert found.classes == {"Car": 1}
    assert len(findings) == 1


def test_rows_that_are_not_valid_are_named() -> None:
    found, findings = measured([row("a", [], valid=False), row("b", [])])
    assert [(finding.measure, finding.label_hash) for finding in findings] == [(INVALID_ROWS, "label of a on main")]
    assert found.invalid.total.share == 0.5


def test_annotators_who_agree_are_apart_from_those_who_do_not() -> None:
    same = [row("a", [box(0.1, by=who)], branch=who) for who in ("ada", "eve")]
    moved = [row("b", [box(x, by=who)], branch=who) for x, who in ((0.1, "ada"), (0.6, "eve"))]
    other = [row("c", [box(0.1, name, by=who)], branch=who) for name, who in (("Car", "ada"), ("Person", "eve"))]
    found, findings = measured([*same, *moved, *other])
    assert [(finding.measure, finding.data_hash, finding.value) for finding in findings] == [
        (AGREEMENT, "b", 0.0),
        (AGREEMENT, "c", 0.0),
    ]
    assert found.agreement.total.share == pytest.approx(1 / 3)
    assert found.rows == 0  # the main branch has none here


def test_answers_count_for_the_agreement_and_boxes_within_the_limit_do_not() -> None:
    blue = [answered("Colour", {"featureHash": "blue", "name": "Blue"})]
    red = [answered("Colour", RED)]
    pair = [
        row("a", [box(0.1, hash_="c", by=who)], branch=who, c=given) for who, given in (("ada", red), ("eve", blue))
    ]
    assert measured(pair)[0].agreement.total.share == 0.0
    near = [row("a", [box(x, hash_="c", by=who)], branch=who, c=red) for who, x in (("ada", 0.1), ("eve", 0.15))]
    assert measured(near)[0].agreement.total.share == 1.0  # IoU 0.6
    assert measured(near, min_iou=0.7)[0].agreement.total.share == 0.0


@given(
    st.lists(st.sampled_from([0.1, 0.12, 0.3, 0.6]), max_size=6), st.lists(st.sampled_from([0.1, 0.3, 0.6]), max_size=6)
)
def test_agreement_is_the_same_from_both_sides_and_whole_with_oneself(one: list[float], other: list[float]) -> None:
    def share(first: list[float], second: list[float]) -> float | None:
        sides = [
            row("a", [box(x, hash_=f"{who}{n}", by=who) for n, x in enumerate(xs)], branch=who)
            for who, xs in (("ada", first), ("eve", second))
        ]
        return measured(sides)[0].agreement.total.share

    assert share(one, other) == share(other, one)
    assert share(one, one) == (1.0 if one else None)


def test_drift_is_0_for_equal_shares_and_1_for_other_classes() -> None:
    assert class_drift({"Car": 10, "Person": 30}, {"Car": 1, "Person": 3})[0] == pytest.approx(0.0)
    value, by_class = class_drift({"Car": 10}, {"Person": 3})
    assert value == pytest.approx(1.0)
    assert by_class == {"Car": 1.0, "Person": -1.0}
    assert class_drift({}, {"Car": 1})[0] is None


@given(*[st.dictionaries(st.sampled_from("abcd"), st.integers(1, 50), min_size=1)] * 2)
def test_drift_is_symmetric_and_between_0_and_1(now: dict[str, int], before: dict[str, int]) -> None:
    value = class_drift(now, before)[0]
    assert value is not None
    assert -1e-9 <= value <= 1 + 1e-9
    assert value == pytest.approx(class_drift(before, now)[0])


def test_a_rejection_counts_for_who_submitted_last() -> None:
    def action(minute: int, kind: str, who: str, task: str = "t") -> TaskAction:
        return TaskAction(timestamp=f"2026-11-01T10:{minute:02}:00Z", action_type=kind, task_uuid=task, actor_email=who)

    rate = Rate()
    history = [
        action(1, "submit", "ada"),
        action(2, "reject", "rita"),
        action(3, "submit", "eve"),
        action(4, "approve", "rita"),
        action(5, "reject", "rita", "of an earlier interval"),
        action(6, "assign", "rita"),
    ]
    findings = list(rejections(reversed(history), rate))
    assert [finding.annotator for finding in findings] == ["ada", "(unknown)"]
    assert {who: tally.share for who, tally in rate.by_annotator.items()} == {"ada": 1.0, "eve": 0.0, "(unknown)": 1.0}
    assert rate.total.share == pytest.approx(2 / 3)


def test_limits_apply_to_each_annotator_with_enough_annotations() -> None:
    rate = Rate()
    rate.add(0, 95, annotators=["ada"])
    rate.add(5, 5, annotators=["eve"])
    assert judge(MISSING_ATTRIBUTES, rate, 0.1, groups=False, min_support=5).passed
    judged = judge(MISSING_ATTRIBUTES, rate, 0.1, groups=True, min_support=5)
    assert not judged.passed
    assert judged.failed_groups == ["annotator eve: 1.000 of 5"]
    assert judge(MISSING_ATTRIBUTES, rate, 0.1, groups=True, min_support=6).passed


def option(name: str, *nested: dict[str, Any]) -> dict[str, Any]:
    return {"label": name, "value": name.lower(), "featureNodeHash": name.lower(), "options": list(nested)}


def car_with(*attributes: dict[str, Any]) -> dict[str, Any]:
    return {"objects": [{"name": "Car", "featureNodeHash": "car", "attributes": list(attributes)}]}


def chosen(attribute: str, *names: str) -> dict[str, Any]:
    options = [{"featureHash": name.lower(), "name": name} for name in names]
    return {"name": attribute, "featureHash": attribute.lower(), "answers": options}


def missing_in(document: Any, structure: dict[str, Any]) -> int:
    found = Measured()
    list(measure([document], structure, found, main_branch="main", min_iou=0.5))
    return found.missing.total.matched


def test_a_checklist_has_no_order() -> None:
    """Annotators who tick the same options in another order agree."""
    orders = (("ada", ("Red", "Blue")), ("eve", ("Blue", "Red")))
    rows = [row("a", [box(0.1, hash_="c", by=who)], branch=who, c=[chosen("Colour", *order)]) for who, order in orders]
    assert measured(rows)[0].agreement.total.share == 1.0


def test_a_required_attribute_with_the_name_of_another_one_is_noticed() -> None:
    """Attributes differ by their hash, not by their name: each chosen option needs its note."""
    notes = [{**TEXT, "featureNodeHash": f"note of {name}"} for name in ("Red", "Blue")]
    colours = {
        "name": "Colour",
        "featureNodeHash": "colour",
        "type": "checklist",
        "options": [option("Red", notes[0]), option("Blue", notes[1])],
    }
    one = {"name": "Note", "featureHash": "note of Red", "answers": "scratched"}
    document = row("a", [box(0.1, hash_="c")], c=[chosen("Colour", "Red", "Blue"), one])
    assert missing_in(document, car_with(colours)) == 1


def test_an_answer_on_one_frame_is_no_answer_on_the_others() -> None:
    """A required attribute that changes over the frames of a video must have an answer on each frame of its object."""
    document = row("v", [])
    document["data_units"]["v"]["labels"] = {
        str(number): {"objects": [box(0.1, hash_="c")], "classifications": []} for number in range(9)
    }
    document["object_actions"] = {"c": {"actions": [{**answered("Note", text="x"), "range": [[8, 8]]}]}}
    structure = car_with({**TEXT, "featureNodeHash": "note", "dynamic": True})
    assert missing_in(document, structure) == 1
    (finding,) = measure([document], structure, Measured(), main_branch="main", min_iou=0.5)
    assert finding.message == "Car c has no answer to Note (on 8 of 9 frames)."
    document["object_actions"]["c"]["actions"][0]["range"] = [[0, 8]]
    assert missing_in(document, structure) == 0


def test_the_history_is_in_order_of_time_also_with_fractions_of_a_second() -> None:
    """12:00:00.5 is after 12:00:00, so the rejection counts for who submitted before it."""
    history = [
        TaskAction(timestamp="2026-11-01T12:00:00Z", action_type="submit", task_uuid="t", actor_email="ada"),
        TaskAction(timestamp="2026-11-01T12:00:00.500000Z", action_type="reject", task_uuid="t", actor_email="rita"),
    ]
    assert [finding.annotator for finding in rejections(history, Rate())] == ["ada"]


def test_rows_about_which_encord_says_nothing_are_not_valid() -> None:
    """A row that does not say whether it is valid is not measured, and does not let the others pass."""
    document = row("a", [])
    del document["is_valid"]
    assert measured([document])[0].invalid.total.annotations == 0


def test_content_of_another_form_is_named() -> None:
    """Label rows with strange content are named, as by the export in other formats."""
    document = row("a", [box(0.1)])
    document["data_units"] = ["a"]
    with pytest.raises(EncordError, match="label of a on main"):
        measured([document])


def test_a_creator_of_another_form_is_unknown() -> None:
    document = row("a", [{**box(0.1), "createdBy": ["ada"]}], valid=False)
    assert set(measured([document])[0].invalid.by_annotator) == {"(unknown)"}


def test_the_measures_that_name_data_units_are_known_while_a_dag_is_parsed() -> None:
    of_data_units = {AGREEMENT, REJECTION_RATE, ISSUE_RATE, MISSING_ATTRIBUTES, INVALID_ROWS}
    assert {*MEASURES_OF_DATA_UNITS} == of_data_units
    assert {*Thresholds.__struct_fields__} >= {f"max_{one}" for one in of_data_units - {AGREEMENT}}
