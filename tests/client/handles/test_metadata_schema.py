"""The metadata schema of the organisation, by its handle, against the emulator."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.call import Request, run
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.flows.metadata_schema import SavedSchema, save
from tests.client.emulated import World, world

__all__ = ["world"]

SITE = {"ty": "enum", "values": ["A", "B"]}
NUMBER = {"ty": "variant", "hint": "number"}


def saves(world: World, schema: dict[str, Any]) -> tuple[SavedSchema, int]:
    """What saving reports, and how many requests of it changed anything."""
    saved: list[SavedSchema] = []
    journal = world.journal(lambda: saved.append(world.user.organisation.save_metadata_schema(schema)))
    return saved[0], sum(entry["changes"] for entry in journal)


def test_what_is_saved_is_read_and_reported_and_nothing_is_sent_twice(world):
    organisation = world.user.organisation
    saves(world, {})
    first, sent = saves(world, {"site": SITE, "speed": NUMBER})
    assert (first.created, sent) == (["site", "speed"], 1)
    assert organisation.metadata_schema() == {"site": SITE, "speed": NUMBER}
    again, sent = saves(world, organisation.metadata_schema())
    assert (again.unchanged, sent) == (["site", "speed"], 0)
    last, sent = saves(world, {"site": {"ty": "enum", "values": ["A"]}, "vec": {"ty": "embedding", "size": 3}})
    assert (last.created, last.updated, last.removed, sent) == (["vec"], ["site"], ["speed"], 1)


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        ({"$site": NUMBER}, "'\\$site'"),
        ({"keyframes": NUMBER}, "keyframes"),
        ({"..": NUMBER}, "letter or digit"),
        ({"": NUMBER}, "letter or digit"),
        ({"größe": NUMBER}, "größe"),
        ({"a": "number"}, "not an object"),
        ({1: NUMBER}, "not text"),
        ({"a": {"ty": "numbre"}}, "numbre"),
        ({"a": {}}, "ty of 'a'"),
        ({"a": {"ty": "variant", "hint": "double"}}, "hint"),
        ({"a": {"ty": "enum", "values": []}}, "values"),
        ({"a": {"ty": "enum", "values": ["x", "x"]}}, "twice"),
        ({"a": {"ty": "enum", "values": [str(number) for number in range(256)]}}, "255"),
        ({"a": {"ty": "enum"}}, "values"),
        ({"a": {"ty": "embedding", "size": 0}}, "size"),
        ({"a": {"ty": "embedding", "size": True}}, "size"),
        ({"a": {"ty": "varchar", "max_length": 8193}}, "max_length"),
        ({"a": {"ty": "number", "format": "F16"}}, "format"),
        ({"a": {"ty": "datetime", "timezone": "CET"}}, "timezone"),
        ({"a": {"ty": "tombstone", "deleted_ty": {"ty": "tombstone", "deleted_ty": None}}}, "deleted_ty"),
    ],
)
def test_what_is_not_valid_is_named_and_nothing_is_saved(world, schema, named):
    def refused() -> None:
        with pytest.raises(InvalidArgumentError, match=named):
            world.user.organisation.save_metadata_schema(schema)

    assert not any(entry["changes"] for entry in world.journal(refused))


def test_an_unchanged_type_that_is_not_known_is_kept():
    odd = {"ty": "hologram", "depth": 3}
    sent = []

    def answer(step: Any) -> Any:
        sent.append(step.request)
        return {"odd": odd} if step.request.method == "GET" else None

    saved = run(save({"odd": odd, "site": SITE}), answer)
    assert (saved.created, saved.unchanged) == (["site"], ["odd"])
    assert isinstance(sent[-1], Request)
    assert sent[-1].json == {"odd": odd, "site": SITE}


@given(
    st.dictionaries(st.sampled_from("abc"), st.sampled_from([SITE, NUMBER])),
    st.dictionaries(st.sampled_from("abc"), st.sampled_from([SITE, NUMBER])),
)
def test_every_key_is_reported_once(now, wanted):
    saved = run(save(wanted), lambda step: now if step.request.method == "GET" else None)
    keys = [*saved.created, *saved.updated, *saved.unchanged, *saved.removed]
    assert sorted(keys) == sorted({*now, *wanted})
