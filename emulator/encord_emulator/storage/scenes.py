"""Scenes as they are read: what an upload named by ``uri`` has a URL and a signed URL, and poses are numbers.

What was uploaded is kept with the item. A rotation is nine numbers, column by column; a quaternion and angles in
radians (about x, then y, then z [inferred]) become that.
"""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

from ..requests.exchange import Exchange
from ..rows import data_rows
from ..wire.errors import Reason, RefusalError
from . import folders

_Object = dict[str, Any]
_SHOWN = {
    "default_ground_height": "defaultGroundHeight",
    "world_convention": "worldConvention",
    "camera_convention": "cameraConvention",
    "view_settings": "viewSettings",
    "layout": "layout",
}


def get(exchange: Exchange) -> _Object:
    """The scene of an item."""
    uuid = folders.require_uuid(exchange.path["item"], "item")
    row = exchange.store.one("SELECT folder, item_type, settings FROM items WHERE uuid = ?", uuid)
    if row is None:
        raise RefusalError(Reason.NOT_YOURS, f"there is no item {uuid}")
    folders.require(exchange, row["folder"], "user")
    if row["item_type"] != "scene":
        raise RefusalError(Reason.INVALID, f"item {uuid} is no scene")
    scene: _Object = json.loads(row["settings"])
    around = scene if "content" in scene else {}
    content: _Object = scene.get("content", scene)
    return {**_content(exchange, content), **{shown: around.get(name) for name, shown in _SHOWN.items()}}


def with_settings(stored: str, wanted: dict[str, _Object | msgspec.UnsetType | None]) -> str:
    """A stored scene with other settings: ``None`` removes one, and what is unset stays as it is."""
    scene: _Object = json.loads(stored)
    around: dict[str, Any] = scene if "content" in scene else {"content": scene}
    around |= {name: value for name, value in wanted.items() if value is not msgspec.UNSET}
    return json.dumps({name: value for name, value in around.items() if value is not None or name not in wanted})


def _content(exchange: Exchange, content: _Object) -> _Object:
    if isinstance(content.get("url"), str):
        return {"type": "self_contained", **_file(exchange, content["url"]), "format": content.get("format")}
    streams = {name: _stream(exchange, name, stream) for name, stream in content.items()}
    return {"type": "composite", "streams": streams}


def _stream(exchange: Exchange, name: str, stream: _Object) -> _Object:
    kind = stream.get("type")
    if kind == "time_series":
        return {"type": "self_contained", "id": name, "entityType": kind, **_file(exchange, stream["uri"])}
    shown: _Object = {"entityType": kind}
    if kind == "image":
        shown["cameraId"] = stream.get("camera")
    elif kind in ("point_cloud", "camera_parameters"):
        shown["frameOfReferenceId"] = stream.get("frame_of_reference")
    shown["events"] = [_event(exchange, stream, event) for event in stream.get("events", [])]
    return {"type": "event", "id": name, "stream": shown}


def _event(exchange: Exchange, stream: _Object, event: _Object) -> _Object:
    at = {"timestamp": event.get("timestamp")}
    if stream["type"] == "camera_parameters":
        size = {"widthPx": event["width_px"], "heightPx": event["height_px"]}
        return {**at, **size, "intrinsics": event["intrinsics"], "extrinsics": event.get("extrinsics")}
    if stream["type"] == "frame_of_reference":
        rotation, position = _pose(event["pose"])
        parent = {"id": stream["id"], "parentFor": stream.get("parent_FoR_id")}
        return {**at, **parent, "rotation": rotation, "position": position}
    return {**_file(exchange, event["uri"]), **at}


def _file(exchange: Exchange, url: str) -> _Object:
    return {"url": url, "signedUrl": data_rows.link(exchange, url)}


def _pose(pose: Any) -> tuple[list[float], list[float]]:
    """Rotation and position of a pose, or of an affine matrix of sixteen numbers, column by column."""
    if isinstance(pose, list):
        return [*pose[0:3], *pose[4:7], *pose[8:11]], pose[12:15]
    position = [pose["position"][axis] for axis in ("x", "y", "z")]
    rotation = pose["rotation"]
    if isinstance(rotation, list):
        return rotation, position
    return _of_quaternion(rotation) if "w" in rotation else _of_angles(rotation), position


def _of_quaternion(rotation: dict[str, float]) -> list[float]:
    x, y, z, w = (rotation[name] for name in ("x", "y", "z", "w"))
    return [
        *(1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)),
        *(2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w)),
        *(2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y)),
    ]


def _of_angles(rotation: dict[str, float]) -> list[float]:
    halves = [rotation[axis] / 2 for axis in ("x", "y", "z")]
    (sin_x, cos_x), (sin_y, cos_y), (sin_z, cos_z) = ((math.sin(half), math.cos(half)) for half in halves)
    return _of_quaternion(
        {
            "x": sin_x * cos_y * cos_z - cos_x * sin_y * sin_z,
            "y": cos_x * sin_y * cos_z + sin_x * cos_y * sin_z,
            "z": cos_x * cos_y * sin_z - sin_x * sin_y * cos_z,
            "w": cos_x * cos_y * cos_z + sin_x * sin_y * sin_z,
        }
    )
