"""What recordings of folders and items need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PREPARATIONS: dict[str, Callable[[Any], None]] = {}
