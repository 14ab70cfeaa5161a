"""The spaces of a label row: the members of a data group, or the images and point clouds of a scene (protocol, 7.21).

Listings and label rows show the same spaces; label rows have labels in them. The id of a member's space is the id of
its item, that of a scene's is made of its stream and event [inferred]. A recorded scene (one file of a robot's log) has
no spaces and counts in nanoseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from ..state.store import Row, Store

ROOT = "root"
HAS_ROOT = "time_series"
"""The type of data that may have a space for the whole file. It is there once a client saved it [inferred]."""

_Object = dict[str, Any]
_SURFACES = {"point_cloud": "point_cloud", "image": "scene_image"}
"""Types of streams that can be labelled, and of their spaces."""
_RECORDINGS = ("mcap", "bag", "db3")
_MEMBERS = """
SELECT items.* FROM item_children AS part JOIN items ON items.uuid = part.child
WHERE part.item = ? ORDER BY part.position
"""


class Unit(Protocol):
    """A row of ``data_units``, from the database or not yet in it."""

    def __getitem__(self, column: str, /) -> Any: ...


def of_unit(store: Store, unit: Unit) -> dict[str, _Object]:
    """The spaces of a data unit, without labels; none for most types."""
    if unit["data_type"] == "group":
        return of_group(unit["settings"], store.all(_MEMBERS, unit["item_uuid"]))
    return of_scene(unit["settings"]) if unit["data_type"] == "scene" else {}


def of_group(settings: str, members: list[Row] | list[_Object]) -> dict[str, _Object]:
    """The spaces of a data group: one for each member that can be labelled.

    :param settings: How the group is laid out, as it is kept with its item.
    """
    places = {entry["uuid"]: key for key, entry in json.loads(settings)["layoutContents"].items()}
    found = {}
    for member in members:
        shown = _member(member)
        if shown is not None:
            place = {"layout_key": places[member["uuid"]], "file_name": member["name"], "data_link": None}
            found[member["uuid"]] = {"child_info": place, **shown, "labels": {}}
    return found


def of_scene(settings: str | None) -> dict[str, _Object]:
    """The spaces of a scene that consists of streams: one for each image and point cloud."""
    return dict(_of_streams(_content(settings)))


def is_recording(settings: str | None) -> bool:
    """Whether the labels of a scene are at times and not at frames [inferred: those of a recorded log]."""
    return _content(settings).get("format") in _RECORDINGS


def members_of(spaces: Mapping[str, _Object]) -> list[_Object]:
    """``metadata.children`` of the data unit of a group. The emulator has no label rows of members."""
    return [
        {"data_hash": space, "label_hash": None, "name": info["file_name"], "layout_key": info["layout_key"]}
        for space, content in spaces.items()
        if (info := content.get("child_info")) is not None
    ]


def _content(settings: str | None) -> _Object:
    scene: _Object = json.loads(settings or "{}")
    content: _Object = scene.get("content", scene)
    return content


def _of_streams(streams: _Object) -> Iterator[tuple[str, _Object]]:
    for name, stream in streams.items():
        kind = _SURFACES.get(str(stream.get("type"))) if isinstance(stream, dict) else None
        for position, event in enumerate(stream.get("events", []) if kind else []):
            place = {"stream_id": name, "event_index": position, "uri": event.get("uri"), "start_frame": position}
            shown: _Object = {"space_type": kind, "scene_info": place}
            if kind == "scene_image":
                shown |= _size_of_image(streams.get(stream.get("camera")))
            yield f"{name}-{position}", {**shown, "labels": {"objects": [], "classifications": []}}


def _size_of_image(camera: Any) -> _Object:
    """Width and height, if the camera of a stream says them."""
    events = camera.get("events") if isinstance(camera, dict) else None
    return {"width": events[0].get("width_px"), "height": events[0].get("height_px")} if events else {}


def _member(item: Any) -> _Object | None:
    size = {"width": item["width"] or 0, "height": item["height"] or 0}
    frames = {"number_of_frames": item["frames"], **size}
    kind = item["item_type"]
    if kind == "image":
        return {"space_type": "image", **size}
    if kind == "video":
        return {"space_type": "video", **frames, "data_duration": item["duration"], "data_fps": item["fps"]}
    if kind in ("imageGroup", "imageSequence"):
        return {"space_type": "image_sequence", **frames, "frames": _images(item["images"])}
    if kind == "audio":
        return {"space_type": "audio", "duration_ms": round(1000 * (item["duration"] or 0))}
    if kind == "plainText":
        return {"space_type": "html" if item["file_type"] == "text/html" else "text"}
    if kind == "pdf":
        return {"space_type": "pdf", "number_of_pages": item["frames"]}
    if kind in ("nifti", "dicomFile"):
        return {"space_type": "medical_file", **frames}
    if kind == "dicomSeries":
        return {"space_type": "medical_stack", "frames": _slices(item["dicom_frames"])}
    return {"space_type": "time_series"} if kind == "timeseries" else None


def _images(images: str | None) -> list[_Object]:
    return [
        {
            "data_uuid": image["image_hash"],
            "data_type": image["file_type"] or "image/jpeg",
            "data_sequence": position,
            "data_link": image["file_link"],
            "data_title": image["title"],
        }
        for position, image in enumerate(json.loads(images or "[]"))
    ]


def _slices(frames: str | None) -> list[_Object]:
    return [
        {
            "width": frame["width"] or 0,
            "height": frame["height"] or 0,
            "instance_uid": frame["dicom_instance_uid"] or "",
            "file_name": (frame["file_uri"] or "").rpartition("/")[2],
        }
        for frame in json.loads(frames or "[]")
    ]
