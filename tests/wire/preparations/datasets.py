"""What recordings of datasets need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.wire.preparations.storage import make_items


def _videos(world: Any) -> None:
    """A dataset of videos in place of the first."""
    wanted = {"owner": world.user.email, "title": "Videos", "rows": 2, "kind": "video"}
    made = world.user.server.control("POST", "projects", wanted)
    world.ids["bbbbbbbb-0000-4000-8000-000000000001"] = made["dataset_hash"]
    for number, data_hash in enumerate(made["data_hashes"], 1):
        world.ids[f"12121212-0000-4000-8000-{number:012d}"] = data_hash
    world.add_key_of_dataset(made["dataset_hash"])


def _videos_encoded_anew(world: Any) -> None:
    _videos(world)
    dataset = world.ids["bbbbbbbb-0000-4000-8000-000000000001"]
    wanted = {"data_hash": [world.ids["12121212-0000-4000-8000-000000000001"]]}
    world.ids[1337] = world.user.v1("reencodevideotask", "PUT", None, wanted, dataset=dataset)


PREPARATIONS: dict[str, Callable[[Any], None]] = {
    "dataset.link_items": make_items,
    "dataset.re_encode_data": _videos,
    "dataset.re_encode_data_status": _videos_encoded_anew,
}
