"""Merging the labels of an import into those of a row, frame by frame.

Only labels that are known to be from an import and unedited are changed. Any other label may have been edited by a
person. It is kept, and reported if its content differs.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from airflow_provider_encord.prelabels.frame_ranges import covers, overlap, subtract, union
from airflow_provider_encord.prelabels.labels import Document, Labels, answers_of, drawing_of, of_other_frames


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """The merged labels.

    :param new: Hashes of the labels that did not exist before.
    :param kept: Hashes of imported labels that exist with another content, which is kept.
    """

    labels: Labels
    new: set[str]
    kept: set[str]


class _Track(msgspec.Struct):
    """An object on all its frames."""

    frames: dict[int, dict[str, Any]] = {}
    answer: dict[str, Any] = {}
    actions: list[dict[str, Any]] = []

    @property
    def feature(self) -> Any:
        return next((frame.get("featureHash") for frame in self.frames.values()), None)


def merge(there: Labels, added: Labels, ours: Collection[str]) -> Merged:
    """Merge labels into those of a row.

    :param ours: Hashes of the labels of the row that an import saved and no one has edited since.
    """
    labels = Labels(
        object_answers={**there.object_answers},
        object_actions={**there.object_actions},
        classification_answers={**there.classification_answers},
    )
    kept: set[str] = set()
    known, tracks = _tracks(there), _tracks(added)
    frames = {frame: {shape["objectHash"]: shape for shape in drawn} for frame, drawn in there.objects.items()}
    for hash_, track in tracks.items():
        old = known.get(hash_)
        joined = track if old is None else _joined(old, track) if hash_ in ours else _extended(old, track)
        if joined is None:
            kept.add(hash_)
        elif joined is not old:
            for frame in (old.frames.keys() if old else set()) - joined.frames.keys():
                del frames[frame][hash_]
            for frame, drawing in joined.frames.items():
                frames.setdefault(frame, {})[hash_] = drawing
            _put_answers(labels, hash_, joined)
    labels.objects = {frame: list(drawn.values()) for frame, drawn in frames.items() if drawn}
    for hash_, answer in added.classification_answers.items():
        if not _classify(labels.classification_answers, hash_, answer, ours):
            kept.add(hash_)
    return Merged(labels=labels, new=hashes_of(labels) - hashes_of(there), kept=kept)


def hashes_of(labels: Labels) -> set[str]:
    """The hashes of all objects and classifications."""
    return {*_tracks(labels), *labels.classification_answers}


def _tracks(labels: Labels) -> dict[str, _Track]:
    tracks: dict[str, _Track] = {}
    for frame, drawn in labels.objects.items():
        for shape in drawn:
            tracks.setdefault(shape["objectHash"], _Track()).frames[frame] = shape
    for hash_, answer in labels.object_answers.items():
        tracks.setdefault(hash_, _Track()).answer = answer
    for hash_, actions in labels.object_actions.items():
        if actions.get("actions"):
            tracks.setdefault(hash_, _Track()).actions = actions["actions"]
    return tracks


def _joined(old: _Track, new: _Track) -> _Track:
    """Merge an unedited object of an import: for each frame, answer and action, the new value, else the old one."""
    if old.frames and new.frames and old.feature != new.feature:
        return new
    answered = {answer.get("featureHash") for answer in new.answer.get("classifications") or ()}
    answers = [
        answer for answer in old.answer.get("classifications") or () if answer.get("featureHash") not in answered
    ]
    return _Track(
        {**old.frames, **new.frames},
        {**old.answer, **new.answer, "classifications": answers + list(new.answer.get("classifications") or ())},
        _joined_actions(old.actions, new.actions),
    )


def _joined_actions(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept = []
    for earlier in old:
        replaced = [other for other in new if other.get("featureHash") == earlier.get("featureHash")]
        rest = earlier.get("range")
        for other in replaced:
            if overlap(rest, other.get("range")):
                rest = subtract(rest, other.get("range"))
                if not rest:
                    break
        else:
            kept.append({**earlier, "range": rest} if replaced else earlier)
    return kept + [answer for answer in new if answer not in kept]


def _extended(old: _Track, new: _Track) -> _Track | None:
    """Add new frames to any other object; None if its content differs."""
    answers = answers_of(old.answer)
    same = all(answer in answers for answer in answers_of(new.answer)) and all(
        action in old.actions for action in new.actions
    )
    if not same or (old.frames and new.frames and old.feature != new.feature):
        return None
    if not old.frames.keys() & new.frames.keys():
        return _Track({**old.frames, **new.frames}, old.answer, old.actions)
    unchanged = all(
        frame in old.frames and drawing_of(old.frames[frame]) == drawing_of(drawing)
        for frame, drawing in new.frames.items()
    )
    return old if unchanged else None


def _put_answers(labels: Labels, hash_: str, track: _Track) -> None:
    if track.answer:
        labels.object_answers[hash_] = track.answer
    if track.actions:
        actions = labels.object_actions.get(hash_) or {"objectHash": hash_}
        labels.object_actions[hash_] = {**actions, "actions": track.actions}


def _classify(there: dict[str, dict[str, Any]], hash_: str, new: dict[str, Any], ours: Collection[str]) -> bool:
    """Add a classification, frame by frame. False if an existing one that must be kept differs there."""
    ranges, old = new.get("range"), there.get(hash_)
    if old is not None and _says_more(old, new):
        hash_ = of_other_frames(hash_, new)
        new, old = {**new, "classificationHash": hash_}, there.get(hash_)
    rivals = {
        key: entry
        for key, entry in there.items()
        if entry.get("featureHash") == new.get("featureHash") and overlap(entry.get("range"), ranges)
    }
    foreign = [entry for key, entry in rivals.items() if key not in ours]
    if foreign:
        return any(_same_answer(entry, new) and covers(entry.get("range"), ranges) for entry in foreign)
    same = old is not None and _same_answer(old, new)
    if old is not None and hash_ not in ours and not same:
        return False
    for key, entry in rivals.items():
        if key != hash_:
            _leave(there, key, {**entry, "range": subtract(entry.get("range"), ranges)})
    if old is not None and same:
        whole = old.get("range") if covers(old.get("range"), ranges) else union(old.get("range"), ranges)
        new = {**old, **(new if hash_ in ours else {}), "range": whole}
    there[hash_] = new
    return True


def _says_more(old: Document, new: Document) -> bool:
    """Whether a classification has another answer and keeps it on some frames."""
    ranges = old.get("range"), new.get("range")
    return not _same_answer(old, new) and (not overlap(*ranges) or bool(subtract(*ranges)))


def _leave(there: dict[str, dict[str, Any]], hash_: str, rest: dict[str, Any]) -> None:
    """Keep the remaining frames of a classification, if there are any."""
    if rest["range"]:
        there[hash_] = rest
    else:
        there.pop(hash_, None)


def _same_answer(one: Document, other: Document) -> bool:
    return bool(one.get("featureHash") == other.get("featureHash") and answers_of(one) == answers_of(other))
