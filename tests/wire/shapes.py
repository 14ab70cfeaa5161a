"""Whether one JSON answer has the shape of another: every key, with a value of a compatible kind.

Values are made up in the recordings, so they are not compared, but what a text *is* counts: a UUID, a time, and for
times the one form that an SDK can parse. Lists are compared by their first members.
"""

import datetime
import email.utils
import re
import uuid
from collections.abc import Iterator
from typing import Any

KEYED_BY_HASH = {
    "data_units",
    "object_answers",
    "classification_answers",
    "classificationAnswers",
    "object_actions",
    "spaces",
}
"""Objects whose keys are ids: their values are compared, not their keys."""

OPEN = {"editor", "editor_ontology", "editorOntology", "client_metadata", "uploadHeaders"}
"""Objects whose content belongs to users, or to the object store."""

MAY_BE_NULL = {
    "priority",
    "client_metadata",
    "source_projects",
    "sourceProjects",
    "data_link",
    "annotation_task_status",
    "backing_folder_uuid",
}
"""Keys that the protocol marks `|null` and that a fresh project has no value for."""

ALSO_GOOD = {
    "another time": {"a time as YYYY-MM-DD HH:MM:SS"},
    "a text": {"a UUID", "another time", "a time as YYYY-MM-DD HH:MM:SS"},
}
"""Kinds of text that may stand where a recording happens to have another kind."""

_V1_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def differences(recorded: Any, answered: Any, where: str = "$", *, exact: bool = False) -> Iterator[str]:
    """What is wrong with an answer, one line each.

    :param recorded: An answer that the SDK took.
    :param answered: The answer under test.
    :param exact: Whether keys beyond the recorded ones are wrong, too (at every level).
    """
    key = where.rsplit(".", 1)[-1]
    if recorded is None or (answered is None and key in MAY_BE_NULL):
        return
    if key == "scopes":  # a list, or a text that holds one: both are in use
        recorded, answered = _listed(recorded), _listed(answered)
    if key == "data_sequence":  # a number, or a text that holds one: both are in use
        recorded, answered = int(recorded), int(answered)
    wanted, found = _kind(recorded), _kind(answered)
    if found != wanted and found not in ALSO_GOOD.get(wanted, ()):
        yield f"{where}: {found} ({answered!r:.80}) instead of {wanted} ({recorded!r:.80})"
    elif isinstance(recorded, dict):
        yield from _object_differences(recorded, answered, where, key, exact=exact)
    elif isinstance(recorded, list) and recorded:
        if not answered:
            yield f"{where}: an empty list, where at least one member was expected"
        else:
            yield from differences(recorded[0], answered[0], f"{where}[0]", exact=exact)


def _object_differences(
    recorded: dict[str, Any], answered: dict[str, Any], where: str, key: str, *, exact: bool
) -> Iterator[str]:
    if key in OPEN:
        return
    if key in KEYED_BY_HASH:
        if recorded and answered:
            first, second = next(iter(recorded.values())), next(iter(answered.values()))
            yield from differences(first, second, f"{where}.*", exact=exact)
        return
    for name, value in recorded.items():
        if name not in answered:
            yield f"{where}.{name}: missing"
        else:
            yield from differences(value, answered[name], f"{where}.{name}", exact=exact)
    if exact:
        yield from (f"{where}.{name}: a key that the SDK would choke on" for name in answered.keys() - recorded.keys())


def _listed(value: Any) -> Any:
    return value if not isinstance(value, str) else re.findall(r'"([^"]*)"', value)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return _kind_of_text(value)
    return {dict: "an object", list: "a list", type(None): "null"}[type(value)]


def _kind_of_text(value: str) -> str:
    if _V1_TIME.fullmatch(value):
        return "a time as YYYY-MM-DD HH:MM:SS"
    try:
        uuid.UUID(value)
    except ValueError:
        return "another time" if _is_time(value) else "a text"
    return "a UUID"


def _is_time(value: str) -> bool:
    try:
        datetime.datetime.fromisoformat(value)
    except ValueError:
        try:
            email.utils.parsedate_to_datetime(value)
        except ValueError:
            return False
    return True
