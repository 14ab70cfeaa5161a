"""Storage through the handles, against the emulator: folders made once, items page by page, edits, moves, syncs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_encord.client.api.storage_folders import FolderFilter, folder_patch
from airflow_provider_encord.client.api.storage_items import ItemFilter
from airflow_provider_encord.client.errors import (
    InvalidArgumentError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RefusedError,
    UnsupportedByCredentialError,
)
from airflow_provider_encord.client.resources.storage import StorageFolder
from tests.client.emulated import ROWS, World, picture, world

__all__ = ["world"]

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def _no_faults(world: World) -> Iterator[None]:
    yield
    world.emulator.clear_faults()
    world.emulator.limits(page_size=100)


@pytest.fixture
def folder(world: World, request: pytest.FixtureRequest) -> StorageFolder:
    """A folder of the test's own."""
    return world.user.folder(world.user.create_folder(f"Folder of {request.node.name}").id)


@pytest.fixture
def mirror(world: World) -> StorageFolder:
    """The folder of the seeded dataset, with an item for each of its rows."""
    backing = next(
        dataset.backing_folder_uuid for dataset in world.user.datasets() if dataset.dataset_hash == world.dataset
    )
    assert backing
    return world.user.folder(backing)


def test_a_folder_is_created_once_in_its_place(world: World, folder: StorageFolder) -> None:
    first = world.user.create_folder("inner", parent_folder_id=folder.id, client_metadata={"site": "A"})
    again = world.user.create_folder("inner", parent_folder_id=folder.id)
    elsewhere = world.user.create_folder("inner")
    assert (first.created, again.created, elsewhere.created) == (True, False, True)
    assert first.id == again.id != elsewhere.id
    assert json.loads(world.user.folder(first.id).get().client_metadata or "") == {"site": "A"}


def test_a_folder_whose_creation_got_no_answer_is_looked_up(world: World) -> None:
    world.emulator.faults(
        [{"match": {"method": "POST", "path": "/storage/folders$"}, "when": {"times": 1}, "do": {"cut": "after"}}]
    )
    made = world.user.create_folder("lost answer")
    assert world.user.folder(made.id).get().name == "lost answer"
    assert len(list(world.user.folders(FolderFilter(search="lost answer")))) == 1


def test_a_synced_folder_needs_an_integration_and_a_place(world: World) -> None:
    with pytest.raises(InvalidArgumentError, match="remote_url"):
        world.user.create_folder("half", integration=UNKNOWN)


def test_folders_are_listed_at_the_root_below_and_anywhere(world: World, folder: StorageFolder) -> None:
    inner = world.user.create_folder("a deep folder", parent_folder_id=folder.id).id
    wanted = FolderFilter(search="a deep folder")
    assert [one.uuid for one in world.user.folders(wanted)] == []
    assert [one.uuid for one in folder.folders()] == [inner]
    assert [one.uuid for one in world.user.folders(wanted, anywhere=True)] == [inner]
    assert [part.uuid for part in world.user.folder(inner).get().path_to_root] == [inner, folder.id]


def test_an_edit_changes_what_is_given_and_nothing_is_an_error(folder: StorageFolder) -> None:
    edited = folder.edit(name="renamed", client_metadata={"k": [1, None]})
    assert (edited.name, json.loads(edited.client_metadata or "")) == ("renamed", {"k": [1, None]})
    assert folder.edit(description="d").name == "renamed"
    with pytest.raises(InvalidArgumentError, match="at least one"):
        folder.edit()


def test_a_folder_moves_but_not_into_itself(world: World, folder: StorageFolder) -> None:
    inner = world.user.folder(world.user.create_folder("moved", parent_folder_id=folder.id).id)
    with pytest.raises(RefusedError):
        folder.move(inner.id)
    inner.move(None)
    assert inner.get().parent is None


def test_a_folder_is_deleted_when_it_is_empty(world: World, folder: StorageFolder, mirror: StorageFolder) -> None:
    with pytest.raises(RefusedError):
        mirror.delete()
    folder.delete()
    with pytest.raises(PermissionDeniedError):
        folder.get()


def test_items_are_read_one_page_at_a_time(world: World, mirror: StorageFolder) -> None:
    everything = list(mirror.items())
    assert len(everything) == ROWS
    world.emulator.limits(page_size=1)
    assert [item.uuid for item in mirror.items()] == [one.uuid for one in everything]
    assert len(world.journal(lambda: next(mirror.items()))) == 1
    assert mirror.summary().images == ROWS


def test_items_are_read_by_id_in_that_order_and_their_url_is_not_shown(world: World, mirror: StorageFolder) -> None:
    ids = [item.uuid for item in mirror.items()][::-1]
    found = world.user.items(ids, sign_urls=True)
    assert [one.uuid for one in found] == ids
    assert found[0].signed_url is not None
    assert found[0].signed_url not in repr(found)


def test_many_items_are_edited_at_once_or_none(world: World, mirror: StorageFolder) -> None:
    first, second = [item.uuid for item in mirror.items()][:2]
    patch = folder_patch(client_metadata={"batch": 7})
    world.user.edit_items({first: patch, second: patch})
    with pytest.raises(PermissionDeniedError):
        world.user.edit_items({first: folder_patch(client_metadata={"batch": 8}), UNKNOWN: patch})
    assert [json.loads(one.client_metadata or "") for one in world.user.items([first, second])] == [{"batch": 7}] * 2


def test_an_edit_whose_answer_is_lost_is_not_sent_again(world: World, mirror: StorageFolder) -> None:
    item = mirror.item(next(mirror.items()).uuid)
    world.emulator.faults([{"match": {"method": "PATCH"}, "when": {"times": 1}, "do": {"cut": "after"}}])

    def attempt() -> None:
        with pytest.raises(OutcomeUnknownError):
            item.edit(description="once")

    assert len(world.journal(attempt)) == 1
    assert item.get().description == "once"


def test_an_item_knows_the_datasets_that_it_is_in(world: World, mirror: StorageFolder) -> None:
    item = next(mirror.items())
    summary = mirror.item(item.uuid).summary()
    assert [dataset.dataset_hash for dataset in summary.accessible_datasets] == [world.dataset]
    assert summary.accessible_datasets[0].data_hashes[0] in world.data


def test_everything_cannot_be_searched(world: World) -> None:
    with pytest.raises(InvalidArgumentError, match="item_types"):
        world.user.find_items(ItemFilter())
    assert len(list(world.user.find_items(ItemFilter(item_types=["image"])))) >= ROWS


def test_a_mirror_is_changed_only_if_that_is_meant(world: World, folder: StorageFolder) -> None:
    made = world.user.create_dataset("Mirror of moves")
    backing = next(dataset.backing_folder_uuid for dataset in world.user.datasets() if dataset.dataset_hash == made.id)
    assert backing
    bucket = world.user.folder(backing)
    source = next(world.user.find_items(ItemFilter(item_types=["image"])))
    world.user.dataset(made.id).link_items([source.uuid])
    assert [row.data_title for row in world.user.dataset(made.id).data_rows()] == [source.name]
    origin = world.user.folder(source.parent)
    with pytest.raises(RefusedError):
        origin.move_items([source.uuid], bucket.id)


def test_a_sync_takes_in_what_is_new_each_time(world: World, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.png").write_bytes(picture())
    integration = world.emulator.bucket(integration="sync", url="s3://synced", directory=str(tmp_path))
    made = world.user.create_folder("Synced", integration=integration, remote_url="s3://synced/")
    synced = world.user.folder(made.id)

    def taken_in() -> int:
        job, deadline = synced.start_sync(), time.monotonic() + 60
        while not (state := synced.poll_sync(job, timeout_seconds=5)).ended:
            assert time.monotonic() < deadline
        assert state.status == "done"
        return state.upload_jobs_units_done

    assert taken_in() == 1
    (tmp_path / "b.png").write_bytes(picture())
    assert taken_in() == 1
    assert [item.name for item in synced.items()] == ["a.png", "b.png"]


def test_a_folder_of_somebody_else_is_as_one_that_is_not_there(world: World) -> None:
    with pytest.raises(PermissionDeniedError):
        world.user.folder(UNKNOWN).get()


def test_an_api_key_is_refused_before_anything_is_sent(world: World, mirror: StorageFolder) -> None:
    folder = world.dataset_key.folder(mirror.id)
    for attempt in (folder.get, folder.summary, lambda: list(folder.items()), folder.start_sync):
        with pytest.raises(UnsupportedByCredentialError):
            attempt()
