"""What a save does to the labels of a row, noted for the logs: what was added, changed, removed; and the save itself.

Only what a client saves is noted, thing by thing; what the control ``annotate`` makes is noted as a save of each row.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

from ..state.store import Store
from . import content as label_content

_NOTE = """
INSERT INTO label_actions
SELECT NULL, project, stage, uuid, data_hash, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM tasks
WHERE project = ? AND data_hash = ?
"""


@dataclasses.dataclass(frozen=True)
class Place:
    """Whose labels: a data unit in a project, on a branch."""

    project: str
    data_hash: str
    branch: str


Things = dict[str, dict[str, Any]]


def things(answers: dict[str, Any], units: dict[str, Any], data_type: str) -> Things:
    """The objects and classifications of a row, by hash: what they are and on which frames."""
    found: Things = {}
    for frame, labels in label_content.frames(units, data_type):
        for item in labels["objects"]:
            thing = found.setdefault(
                item.get("objectHash", ""),
                {"category": "object", "feature": item.get("featureHash"), "name": item.get("name")}
                | {"shape": item.get("shape"), "frames": [], "content": []},
            )
            thing["frames"].append(frame)
            thing["content"].append(item)
    for identifier, answer in answers.get("classification_answers", {}).items():
        first = (answer.get("classifications") or [{}])[0]
        found[identifier] = {
            "category": "classification",
            "feature": answer.get("featureHash"),
            "name": first.get("name"),
            "shape": None,
            "frames": [number for pair in answer.get("range") or [] for number in pair],
            "content": answer.get("classifications"),
        }
    return found


def note_save(store: Store, place: Place, actor: str, now: str, before: Things, after: Things) -> None:
    """Note what a save changed, and the save."""
    changes = [("editor", "save", None, {}), *_changes(before, after)]
    store.many(
        _NOTE,
        (
            (
                *(place.branch, category, action, actor, now, identifier),
                *(thing.get("feature"), thing.get("name"), thing.get("shape"), _ranges(thing)),
                *(place.project, place.data_hash),
            )
            for category, action, identifier, thing in changes
        ),
    )


def _changes(before: Things, after: Things) -> Iterator[tuple[str, str, str | None, dict[str, Any]]]:
    for identifier, thing in after.items():
        known = before.get(identifier)
        if known is None:
            yield thing["category"], f"add_{thing['category']}", identifier, thing
        elif known != thing:
            yield thing["category"], f"edit_{thing['category']}", identifier, thing
    for identifier in before.keys() - after.keys():
        thing = before[identifier]
        yield thing["category"], f"delete_{thing['category']}", identifier, thing


def _ranges(thing: dict[str, Any]) -> str | None:
    frames = thing.get("frames")
    return json.dumps([[min(frames), max(frames)]]) if frames else None
