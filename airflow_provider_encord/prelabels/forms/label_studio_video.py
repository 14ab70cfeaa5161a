"""Label Studio's regions of videos: boxes with keyframes, and labels of a timeline. Frames are counted from 1 there.

Between two keyframes a box moves evenly. After a keyframe that is not ``enabled`` it is gone, until the next keyframe;
after the last one that is enabled, it stays to the end of the video. So an export with and one without interpolated
keyframes give the same boxes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.forms.scale import number

SEQUENCE = "sequence"
TIMELINE = "timelinelabels"
_SIDES = ("x", "y", "width", "height")
_MOVING = (*_SIDES, "rotation")
_LAST = 10**9


def boxes_of(value: Mapping[str, Any], frames: int | None) -> Iterator[tuple[int, dict[str, float]]]:
    """The boxes of a region on all frames where it is seen: the frame, from 1, and the box in percent.

    :param value: The value of the region.
    :param frames: Number of frames of the video in Encord; None if it is not known. A box stays at most until then.
    :raises WrongLabelsError: A keyframe is wrong, or the last frame is not known.
    """
    keyframes, most = _keyframes(value.get(SEQUENCE)), min(_lengths(value, frames), default=_LAST)
    for (frame, box, enabled), (following, target, _) in itertools.pairwise(keyframes):
        yield frame, box
        for between in range(frame + 1, min(following, most + 1) if enabled else frame + 1):
            share = (between - frame) / (following - frame)
            yield between, {name: box[name] + (target[name] - box[name]) * share for name in _MOVING}
    frame, box, enabled = keyframes[-1]
    yield frame, box
    if enabled:
        yield from ((later, box) for later in range(frame + 1, _end(value, frames, frame) + 1))


def _keyframes(sequence: Any) -> list[tuple[int, dict[str, float], bool]]:
    """Frame, box, and whether the box is seen after it; in the order of the frames."""
    if not isinstance(sequence, list) or not sequence or not all(isinstance(one, Mapping) for one in sequence):
        raise WrongLabelsError(f"{SEQUENCE}: it is not a list of keyframes")
    found = sorted((_keyframe(one) for one in sequence), key=lambda keyframe: keyframe[0])
    twice = next((one[0] for one, other in itertools.pairwise(found) if one[0] == other[0]), None)
    if twice is not None:
        raise WrongLabelsError(f"{SEQUENCE}: frame {twice} has two keyframes; keep one of them")
    return found


def _keyframe(keyframe: Mapping[str, Any]) -> tuple[int, dict[str, float], bool]:
    frame = whole_frame(keyframe.get("frame"), f"{SEQUENCE}: frame")
    where = f"{SEQUENCE}, frame {frame}"
    box = {name: number(keyframe.get(name), f"{where}: {name}") for name in _SIDES}
    rotation = number(keyframe.get("rotation") or 0, f"{where}: rotation")
    return frame, {**box, "rotation": rotation}, keyframe.get("enabled", True) is not False


def _end(value: Mapping[str, Any], frames: int | None, last: int) -> int:
    """The last frame of the video. Label Studio and Encord may count differently by a frame."""
    known = _lengths(value, frames)
    if not known:
        raise WrongLabelsError(
            f"framesCount: it is missing, but the box stays after its last keyframe, {last}. Export the video with its "
            "length, or end the box with a keyframe that is not enabled"
        )
    return min(known)


def _lengths(value: Mapping[str, Any], frames: int | None) -> list[int]:
    """The numbers of frames that are known of the video."""
    return [one for one in (value.get("framesCount"), frames) if type(one) is int and one > 0]


def ranges_of(value: Mapping[str, Any]) -> list[list[int]]:
    """The frames of a label of a timeline, as pairs of a first and a last frame, from 0.

    :raises WrongLabelsError: They are not pairs of frames.
    """
    given = value.get("ranges")
    if not isinstance(given, list) or not given or not all(isinstance(one, Mapping) for one in given):
        raise WrongLabelsError("ranges: it is not a list of ranges with start and end")
    found = [[whole_frame(one.get(name), f"ranges: {name}") - 1 for name in ("start", "end")] for one in given]
    wrong = next((pair for pair in found if pair[0] > pair[1]), None)
    if wrong is not None:
        raise WrongLabelsError(f"ranges: {wrong[0] + 1} to {wrong[1] + 1} ends before it starts")
    return found


def whole_frame(value: Any, name: str) -> int:
    """The number of a frame, from 1.

    :raises WrongLabelsError: It is not one.
    """
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or not 1 <= value <= _LAST:
        raise WrongLabelsError(f"{name}: {str(value)[:40]!r} is not the number of a frame, from 1")
    return value
