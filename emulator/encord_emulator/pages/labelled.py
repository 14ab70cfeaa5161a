"""The label row of a data unit, divided into pictures: an image, the frames of a video, the members of a group."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..state.store import Row
from .drawing import Picture
from .visit import Visit

_Object = dict[str, Any]
UNIT = """
SELECT data_units.* FROM tasks JOIN data_units USING (data_hash) WHERE project = ? AND data_hash = ?
"""
ROWS = """
SELECT * FROM label_rows WHERE project = ? AND data_hash = ? ORDER BY branch != 'main', branch
"""
WITHOUT_LABELS: _Object = {"objects": [], "classifications": []}


class Content:
    """What is in a label row."""

    def __init__(self, row: Row | None) -> None:
        self.answers: _Object = json.loads("{" + row["answers"] + "}") if row is not None else {}
        self.units: _Object = json.loads(row["units"]) if row is not None else {}

    def answers_of(self, part: str) -> Mapping[str, Any]:
        found = self.answers.get(part)
        return found if isinstance(found, dict) else {}


def pictures(visit: Visit, unit: Row, content: Content) -> dict[str, Picture]:
    """Every image, and every frame that has labels, by its number or name."""
    if unit["data_type"] == "image":
        (labels,) = [part["labels"] for part in content.units.values()] or [WITHOUT_LABELS]
        return {"0": _picture(unit["title"], unit, visit.file(unit["file_link"]), labels)}
    if unit["data_type"] == "img_group":
        return dict(_of_images(visit, unit, content))
    if unit["data_type"] in ("group", "scene"):
        return dict(_of_spaces(visit, content))
    frames = {key: labels for part in content.units.values() for key, labels in part["labels"].items()}
    return {
        key: _picture(f"{unit['title']}, frame {key}", unit, None, labels)
        for key, labels in sorted(frames.items(), key=_by_number)
        if labels.get("objects")
    }


def blank(unit: Row, frame: str) -> Picture:
    """A frame without labels, as large as the others."""
    return _picture(f"{unit['title']}, frame {frame}", unit, None, WITHOUT_LABELS)


def _by_number(entry: tuple[str, Any]) -> tuple[int, str]:
    return (int(entry[0]) if entry[0].isdigit() else -1, entry[0])


def _of_images(visit: Visit, unit: Row, content: Content) -> Iterator[tuple[str, Picture]]:
    for number, image in enumerate(json.loads(unit["images"] or "[]")):
        labels = content.units.get(image["image_hash"], {}).get("labels", WITHOUT_LABELS)
        yield str(number), _picture(image["title"], image, visit.file(image["file_link"]), labels)


def _of_spaces(visit: Visit, content: Content) -> Iterator[tuple[str, Picture]]:
    """The labelled frames of each space; a still image also without labels. A space without a size is only listed."""
    for space, found in content.answers_of("spaces").items():
        info = found.get("child_info") or {}
        title = info.get("file_name") or space
        labels = found.get("labels") or {}
        if "objects" in labels or found.get("space_type") == "image":
            item = visit.store.one("SELECT file_link FROM items WHERE uuid = ?", space)
            address = visit.file(item["file_link"]) if item is not None else None
            yield space, _picture(title, found, address, labels if "objects" in labels else labels.get("0", {}))
            continue
        for frame, on_frame in sorted(labels.items(), key=_by_number):
            yield f"{space} {frame}", _picture(f"{title}, frame {frame}", found, None, on_frame)
    for part in content.units.values():  # of a scene: what is on no image and no point cloud of its own
        for key, labels in part.get("labels", {}).items():
            if isinstance(labels, dict) and labels.get("objects"):
                yield key, Picture(f"Frame {key}", 0, 0, None, _objects(labels))


def _picture(title: str, size: Any, address: str | None, labels: _Object) -> Picture:
    width, height = _side(size, "width"), _side(size, "height")
    return Picture(title, width, height, address, _objects(labels))


def _objects(labels: _Object) -> list[_Object]:
    return [item for item in labels.get("objects") or [] if not item.get("isDeleted")]


def _side(size: Any, name: str) -> int:
    value = size[name] if name in size.keys() else None  # noqa: SIM118 - a row of the database iterates its values
    return value if isinstance(value, int) else 0
