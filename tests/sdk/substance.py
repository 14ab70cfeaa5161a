"""What two readers of the same labels must agree on, whichever SDK they used."""

from typing import Any


def substance(rows: dict[str, Any]) -> dict[str, Any]:
    """What both SDKs must agree on: everything but authors and times."""
    found = {}
    for title, row in rows.items():
        objects = [
            {**one, "frames": {frame: seen["coordinates"] for frame, seen in one["frames"].items()}}
            for one in row["objects"]
        ]
        classifications = [
            {key: value for key, value in classification.items() if key != "created_by"}
            for classification in row["classifications"]
        ]
        found[title] = {"objects": _without_polygons(objects), "classifications": classifications}
    return found


def _without_polygons(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Only one of the SDKs shows polygons in their second form."""
    for one in objects:
        for frame, geometry in one["frames"].items():
            one["frames"][frame] = geometry.get("polygon", geometry)
    return objects
