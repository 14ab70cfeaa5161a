"""The names of an export's files. Each name contains the id of the plan that the file belongs to."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection

from airflow_provider_encord.storage_paths import UNFINISHED_PATTERN

PLAN = "plan.json"
MANIFEST = "manifest.json"

_UNFINISHED = re.compile(rf"(?P<name>.*?){UNFINISHED_PATTERN}")
_FILE = re.compile(r"[a-z_]+-(?P<plan>[0-9a-f]{8})(-[0-9a-f]+)*(\.[a-z0-9]+)+")


def file_name(stem: str, plan: str, *parts: str, suffix: str) -> str:
    """The name of a file of a plan.

    :param stem: The contents of the file, such as ``labels``.
    :param plan: Id of the plan.
    :param parts: Hexadecimal or decimal digits that distinguish files of one plan.
    """
    return "-".join([stem, short(plan), *parts]) + f".{suffix}"


def plan_file(plan: str) -> str:
    """The name of the file that first announces and then contains a plan."""
    return file_name("plan", plan, suffix="json")


def short(plan: str) -> str:
    """The part of a plan's id that the names of its files contain."""
    return plan[:8]


def new_try() -> str:
    """A random part of a name, for files that several attempts may write."""
    return secrets.token_hex(4)


def plan_of(name: str) -> str | None:
    """The part of a plan's id in the name of a file; None if it is not the name of an export's file."""
    matched = _FILE.fullmatch(name)
    return matched["plan"] if matched else None


def is_plan_file(name: str) -> bool:
    """Whether a file can be the file of a plan; see `plan_file`."""
    plan = plan_of(name)
    return plan is not None and name == plan_file(plan)


def is_finished(name: str) -> bool:
    """Whether a file is complete: not a file that a killed process did not finish."""
    return _UNFINISHED.fullmatch(name) is None


def is_of(name: str, ids: Collection[str]) -> bool:
    """Whether a file belongs to one of these plans, or is an unfinished file of a killed process.

    Unfinished `PLAN` and `MANIFEST` files also count, although their names contain no id.

    :param ids: Ids as `short` returns them.
    """
    unfinished = _UNFINISHED.fullmatch(name)
    if unfinished:
        name = unfinished["name"]
        if name in (PLAN, MANIFEST):
            return True
    return plan_of(name) in ids


def is_announcement(name: str) -> bool:
    """Whether a file announces a plan, complete or not; see `plan_file`."""
    unfinished = _UNFINISHED.fullmatch(name)
    return unfinished is not None and is_plan_file(unfinished["name"])
