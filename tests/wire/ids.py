"""Real ids in the place of recorded ones."""

from __future__ import annotations

from typing import Any


def replaced(value: Any, ids: dict[Any, Any]) -> Any:
    """A recorded document with the real ids."""
    if isinstance(value, dict):
        return {ids.get(key, key): replaced(one, ids) for key, one in value.items()}
    if isinstance(value, list):
        return [replaced(one, ids) for one in value]
    return ids.get(value, value) if type(value) in (str, int) else value  # numbers name some jobs
