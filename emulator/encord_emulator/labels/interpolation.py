"""Interpolating objects: boxes move evenly from one key frame to the next. Other shapes are left out [inferred]."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Literal

from ..requests.exchange import Exchange
from ..wire.errors import Reason, RefusalError
from ..wire.shapes import Strict

_MOST_FRAMES = 100_000


class Parameters(Strict, frozen=True):
    key_frames: dict[str, dict[str, Any]]
    objects_to_interpolate: list[str]


class Request(Strict, frozen=True):
    algorithm_name: Literal["interpolation"]
    algorithm_parameters: Parameters


def interpolate(exchange: Exchange) -> dict[str, Any]:
    """The objects of the frames between the key frames."""
    wanted: Parameters = exchange.payload.algorithm_parameters
    if not wanted.key_frames or not wanted.objects_to_interpolate:
        raise RefusalError(Reason.INVALID, "key_frames, objects_to_interpolate: must not be empty")
    if any(not frame.isdigit() or int(frame) > _MOST_FRAMES for frame in wanted.key_frames):
        raise RefusalError(Reason.INVALID, f"key_frames: must be frame numbers up to {_MOST_FRAMES}")
    frames: dict[str, dict[str, list[Any]]] = {}
    for identifier in dict.fromkeys(wanted.objects_to_interpolate):
        for frame, found in _between(_boxes(wanted.key_frames, identifier)):
            frames.setdefault(str(frame), {"objects": []})["objects"].append(found)
    return {"frames": frames}


def _boxes(key_frames: dict[str, dict[str, Any]], identifier: str) -> list[tuple[int, dict[str, Any]]]:
    """Where an object has a box, by frame."""
    found = [
        (int(frame), thing)
        for frame, labels in key_frames.items()
        for thing in labels.get("objects", [])
        if thing.get("objectHash") == identifier and isinstance(thing.get("boundingBox"), dict)
    ]
    return sorted(found, key=lambda box: box[0])


def _between(boxes: list[tuple[int, dict[str, Any]]]) -> Iterator[tuple[int, dict[str, Any]]]:
    for (first, start), (last, end) in itertools.pairwise(boxes):
        for frame in range(first + 1, last):
            share = (frame - first) / (last - first)
            box = {
                side: value + (end["boundingBox"].get(side, value) - value) * share
                for side, value in start["boundingBox"].items()
            }
            yield frame, {**start, "boundingBox": box}
