"""What the answers of label rows are called in Parquet and COCO (fault 5.1)."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from airflow_provider_encord.exports.formats.annotations import Annotation, annotations_of
from airflow_provider_encord.exports.formats.answers import Names
from tests.exports.documents import BOX, JSON, image, option, row, unit

ONTOLOGY = {
    "objects": [
        {
            "name": "Box",
            "featureNodeHash": "f-bounding_box",
            "shape": "bounding_box",
            "attributes": [
                {
                    "name": "box radio",
                    "type": "radio",
                    "featureNodeHash": "radio",
                    "options": [
                        {
                            "label": "option 0",
                            "value": "option_0",
                            "featureNodeHash": "r0",
                            "options": [{"name": "which", "type": "text", "featureNodeHash": "which"}],
                        },
                        {"label": "option 1", "value": "option_1", "featureNodeHash": "r1"},
                    ],
                },
                {
                    "name": "box checks",
                    "type": "checklist",
                    "featureNodeHash": "checks",
                    "options": [
                        {"label": f"Check {one}", "value": f"check_{one}", "featureNodeHash": f"c{one}"}
                        for one in "abc"
                    ],
                },
            ],
        }
    ],
    "classifications": [
        {
            "name": "Weather",
            "featureNodeHash": "weather",
            "attributes": [
                {
                    "name": "Weather",
                    "type": "radio",
                    "featureNodeHash": "w",
                    "options": [{"label": "Heavy rain", "value": "heavy_rain", "featureNodeHash": "w0"}],
                }
            ],
        }
    ],
}


def _editor(attribute: str, hash_: str, *options: tuple[str, str], **more: Any) -> dict[str, Any]:
    """An answer as Encord's editor writes it: the name of the option is that of the attribute."""
    answers = [{"name": attribute, "value": value, "featureHash": one} for one, value in options]
    return {"name": attribute, "value": attribute.replace(" ", "_"), "answers": answers, "featureHash": hash_, **more}


def _answers(document: dict[str, Any], ontology: dict[str, Any] = ONTOLOGY) -> list[dict[str, Any]]:
    return [
        annotation.answers
        for annotation in annotations_of(document, Names(ontology))
        if isinstance(annotation, Annotation)
    ]


def test_options_have_the_names_of_the_ontology():
    """Fault 5.1: ``{"box radio": ["box radio"]}``."""
    answered = {"box": {"classifications": [_editor("box radio", "radio", ("r0", "option_0"))]}}
    document = image(BOX, object_answers=answered)
    assert _answers(document) == [{"box radio": ["option 0"]}]
    assert _answers(document, {}) == [{"box radio": ["option_0"]}]  # the ontology cannot be read
    answers = {
        "c": {
            "classificationHash": "c",
            "featureHash": "weather",
            "range": [[0, 0]],
            "classifications": [_editor("Weather", "w", ("w0", "heavy_rain"))],
        }
    }
    assert _answers(image(classification_answers=answers)) == [{"Weather": ["Heavy rain"]}]


def test_an_option_that_the_ontology_does_not_have_any_more_has_its_value():  # fault 5.1
    answered = {"box": {"classifications": [_editor("box radio", "radio", ("gone", "old_option"))]}}
    assert _answers(image(BOX, object_answers=answered)) == [{"box radio": ["old_option"]}]


def test_what_the_sdk_writes_reads_the_same_without_an_ontology():
    answered = {"box": {"classifications": [option("Colour", [{"name": "Dark red", "value": "dark_red"}])]}}
    assert _answers(image(BOX, object_answers=answered)) == [{"Colour": ["Dark red"]}]


def test_a_checklist_of_one_action_for_each_ticked_option_is_one_answer():
    """Fault 5.1."""
    frames = {str(frame): {"objects": [BOX], "classifications": []} for frame in (0, 1, 2)}
    actions = [
        _editor("box checks", "checks", ("ca", "check_a"), range=[[0, 1]]),
        _editor("box checks", "checks", ("cb", "check_b"), range=[[1, 2]]),
        _editor("box checks", "checks", ("cb", "check_b"), ("cc", "check_c"), range=[[1, 1]]),
    ]
    document = row("video", unit("video", frames), object_actions={"box": {"actions": actions}})
    expected = [["Check a"], ["Check a", "Check b", "Check c"], ["Check b"]]
    assert _answers(document) == [{"box checks": one} for one in expected]


def test_a_radio_has_one_option_the_last_and_nested_attributes_are_beside_it():
    answers = [
        _editor("box radio", "radio", ("r1", "option_1")),
        _editor("box radio", "radio", ("r0", "option_0")),
        {"name": "which", "value": "which", "answers": "this", "featureHash": "which"},
    ]
    document = image(BOX, object_answers={"box": {"classifications": answers}})
    assert _answers(document) == [{"box radio": ["option 0"], "which": "this"}]


@given(JSON)
def test_odd_ontologies_and_answers_break_nothing(odd):
    answered = {"box": {"classifications": [{**option("Colour", [odd]), "featureHash": odd}, option("Note", odd)]}}
    assert len(_answers(image(BOX, object_answers=answered), {"objects": odd, "classifications": [odd]})) == 1
    nested = {"objects": [{"attributes": [{"options": odd}, {"options": [{"options": odd, "label": odd}]}]}]}
    assert len(_answers(image(BOX, object_answers=answered), nested)) == 1
