"""Which operations the SDKs were seen to use, by test module: `covered.json`, which the page of operations shows.

``NOTE_SDK_COVERAGE=1 python -m pytest tests/sdk`` writes it from the emulators' journals.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("covered.json")
WANTED = bool(os.environ.get("NOTE_SDK_COVERAGE"))

_PREFIX = "/v2/public/"


def covered() -> dict[str, list[str]]:
    """Test modules by the name of the emulator's row."""
    read: dict[str, list[str]] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return read


def note(module: str, entries: Iterable[Mapping[str, Any]]) -> None:
    """Add what a module's emulator was asked with success."""
    found = {name for entry in entries if entry["status"] < 300 for name in _rows(entry)}
    known = covered()
    for name in found:
        known[name] = sorted({*known.get(name, []), module})
    FILE.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")


def _rows(entry: Mapping[str, Any]) -> Iterable[str]:
    """Names of the rows that a request may have met."""
    from encord_emulator.routes import V1_OPERATIONS, V2_OPERATIONS

    if entry["query_type"]:
        at_user_scope = entry["path"].endswith("/user")
        rows = V1_OPERATIONS.get((entry["query_type"], entry["query_method"]), [])
        fitting = [row for row in rows if ("user" in row.scopes) == at_user_scope] or rows
        return [row.name for row in fitting]
    path = entry["path"].removeprefix(_PREFIX)
    return [row.name for pattern, row in V2_OPERATIONS if row.method == entry["method"] and pattern.fullmatch(path)][:1]
