"""What is inside a label row: kept in one form, answered in both.

Old SDKs (0.1.145, still 0.1.190) put each classification into the labels of every frame and read it only there; 0.1.211
writes that list empty and reads ``classification_answers`` alone, where it needs ``featureHash`` and ``range``. What is
saved is therefore completed both ways, once: answers from frames, frames from answers. Everything else that a label
holds, known or not, is kept as it came.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from ..media import dicom_labels
from ..rows import spaces as row_spaces
from ..rows.spaces import Unit
from ..wire import times
from ..wire.errors import Reason, RefusalError

PARTS = ("object_answers", "classification_answers", "object_actions", "spaces")
_SERVER_KNOWS = {
    *("label_hash", "branch_name", "created_at", "last_edited_at", "dataset_hash", "dataset_title", "data_title"),
    *("data_hash", "data_type", "label_status", "annotation_task_status", "is_valid", "is_shadow_data", "data_units"),
    *("validate_before_saving", "export_history"),
}
_FROM_FRAME = (
    "featureHash",
    "createdAt",
    "createdBy",
    "lastEditedAt",
    "lastEditedBy",
    "confidence",
    "manualAnnotation",
)
Spaces = dict[str, dict[str, Any]]
"""The spaces of a row by id."""
_IMAGES = ("image", "img_group", "group")
"""Types whose data units have labels without frames."""
_USUAL_TYPES = {
    "image": "image/jpeg",
    "img_group": "image/jpeg",
    "group": "group",
    "scene": "scene",
    "nifti": "application/nifti",
    "time_series": "text/csv",
}
"""Media types of files that do not say theirs; of others it is that of a video."""
_OF_AUDIO = ("audio_codec", "audio_sample_rate", "audio_bit_depth", "audio_num_channels")


def empty(unit: Unit, spaces: Spaces) -> tuple[dict[str, Any], dict[str, Any]]:
    """The answers and data units of a row that was just created.

    :param spaces: The spaces of the data unit, without labels.
    """
    return {**{part: {} for part in PARTS}, "spaces": spaces, **_of_scene(unit)}, data_units(unit, spaces)


def data_units(unit: Unit, spaces: Spaces) -> dict[str, Any]:
    """The data units of a row, without labels: one, or one for each image of a group."""
    if unit["data_type"] != "img_group":
        only = _data_unit(unit, unit["data_hash"], unit["title"], 0)
        if unit["data_type"] == "group":
            only["metadata"] = {"children": row_spaces.members_of(spaces)}
        return {unit["data_hash"]: only}
    images = json.loads(unit["images"])
    return {
        image["image_hash"]: {
            **_data_unit(unit, image["image_hash"], image["title"], position),
            "data_type": image["file_type"] or "image/jpeg",
            "width": image["width"],
            "height": image["height"],
        }
        for position, image in enumerate(images)
    }


def _data_unit(unit: Unit, data_hash: str, title: str, position: int) -> dict[str, Any]:
    kind, still = unit["data_type"], unit["data_type"] in _IMAGES
    known_type = unit["file_type"] if kind not in ("group", "scene") else None
    view: dict[str, Any] = {
        "data_hash": data_hash,
        "data_title": title,
        "data_link": None,
        "data_type": known_type or _USUAL_TYPES.get(kind, "video/mp4"),
        "data_sequence": str(position),
        "width": unit["width"],
        "height": unit["height"],
    }
    if not still:
        view |= {"data_fps": unit["fps"], "data_duration": unit["duration"]}
    view["labels"] = {"objects": [], "classifications": []} if still else {}
    if unit["data_type"] == "audio":
        view |= {name: unit[name] for name in _OF_AUDIO}
    if unit["data_type"] == "dicom":
        view |= {"metadata": dicom_labels.series(unit), "labels": dicom_labels.empty(unit)}
    return view


def _of_scene(unit: Unit) -> dict[str, Any]:
    """What only the row of a scene says about itself."""
    if unit["data_type"] != "scene":
        return {}
    return {"scene": {"isContinuous": row_spaces.is_recording(unit["settings"])}}


def completed(
    sent: dict[str, Any], unit: Unit, spaces: Spaces, ontology: Ontology, author: str, now: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What to keep of a label row that a client saves: its answers and data units, complete in both forms.

    :param unit: The data unit that the row belongs to.
    :param spaces: Its spaces, without labels.
    :param author: Email for everything that names no author.
    :param now: Stored time, for everything that names no time.
    :raises RefusalError: The labels do not fit the data.
    """
    units = _with_labels(sent, unit, spaces)
    answers: dict[str, Any] = {part: sent.get(part) or {} for part in PARTS}
    answers |= _of_scene(unit) | {
        key: value for key, value in sent.items() if key not in _SERVER_KNOWS and key not in PARTS
    }
    for part in PARTS:
        if not isinstance(answers[part], dict):
            raise RefusalError(Reason.CORRUPTED_LABEL, f"{part}: must be an object")
    answers["spaces"] = _labelled_spaces(answers["spaces"], spaces, unit)
    for labels in of_spaces(answers["spaces"]):
        for item in labels["objects"]:
            _sign(item, author, now)
    found: dict[str, tuple[dict[str, Any], list[int]]] = {}
    for frame, labels in frames(units, unit["data_type"]):
        for item in labels["objects"]:
            _sign(item, author, now)
        for item in labels["classifications"]:
            found.setdefault(item.get("classificationHash", ""), (item, []))[1].append(frame)
    for identifier, (item, where) in found.items():
        answer = answers["classification_answers"].setdefault(
            identifier, {"classificationHash": identifier, "classifications": []}
        )
        for key in _FROM_FRAME:
            if answer.get(key) is None and item.get(key) is not None:
                answer[key] = item[key]
        if not answer.get("range"):
            answer["range"] = _ranges(where)
    for answer in answers["object_answers"].values():
        if isinstance(answer, dict) and "range" in answer:  # of a sound or text, where no frame has the object
            _sign(answer, author, now)
    for answer in answers["classification_answers"].values():
        _sign(answer, author, now)
        answer.setdefault("confidence", 1.0)
        answer.setdefault("manualAnnotation", True)
    _spread(answers["classification_answers"], units, unit, ontology)
    return answers, units


class Ontology:
    """An ontology's structure, by feature."""

    def __init__(self, editor: dict[str, Any]) -> None:
        self.objects = {item.get("featureNodeHash"): item for item in editor.get("objects", [])}
        self.classifications = {item.get("featureNodeHash"): item for item in editor.get("classifications", [])}

    def title(self, feature: str) -> str | None:
        """What a classification is called: the name of its one attribute."""
        attributes = self.classifications.get(feature, {}).get("attributes") or [{}]
        name = attributes[0].get("name")
        return name if isinstance(name, str) else None


def check(answers: dict[str, Any], units: dict[str, Any], unit: Unit, ontology: Ontology) -> None:
    """What ``validate_before_saving`` asks for.

    :raises RefusalError: A feature is not in the ontology, or an object has no entry among the answers.
    """
    for labels in (*(labels for _, labels in frames(units, unit["data_type"])), *of_spaces(answers["spaces"])):
        for item in labels["objects"]:
            if item.get("featureHash") not in ontology.objects:
                raise RefusalError(
                    Reason.NO_SUCH_FEATURE, f"object feature {item.get('featureHash')!r} is not in the ontology"
                )
            if item.get("objectHash") not in answers["object_answers"]:
                raise RefusalError(
                    Reason.NO_ANSWER, f"object {item.get('objectHash')!r} has no entry in object_answers"
                )
    for identifier, answer in answers["classification_answers"].items():
        if answer.get("featureHash") not in ontology.classifications:
            feature = answer.get("featureHash")
            raise RefusalError(Reason.NO_SUCH_FEATURE, f"classification feature {feature!r} is not in the ontology")
        if not answer.get("classifications"):
            raise RefusalError(
                Reason.NO_ANSWER, f"classification {identifier!r} has no answer in classification_answers"
            )


def frames(units: dict[str, Any], data_type: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Frame number and labels of every frame that has some; an image is its place in the row.

    Labels on one image or point cloud of a scene are under its stream and its frame or time.
    """
    for unit in units.values():
        if data_type in _IMAGES:
            yield int(unit["data_sequence"]), unit["labels"]
        else:
            for key, labels in unit["labels"].items():
                yield int(_ON_STREAM.sub("", key)), labels


def of_spaces(spaces: Spaces) -> Iterator[dict[str, Any]]:
    """The labels of every frame of every space."""
    for space in spaces.values():
        labels = space["labels"]
        yield from [labels] if "objects" in labels else labels.values()


_ON_STREAM = re.compile(r"^.*[#@](?=\d+$)", re.DOTALL)


def _labelled_spaces(sent: Spaces, known: Spaces, unit: Unit) -> Spaces:
    """The spaces as the emulator knows them, with the labels that were sent."""
    found = {space: dict(content) for space, content in known.items()}
    for space, content in sent.items():
        if not isinstance(content, dict):
            raise RefusalError(Reason.CORRUPTED_LABEL, f"spaces: {space!r} must be an object")
        if space not in found and space == row_spaces.ROOT and unit["data_type"] == row_spaces.HAS_ROOT:
            found[space] = content
        if space not in found:
            raise RefusalError(Reason.CORRUPTED_LABEL, f"spaces: {space!r} is not a space of this label row")
        labels = content.get("labels") or found[space]["labels"]
        flat = "objects" in found[space]["labels"]
        found[space]["labels"] = _frame(labels) if flat else _by_frame(labels, str.isdigit)
    return found


def _with_labels(sent: dict[str, Any], unit: Unit, spaces: Spaces) -> dict[str, Any]:
    """The data units as the emulator knows them, with the labels and the unknown keys of those that were sent."""
    known = data_units(unit, spaces)
    given = sent.get("data_units")
    if not isinstance(given, dict):
        raise RefusalError(Reason.CORRUPTED_LABEL, "data_units: must be an object")
    for key, entry in given.items():
        if key not in known or not isinstance(entry, dict):
            raise RefusalError(Reason.CORRUPTED_LABEL, f"data_units: {key!r} is not a data unit of this label row")
        mine = known[key]
        mine |= {name: value for name, value in entry.items() if name not in mine}
        if entry.get("labels"):
            labels = _labels(entry["labels"], unit["data_type"])
            mine["labels"] = dicom_labels.with_metadata(labels, unit) if unit["data_type"] == "dicom" else labels
    return known


def _labels(labels: Any, data_type: str) -> dict[str, Any]:
    if not isinstance(labels, dict):
        raise RefusalError(Reason.CORRUPTED_LABEL, "labels: must be an object")
    if data_type in _IMAGES:
        return _frame(labels)
    return _by_frame(labels, _is_place_in_scene if data_type == "scene" else str.isdigit)


def _is_place_in_scene(key: str) -> bool:
    return _ON_STREAM.sub("", key).isdigit()


def _by_frame(labels: dict[str, Any], is_frame: Callable[[str], bool]) -> dict[str, Any]:
    if not all(map(is_frame, labels)):
        raise RefusalError(Reason.CORRUPTED_LABEL, "labels: the keys of a video must be frame numbers")
    return {number: _frame(frame) for number, frame in labels.items()}


def _frame(labels: Any) -> dict[str, Any]:
    if not isinstance(labels, dict):
        raise RefusalError(Reason.CORRUPTED_LABEL, "labels: a frame must be an object")
    whole = {"objects": [], "classifications": [], **labels}
    for name in ("objects", "classifications"):
        items = whole[name]
        if not isinstance(items, list) or any(not isinstance(item, dict) for item in items):
            raise RefusalError(Reason.CORRUPTED_LABEL, f"labels: {name} must be a list of objects")
    return whole


def _sign(item: dict[str, Any], author: str, now: str) -> None:
    """Fill in author and time where they are missing."""
    for key in ("createdBy", "lastEditedBy"):
        if item.get(key) is None:
            item[key] = author
    for key in ("createdAt", "lastEditedAt"):
        if item.get(key) is None:
            item[key] = times.label_row(now)


def _ranges(numbers: list[int]) -> list[list[int]]:
    """Frame numbers as pairs of first and last."""
    ranges: list[list[int]] = []
    for number in sorted(set(numbers)):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges


def _spread(answers: dict[str, Any], units: dict[str, Any], unit: Unit, ontology: Ontology) -> None:
    """Write every classification into the frames of its range, in place of what was there.

    Not in scenes: those SDKs cannot read them, and their ranges may be nanoseconds.
    """
    if unit["data_type"] == "scene":
        return
    by_frame: dict[int, dict[str, Any]] = dict(frames(units, unit["data_type"]))
    last = max([unit["frames"] - 1, *by_frame])
    for labels in by_frame.values():
        labels["classifications"] = []
    for identifier, answer in answers.items():
        entry = _frame_entry(identifier, answer, ontology)
        if entry is None:
            continue
        for first, final in answer["range"]:
            for number in range(first, min(final, last) + 1):
                frame = _frame_at(number, by_frame, units, unit["data_type"])
                if frame is not None:
                    frame["classifications"].append(entry)


def _frame_at(
    number: int, by_frame: dict[int, dict[str, Any]], units: dict[str, Any], data_type: str
) -> dict[str, Any] | None:
    if number not in by_frame and data_type not in _IMAGES:
        (place,) = units.values()
        place["labels"][str(number)] = by_frame[number] = {"objects": [], "classifications": []}
    return by_frame.get(number)


def _frame_entry(identifier: str, answer: dict[str, Any], ontology: Ontology) -> dict[str, Any] | None:
    """How a classification looks in a frame; ``None`` if its answer does not say which one it is, or where."""
    feature, ranges = answer.get("featureHash"), answer.get("range")
    if feature is None or not _is_ranges(ranges):
        return None
    first = (answer.get("classifications") or [{}])[0]
    name = ontology.title(feature) or first.get("name") or feature
    return {
        "name": name,
        "value": name.lower().replace(" ", "_"),
        "createdAt": answer["createdAt"],
        "createdBy": answer["createdBy"],
        "confidence": answer["confidence"],
        "featureHash": feature,
        "classificationHash": identifier,
        "manualAnnotation": answer["manualAnnotation"],
        "lastEditedAt": answer["lastEditedAt"],
        "lastEditedBy": answer["lastEditedBy"],
    }


def _is_ranges(ranges: Any) -> bool:
    return isinstance(ranges, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(type(number) is int and number >= 0 for number in pair)
        for pair in ranges
    )


def only_features(
    answers: dict[str, Any], units: dict[str, Any], data_type: str, objects: list[str] | None, classes: list[str] | None
) -> None:
    """Leave only the features asked for, in place; ``None`` is not a filter, an empty list leaves nothing."""
    kept: set[str] = set()
    for labels in (*(labels for _, labels in frames(units, data_type)), *of_spaces(answers["spaces"])):
        if objects is not None:
            labels["objects"] = [item for item in labels["objects"] if item.get("featureHash") in objects]
        if classes is not None:
            entries = labels["classifications"]
            labels["classifications"] = [item for item in entries if item.get("featureHash") in classes]
        kept |= {item.get("objectHash", "") for item in labels["objects"]}
    if objects is not None:
        for part in ("object_answers", "object_actions"):
            answers[part] = {
                key: value for key, value in answers[part].items() if key in kept or value.get("featureHash") in objects
            }
    if classes is not None:
        stored = answers["classification_answers"]
        answers["classification_answers"] = {
            key: value for key, value in stored.items() if value.get("featureHash") in classes
        }
