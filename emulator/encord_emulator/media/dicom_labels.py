"""What a label row says about a DICOM series and each of its frames, beside the labels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def frames(files: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is known of each frame of the files of a series, in order, from their rows of the table of items.

    The frames of a file that holds several are counted from 0 [inferred].
    """
    return [
        {
            "dicom_instance_uid": file["dicom_instance"],
            "multiframe_frame_number": number if file["frames"] > 1 else None,
            "file_uri": file["file_link"],
            "width": file["width"],
            "height": file["height"],
        }
        for file in files
        for number in range(file["frames"])
    ]


def series(unit: Any) -> dict[str, Any] | None:
    """``metadata`` of a data unit; ``None`` if the files did not say which study and series they belong to."""
    if unit["dicom_study"] is None or unit["dicom_series"] is None:
        return None
    return {
        "patient_id": unit["dicom_patient"],
        "study_uid": unit["dicom_study"],
        "series_uid": unit["dicom_series"],
    }


def empty(unit: Any) -> dict[str, Any]:
    """``labels`` of a data unit without any: every frame, with what is known of it."""
    return {
        str(number): {"objects": [], "classifications": [], "metadata": frame if _is_whole(frame) else None}
        for number, frame in enumerate(json.loads(unit["dicom_frames"] or "[]"))
    }


def with_metadata(labels: dict[str, Any], unit: Any) -> dict[str, Any]:
    """Labels that a client saves, by frame: it leaves out frames without labels, and what is known of the frames."""
    whole = empty(unit)
    for number, frame in labels.items():
        known = whole.get(number, {}).get("metadata")
        whole[number] = frame if known is None else {**frame, "metadata": known}
    return whole


def _is_whole(frame: dict[str, Any]) -> bool:
    """The vendor's SDK takes all of it or nothing."""
    return all(frame[name] is not None for name in ("dicom_instance_uid", "file_uri", "width", "height"))
