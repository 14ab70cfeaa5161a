"""What recordings of collections and filter presets need: two of each, for the first folder and its two images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.wire.preparations.storage import make_items, start_upload

_ID = "{}-0000-4000-8000-{:012d}"
COLLECTION, PRESET = "13131313", "14141414"
FOLDER = _ID.format("dddddddd", 1)
ITEMS = [_ID.format("eeeeeeee", number) for number in (1, 2)]
DARK = {"filters": [{"key": "brightness", "type": "range", "min": 0.0, "max": 0.25}]}
NIGHT = {"filters": [{"key": "file_name", "type": "contains", "value": "night"}]}
FILTERS = {"local_filters": {"00000000-0000-0000-0000-000000000000": DARK}, "global_filters": NIGHT}


def make_collections(world: Any) -> None:
    """Two empty collections of the first folder."""
    make_items(world)
    for number in (1, 2):
        wanted = {"name": f"Night scenes {number}", "description": "Frames after dusk"}
        path = f"/v2/public/index/collections?topLevelFolderUuid={world.ids[FOLDER]}"
        world.ids[_ID.format(COLLECTION, number)] = world.user.v2("POST", path, wanted)


def make_presets(world: Any) -> None:
    """Two presets; only they are there."""
    for preset in world.user.v2("GET", "/v2/public/index/presets")["results"]:
        world.user.v2("DELETE", f"/v2/public/index/presets/{preset['uuid']}")
    for number in (1, 2):
        wanted = {"name": "Dark", "filterPresetJson": FILTERS, "description": "Low brightness"}
        path = "/v2/public/index/presets?topLevelFolderUuid=00000000-0000-0000-0000-000000000000"
        world.ids[_ID.format(PRESET, number)] = world.user.v2("POST", path, wanted)


def _one_item_is_not_there(world: Any) -> None:
    make_collections(world)
    del world.ids[ITEMS[1]]


def _a_title_is_used_twice(world: Any) -> None:
    make_collections(world)
    job = start_upload(world, ["two.jpg", "two.jpg"])
    world.user.v2("GET", f"/v2/public/storage/folders/{world.ids[FOLDER]}/data-upload-jobs/{job}?timeoutSeconds=30")


def _both(world: Any) -> None:
    make_collections(world)
    make_presets(world)


def _with_presets_and_a_folder(world: Any) -> None:
    make_items(world)
    make_presets(world)


def _filled(world: Any) -> None:
    make_collections(world)
    path = f"/v2/public/index/collections/{world.ids[_ID.format(COLLECTION, 1)]}/add-items"
    world.user.v2("POST", path, {"itemUuids": [world.ids[item] for item in ITEMS]})


PREPARATIONS: dict[str, Callable[[Any], None]] = {
    **dict.fromkeys(
        (
            *("collections.list", "collections.get", "collections.create", "collections.update"),
            "collections.delete",
        ),
        make_collections,
    ),
    "collections.items.add": _one_item_is_not_there,
    "collections.items.add_by_title": _a_title_is_used_twice,
    **dict.fromkeys(("collections.items.list", "collections.items.list_all", "collections.items.remove"), _filled),
    **dict.fromkeys(("collections.items.add_preset", "collections.items.remove_preset"), _both),
    "presets.list": _with_presets_and_a_folder,
    **dict.fromkeys(("presets.get", "presets.definition", "presets.update", "presets.delete"), make_presets),
}
