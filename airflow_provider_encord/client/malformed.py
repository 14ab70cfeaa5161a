"""The errors that the JSON decoder raises for input from outside.

``msgspec`` raises other errors than its own for bytes that are not UTF-8 (`UnicodeError`) and for deep nesting
(`RecursionError`).
"""

from __future__ import annotations

import msgspec

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Catch these errors wherever JSON is decoded that this process has not written itself."""
