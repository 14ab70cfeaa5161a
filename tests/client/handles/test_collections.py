"""Collections of storage items, by their handles, against the emulator."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.api.core.data_items import IMAGE
from airflow_provider_encord.client.api.curation import collections
from airflow_provider_encord.client.api.curation.collections import AddedTitles
from airflow_provider_encord.client.call import Request, run
from airflow_provider_encord.client.errors import InvalidArgumentError, NotFoundError
from airflow_provider_encord.client.flows.collections import MOST_TITLE_BYTES, MOST_TITLES, add_titles
from airflow_provider_encord.client.flows.uploads import LocalFile
from airflow_provider_encord.client.resources.collections import Collection
from tests.client.emulated import World, picture, world

__all__ = ["world"]


@pytest.fixture(autouse=True)
def _no_faults(world: World) -> Iterator[None]:
    yield
    world.emulator.clear_faults()
    world.emulator.limits(page_size=100)


@pytest.fixture
def folder(world: World) -> str:
    return world.user.create_folder(f"Scenes {uuid.uuid4()}").id


@pytest.fixture
def items(world: World, folder: str) -> dict[str, str]:
    """Three images in the folder: their ids by name."""
    content = picture()
    files = [
        LocalFile(title=name, kind=IMAGE, size=len(content), open=lambda: io.BytesIO(content))
        for name in ("a", "b", "c")
    ]
    world.user.folder(folder).upload(files, timeout=60)
    return {item.name: item.uuid for item in world.user.folder(folder).items()}


@pytest.fixture
def collection(world: World, folder: str) -> Collection:
    return world.user.collection(world.user.create_collection(folder, "Night", description="d").id)


def test_a_collection_is_created_once_for_its_folder_and_name(world, folder, collection):
    again = world.user.create_collection(folder, "Night")
    assert (again.id, again.created) == (collection.id, False)
    elsewhere = world.user.create_collection(world.user.create_folder(f"Other {uuid.uuid4()}").id, "Night")
    assert elsewhere.created
    assert [record.uuid for record in world.user.collections(folder)] == [collection.id]


def test_a_creation_whose_answer_was_lost_is_found(world, folder):
    world.emulator.faults([{"match": {"path": "/collections$", "method": "POST"}, "do": {"cut": "after"}}])
    made = world.user.create_collection(folder, "Lost")
    assert made.created
    assert [record.uuid for record in world.user.collections(folder)] == [made.id]


def test_items_are_added_listed_page_by_page_and_removed(world, collection, items):
    world.emulator.limits(page_size=2)
    assert collection.add_items(list(items.values())) == []
    assert [item.name for item in collection.items()] == ["a", "b", "c"]
    assert [item.uuid for item in collection.all_items()] == list(items.values())
    assert collection.remove_items([items["b"]]) == []
    assert [item.name for item in collection.items()] == ["a", "c"]


def test_items_that_are_not_below_the_folder_are_returned(collection, items):
    stranger = str(uuid.uuid4())
    assert collection.add_items([items["a"], stranger]) == [stranger]
    assert collection.remove_items([items["a"], stranger]) == [stranger]


def test_items_that_the_user_cannot_see_have_only_an_id(world, collection, items):
    collection.add_items([items["a"]])
    (seen,) = collection.all_items()
    assert (seen.uuid, seen.name, seen.item_type) == (items["a"], "a", "image")


def test_items_are_added_by_title(collection, items):
    added = collection.add_titles(["a", "nothing", "a"])
    assert (added.requested, added.items_added, added.unmatched_titles) == (2, 1, ["nothing"])
    with pytest.raises(InvalidArgumentError, match="titles"):
        collection.add_titles("a")


def test_a_collection_is_changed_read_and_deleted(world, folder, collection):
    collection.update(name="Dusk")
    record = collection.get()
    assert (record.name, record.description, record.top_level_folder_uuid) == ("Dusk", "d", folder)
    with pytest.raises(InvalidArgumentError, match="name, description"):
        collection.update()
    collection.delete()
    with pytest.raises(NotFoundError):
        collection.get()


def test_a_collection_whose_deletion_was_lost_counts_as_deleted(world, collection):
    world.emulator.faults([{"match": {"path": "/collections/", "method": "DELETE"}, "do": {"cut": "after"}}])
    collection.delete()
    assert collection.id not in {record.uuid for record in world.user.collections()}


def batches_of(titles: list[str]) -> list[list[str]]:
    """The titles of each request. Every one of them is matched."""
    sent: list[list[str]] = []

    def answer(step: Any) -> AddedTitles:
        sent.append(step.request.json["dataTitles"])
        count = len(sent[-1])
        return AddedTitles(requested=count, matched_titles=count, items_added=count)

    assert run(add_titles("c", titles), answer).requested == sum(map(len, sent))
    return sent


@given(st.lists(st.one_of(st.text(max_size=20), st.sampled_from(["'" * 60_000, "ż" * 50_000, "\\" * 90_000, "a"]))))
def test_batches_of_titles_lose_nothing_keep_order_and_fit(titles):
    batches = batches_of(titles)
    assert [title for batch in batches for title in batch] == list(dict.fromkeys(titles))
    for batch in batches:
        written = sum(len(title.encode()) + 3 + title.count("'") + title.count("\\") for title in batch)
        assert 1 <= len(batch) <= MOST_TITLES
        assert written <= MOST_TITLE_BYTES


def test_more_titles_than_a_request_takes_are_sent_in_several():
    assert [len(batch) for batch in batches_of([str(number) for number in range(2500)])] == [1000, 1000, 500]


def test_a_title_that_fits_no_request_is_refused_before_any_is_sent():
    with pytest.raises(InvalidArgumentError, match="titles"):
        next(add_titles("c", ["a", "'" * 120_000]))


def test_a_listing_says_only_what_it_was_asked():
    call = collections.list_collections(ids=["x"], page_size=5)
    assert isinstance(call.request, Request)
    assert call.request.parameters() == [("uuids", "x"), ("pageSize", "5")]
