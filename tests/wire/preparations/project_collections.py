"""What recordings of a project's collections and filter presets need: two of each, and a label that is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_ID = "{}-0000-4000-8000-{:012d}"
COLLECTION, PRESET, DATA_UNIT = "13131313", "14141414", "12121212"
SMALL = {"filters": [{"key": "area", "type": "range", "min": 0.0, "max": 0.01}]}
FILTERS = {"localFilters": {"00000000-0000-0000-0000-000000000000": SMALL}, "globalFilters": {"filters": []}}


def _path(world: Any, *more: str) -> str:
    return "/".join(["/v2/public/active", world.project, *more])


def _make_collections(world: Any, kind: str) -> None:
    for number in (1, 2):
        wanted = {"name": "Hard frames", "description": "Review these", "collectionType": kind}
        path = f"{_path(world, 'collections')}?projectHash={world.project}"
        world.ids[_ID.format(COLLECTION, number)] = world.user.v2("POST", path, wanted)


def _presets(world: Any) -> None:
    for number in (1, 2):
        wanted = {"name": "Small boxes", "filterPresetJson": FILTERS}
        world.ids[_ID.format(PRESET, number)] = world.user.v2("POST", _path(world, "presets"), wanted)


def _of_frames(world: Any) -> None:
    _make_collections(world, "FRAME")


def _of_what_is_added(world: Any) -> None:
    labels = any("annotationId" in item for item in world.recording.exchanges[0].request["json"]["items"])
    _make_collections(world, "LABEL" if labels else "FRAME")


def _both(world: Any) -> None:
    _of_frames(world)
    _presets(world)


def _first(world: Any) -> str:
    return _path(world, "collections", world.ids[_ID.format(COLLECTION, 1)], "add-items")


def _with_frames(world: Any) -> None:
    _of_frames(world)
    units = [world.ids[_ID.format(DATA_UNIT, number)] for number in (1, 2)]
    world.user.v2("POST", _first(world), {"items": [{"dataUuid": unit, "frame": 0} for unit in units]})


def _with_a_label(world: Any) -> None:
    _make_collections(world, "LABEL")
    unit = world.ids[_ID.format(DATA_UNIT, 1)]
    labels = world.ids[_ID.format("34343434", 1)]
    how = {"multi_request": True, "get_signed_url": False, "include_reviews": False}
    (row,) = world.user.v1("labelrow", "GET", [labels], how, project=world.project)
    frames = next(iter(row["data_units"].values()))["labels"]
    frame = next(number for number, content in frames.items() if content["objects"])
    item = {"dataUuid": unit, "frame": int(frame), "annotationId": frames[frame]["objects"][0]["objectHash"]}
    assert world.user.v2("POST", _first(world), {"items": [item]}) == {"failedItems": []}


PREPARATIONS: dict[str, Callable[[Any], None]] = {
    **dict.fromkeys(
        (
            *("project.collections.list", "project.collections.get", "project.collections.update"),
            "project.collections.delete",
        ),
        _of_frames,
    ),
    "project.collections.items.add": _of_what_is_added,
    "project.collections.items.remove": _with_frames,
    "project.collections.frames": _with_frames,
    "project.collections.labels": _with_a_label,
    "project.collections.items.add_preset": _both,
    "project.collections.items.remove_preset": _both,
    **dict.fromkeys(
        (
            *("project.presets.list", "project.presets.get", "project.presets.definition", "project.presets.update"),
            "project.presets.delete",
        ),
        _presets,
    ),
}
