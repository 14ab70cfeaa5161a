"""What recordings of label rows need."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

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


PREPARATIONS: dict[str, Callable[[Any], None]] = {"label_rows.validation_state": _break_a_label}
