"""What recordings of label rows need."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.wire.ids import replaced

_READ = {
    "get_signed_url": False,
    "multi_request": False,
    "include_object_feature_hashes": None,
    "include_classification_feature_hashes": None,
    "include_reviews": False,
    "include_export_history": False,
}
_FIRST = "34343434-0000-4000-8000-000000000001"


def read_row(world: Any) -> Any:
    """The first label row."""
    return world.user.v1("labelrow", "GET", world.ids[_FIRST], _READ, project=world.project)


def save_row(world: Any, row: dict[str, Any]) -> None:
    """Save the first label row."""
    world.user.v1("labelrow", "POST", world.ids[_FIRST], row, project=world.project)


def _break_a_label(world: Any) -> None:
    """An object of a feature that the ontology does not have; no one asks to validate it."""
    row = copy.deepcopy(read_row(world))
    for unit in row["data_units"].values():
        unit["labels"]["objects"][0]["featureHash"] = "deadbeef"
    save_row(world, row)


def _know_the_parts(world: Any) -> dict[str, Any]:
    """Take the images and spaces of the first row for those of the recorded one, which is returned."""
    recorded = _recorded_row(world)
    row = read_row(world)
    if row["data_type"] == "img_group":
        world.ids |= zip(recorded["data_units"], row["data_units"], strict=False)
    left = {space: content["space_type"] for space, content in row["spaces"].items()}
    for space, content in recorded.get("spaces", {}).items():
        known = next((mine for mine, kind in left.items() if kind == content["space_type"]), None)
        if known is not None:  # a time series has no space until one is saved
            world.ids[space] = known
            del left[known]
    return recorded


def _recorded_row(world: Any) -> dict[str, Any]:
    """The first label row that a recording saves or reads."""
    exchange = world.recording.exchanges[0]
    if exchange.request["json"]["query_method"] == "GET":
        rows = exchange.response["json"]["response"]
    else:
        payload = exchange.request["json"]["values"]["payload"]
        rows = payload.get("labels", payload)
    found: dict[str, Any] = rows[0] if isinstance(rows, list) else rows
    return found


def _label_as_recorded(world: Any) -> None:
    """Save the recorded labels, if they are of another type of data than an image."""
    recorded = _recorded_row(world)
    if recorded["data_type"] != "image":
        save_row(world, replaced(_know_the_parts(world), world.ids))


def _parts_of_row(world: Any) -> None:
    if _recorded_row(world)["data_type"] != "image":
        _know_the_parts(world)


def _one_is_on_the_branch(world: Any) -> None:
    """On the recorded branch, only the first data unit has a label row."""
    first = world.ids["12121212-0000-4000-8000-000000000001"]
    wanted = {"multi_request": True, "get_signed_url": False, "branch_name": "model-a"}
    (row,) = world.user.v1("labelrow", "PUT", [first], wanted, project=world.project)
    world.ids[_FIRST] = row["label_hash"]


PREPARATIONS: dict[str, Callable[[Any], None]] = {
    "label_rows.validation_state": _break_a_label,
    "label_rows.get": _label_as_recorded,
    "label_rows.save": _parts_of_row,
    "label_rows.import_coco": _one_is_on_the_branch,
}
