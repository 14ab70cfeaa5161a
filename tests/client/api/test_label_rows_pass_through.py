"""Label rows of every shape pass through our client and the emulator and come out as they went in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.resources.projects import Project
from airflow_provider_encord.client.transport.settings import Settings
from encord_emulator.process import Emulator
from tests.client.keys import new_key, openssh

OWNER = "owner@example.com"
KINDS = ("image", "video", "img_group")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.lists(
    st.fixed_dictionaries(
        {
            "objectHash": TEXTS,
            "featureHash": TEXTS,
            "createdBy": TEXTS,
            "createdAt": TEXTS,
            "lastEditedBy": TEXTS,
            "lastEditedAt": TEXTS,
        },
        optional={"shape": TEXTS, "boundingBox": VALUES, "polygons": VALUES, "bitmask": VALUES, "newer": VALUES},
    ),
    max_size=4,
)
ANSWERS = st.dictionaries(TEXTS, VALUES, max_size=4)


@pytest.fixture(scope="module")
def projects() -> Iterator[dict[str, Project]]:
    """A project with one label row, for each kind of data; time stands still."""
    key = SshKey.parse(openssh(new_key()))
    with Emulator.start() as emulator, EncordClient(key, Settings(base_url=emulator.url)) as client:
        emulator.clock(now="2026-11-24T03:00:00+00:00")
        emulator.authorize(key.openssh_public_key(), email=OWNER)
        made = {
            kind: emulator.project(owner=OWNER, title=kind, rows=1, kind=kind, created=1.0, objects_per_row=0)
            for kind in KINDS
        }
        yield {kind: client.project(one["project_id"]) for kind, one in made.items()}


def read(project: Project) -> tuple[str, msgspec.Raw]:
    (listed,) = project.label_rows()
    assert listed.label_hash is not None
    (row,) = project.read_label_rows([listed.label_hash])
    return row.label_hash, row.content


def frames_of(content: dict[str, Any]) -> dict[str, Any]:
    return {unit: one["labels"] for unit, one in content["data_units"].items()}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(KINDS), objects=OBJECTS, answers=ANSWERS, actions=ANSWERS, newer=VALUES)
def test_a_label_row_comes_out_as_it_went_in(projects, kind, objects, answers, actions, newer):
    project = projects[kind]
    label_hash, content = read(project)
    row = msgspec.json.decode(content)
    for unit in row["data_units"].values():
        labels = {"objects": objects, "classifications": []}
        unit["labels"] = {"0": labels, "7": labels} if kind == "video" else labels
    row |= {"object_answers": answers, "object_actions": actions, "classification_answers": {}, "newer_than_us": newer}
    project.save_label_rows({label_hash: row}, validate_before_saving=False)

    _, stored = read(project)
    found = msgspec.json.decode(stored)
    for part in ("object_answers", "object_actions", "newer_than_us"):
        assert msgspec.json.encode(found[part]) == msgspec.json.encode(row[part])
    assert msgspec.json.encode(frames_of(found)) == msgspec.json.encode(frames_of(row))

    project.save_label_rows({label_hash: stored}, validate_before_saving=False)
    assert bytes(read(project)[1]) == bytes(stored), "what was read and saved unparsed is the same, byte for byte"
