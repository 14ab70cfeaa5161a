"""What recordings of logs and analytics need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PREPARATIONS: dict[str, Callable[[Any], None]] = {}
