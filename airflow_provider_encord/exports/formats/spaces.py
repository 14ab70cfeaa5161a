"""The spaces of a label row: the files of a data group, and the images and point clouds of a scene.

A space stores its labels as a data unit does (protocol, section 7.21). In scenes, labels on camera images are stored
with the data unit instead, under ``<stream>#<frame>``; those of a recording under ``<stream>@<nanoseconds>`` (7.22).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from airflow_provider_encord.exports.formats.answers import Document, mappings
from airflow_provider_encord.exports.formats.surfaces import (
    AXIS,
    CHARACTERS,
    IMAGE,
    MILLISECONDS,
    NANOSECONDS,
    ROOT,
    UNITS_OF_DATA,
    Place,
    Span,
    Surface,
    place_in,
    root_of,
)
from airflow_provider_encord.exports.formats.values import number_of, string, whole

_UNITS = {"audio": MILLISECONDS, "time_series": AXIS, "text": CHARACTERS, "html": CHARACTERS}
_IMAGES = (IMAGE, "scene_image", "point_cloud")
_SCENE = "scene"
_INSTANTS = "@"
_CAMERAS = "#"


def surfaces_of(row: Document) -> dict[str, Surface]:
    """All surfaces of a label row by space id, first the data units as `ROOT`."""
    root = root_of(row)
    root = msgspec.structs.replace(root, unit=UNITS_OF_DATA.get(str(row.get("data_type"))))
    spaces = dict(_spaces(row, root.whole))
    own = spaces.pop(ROOT, None)
    if own is not None:  # a time series or image of its own
        root = msgspec.structs.replace(root, unit=root.unit or own.unit, frames=[*root.frames, *own.frames])
    if row.get("data_type") == _SCENE:
        root, placed = _scene(row, root, spaces)
        spaces |= placed
    return {ROOT: root, **spaces}


def unlisted(row: Document, root: Surface, space: str) -> Surface:
    """A space that only an answer names, such as a channel of a recording."""
    where = msgspec.structs.replace(root.whole, frame=None, space=space)
    unit = NANOSECONDS if is_continuous(row) else None
    return Surface(whole=where, frames=(), at=lambda frame: msgspec.structs.replace(where, frame=frame), unit=unit)


def is_continuous(row: Document) -> bool:
    """Whether the labels of a scene are at times instead of frames."""
    scene = row.get("scene")
    return isinstance(scene, Mapping) and bool(scene.get("isContinuous"))


def is_readable(space: Any) -> bool:
    """Whether a space has the form of a space."""
    return isinstance(space, Mapping) and isinstance(space.get("labels") or {}, Mapping)


def _spaces(row: Document, whole_row: Place) -> Iterator[tuple[str, Surface]]:
    hashes = _hashes_by_key(row)
    for id_, space in (row.get("spaces") or {}).items():
        if is_readable(space):
            yield str(id_), _surface(str(id_), space, whole_row, hashes)


def _hashes_by_key(row: Document) -> dict[str, str]:
    """The data hashes of the files of a data group, by layout key."""
    hashes: dict[str, str] = {}
    for unit in mappings((row.get("data_units") or {}).values()):
        metadata = unit.get("metadata")
        for child in mappings(metadata.get("children") if isinstance(metadata, Mapping) else ()):
            if string(child.get("data_hash")):
                hashes[str(child.get("layout_key"))] = child["data_hash"]
    return hashes


def _surface(id_: str, space: Document, whole_row: Place, hashes: Mapping[str, str]) -> Surface:
    kind = string(space.get("space_type"))
    about = _mapping(space.get("child_info")) or _mapping(space.get("root_info"))
    scene = _mapping(space.get("scene_info"))
    key = string(about.get("layout_key"))
    where = Place(
        unit=hashes.get(key or "", whole_row.unit),
        unit_title=string(about.get("file_name")) or whole_row.unit_title,
        frame=_number_in_scene(scene) if kind in _IMAGES else None,
        width=whole(space.get("width")),
        height=whole(space.get("height")),
        space=id_,
        space_type=kind,
        layout_key=key,
        stream=string(scene.get("stream_id")),
    )
    at = functools.partial(_frame_at, where, _frames_by_number(space))
    return Surface(
        whole=where,
        frames=list(_frames(where, space.get("labels") or {}, at)),
        at=None if kind in _IMAGES else at,
        unit=_UNITS.get(kind or ""),
    )


def _number_in_scene(scene: Document) -> int:
    """The frame of an image or point cloud of a scene; 0 outside of scenes."""
    start = scene.get("start_frame")
    return number_of(scene.get("event_index") if start is None else start)


def _frames_by_number(space: Document) -> dict[int, Document]:
    """What a space says about each of its frames: the images of a sequence, the slices of a medical stack."""
    frames: dict[int, Document] = {}
    for number, frame in enumerate(mappings(space.get("frames"))):
        sequence = frame.get("data_sequence")
        frames[number if sequence is None else number_of(sequence)] = frame
    return frames


def _frame_at(where: Place, known: Mapping[int, Document], number: int) -> Place:
    frame = known.get(number, {})
    return msgspec.structs.replace(
        where,
        unit=string(frame.get("data_uuid")) or where.unit,
        unit_title=string(frame.get("data_title")) or string(frame.get("file_name")) or where.unit_title,
        frame=number,
        width=whole(frame.get("width")) or where.width,
        height=whole(frame.get("height")) or where.height,
        instance_uid=string(frame.get("instance_uid")),
    )


def _frames(where: Place, labels: Document, at: functools.partial[Place]) -> Iterator[tuple[Place, Document]]:
    if "objects" in labels or "classifications" in labels:
        yield where, labels
        return
    for frame in sorted(labels, key=number_of):
        if isinstance(labels[frame], Mapping):
            yield at(number_of(frame)), labels[frame]


def _scene(row: Document, root: Surface, spaces: Mapping[str, Surface]) -> tuple[Surface, dict[str, Surface]]:
    """The surfaces of a scene whose labels are with the data unit.

    :return: The scene itself, and the images and point clouds whose labels are not in their own spaces.
    """
    cameras = {f"{one.whole.stream}{_CAMERAS}{one.whole.frame}": id_ for id_, one in spaces.items()}
    own: list[tuple[Place, Document]] = []
    placed: dict[str, Surface] = {}
    continuous = is_continuous(row)
    for unit in mappings((row.get("data_units") or {}).values()):
        labels = _mapping(unit.get("labels"))
        for key in sorted(labels, key=lambda key: (number_of(key), key)):
            if not isinstance(labels[key], Mapping):
                continue
            if key.lstrip("-").isdigit():
                own.append((_moment(unit, int(key)) if continuous else place_in(unit, int(key)), labels[key]))
                continue
            id_ = cameras.get(key, key)
            surface = spaces.get(id_) or _named_by(key, unit)
            # Labels with the data unit replace those in the space, as in the vendor's SDK.
            placed[id_] = msgspec.structs.replace(surface, frames=[(surface.whole, labels[key])])
    return msgspec.structs.replace(root, frames=own, unit=NANOSECONDS if continuous else None), placed


def _moment(unit: Document, time: int) -> Place:
    return msgspec.structs.replace(place_in(unit, None), span=Span(start=time, end=None, unit=NANOSECONDS))


def _named_by(key: str, unit: Document) -> Surface:
    """The image or point cloud of a scene that only a key names."""
    where = msgspec.structs.replace(place_in(unit, None), space=key)
    stream, instant, time = key.rpartition(_INSTANTS)
    if instant and time.isdigit():
        span = Span(start=int(time), end=int(time), unit=NANOSECONDS)
        where = msgspec.structs.replace(where, stream=stream, span=span)
    stream, camera, frame = key.partition(_CAMERAS)
    if camera and frame.isdigit():
        where = msgspec.structs.replace(where, stream=stream, frame=int(frame))
    return Surface(whole=where, frames=(), at=None)


def _mapping(value: Any) -> Document:
    return value if isinstance(value, Mapping) else {}
