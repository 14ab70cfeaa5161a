"""What the JSON decoder raises at bytes from outside.

``msgspec`` does not check that text is UTF-8 before it makes a text of it, and counts levels as Python does. So bytes
that are not UTF-8, and deep nesting, raise errors that are not of its own.
"""

from __future__ import annotations

import msgspec

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The errors of a decoder; use it wherever JSON is decoded that this process has not written itself."""
