"""Reading a long list from a response while it arrives, so that the whole response is never in memory.

A listing of label rows has no pages: all rows come in one envelope, ``{"status": 200, "response": [{...}, {...}]}``.
The items are decoded as soon as some hundred kilobytes of them have arrived. What remains is the envelope with an empty
list. A response of any other shape is not changed.

How a piece is cut: if a piece begins with an item and is a valid JSON list when put in square brackets, then it ends
with an item. So it is cut at the last place that looks like the beginning of an item, and the last piece at the last
bracket. If that place turns out to be inside an item, the whole piece is scanned, which takes far longer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from airflow_provider_encord.client.malformed import NOT_JSON

T = TypeVar("T")

_WINDOW = 512 * 1024  # bytes to decode at once
_LONGEST_HEAD = 4096  # bytes before the list; a longer head means another shape
_HEAD = re.compile(rb'\s*\{\s*(?:"status"\s*:\s*200\s*,\s*)?"response"\s*:\s*\[')
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*(?P<closed>")?|[\[\]{},]', re.DOTALL)
_INDEX = re.compile(r"\$\[(\d+)\]")


class ItemStream(Generic[T]):
    """Reads the items of one response.

    :param decode: Decodes a JSON list into items.
    """

    def __init__(self, decode: Callable[[bytes], list[T]]):
        self._decode = decode
        self._buffer = bytearray()
        self._head: bytes | None = None
        """The bytes before the items; None until the list has begun."""
        self._whole = False
        """Whether to pass the rest on unchanged: it has another shape, or it comes after the list."""
        self._window = _WINDOW
        self.items: list[T] = []
        self.error: Exception | None = None
        """Why an item cannot be read; no further items are read then."""

    def add(self, piece: bytes) -> None:
        """Add a piece of the response."""
        if self.error is not None:
            return
        self._buffer += piece
        if self._head is None and not self._whole:
            self._begin()
        if self._head is not None and not self._whole and len(self._buffer) >= self._window:
            self._take()

    def end(self) -> bytes:
        """Return the rest of the response, without the items."""
        if self._head is not None and not self._whole and self.error is None:
            self._take_last()
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest if self._head is None else self._head + rest

    def _begin(self) -> None:
        found = _HEAD.match(self._buffer)
        if found:
            self._head = found[0]
            del self._buffer[: found.end()]
        elif len(self._buffer) > _LONGEST_HEAD:
            self._whole = True

    def _take(self) -> None:
        """Read the items that have arrived completely."""
        cut, begin = self._likely_cut()
        if cut and self._took(cut, sure=False):
            del self._buffer[:begin]
        if self.error is None and len(self._buffer) >= self._window:
            self._take_by_looking()

    def _likely_cut(self) -> tuple[int, int]:
        """A likely place where an item ends and the next begins, found by how the first item begins; 0 if not found."""
        first_key = bytes(self._buffer[: self._buffer.find(b":") + 1]).lstrip()
        begin = self._buffer.rfind(first_key) if len(first_key) > 1 else 0
        cut = self._buffer.rfind(b"}", 0, max(begin, 0)) + 1
        return (cut, begin) if self._buffer[cut:begin].strip() == b"," else (0, 0)

    def _take_by_looking(self) -> None:
        boundary, end = _boundaries(self._buffer)
        if end is not None:
            self._take_to(end)
        elif boundary is None:
            self._window = 2 * len(self._buffer)  # one large item
        elif self._took(boundary, sure=True):
            del self._buffer[: boundary + 1]

    def _take_last(self) -> None:
        likely = self._buffer.rfind(b"]")
        if likely >= 0 and self._took(likely, sure=False):
            del self._buffer[:likely]
            self._whole = True
        elif self.error is None:
            self._take_last_by_looking()

    def _take_last_by_looking(self) -> None:
        _, end = _boundaries(self._buffer)
        if end is not None:  # otherwise the response was cut off, and decoding it fails as invalid JSON
            self._take_to(end)

    def _take_to(self, end: int) -> None:
        """Read the last items, and keep the bytes after the list."""
        if self._took(end, sure=True):
            del self._buffer[:end]
            self._whole = True

    def _took(self, cut: int, *, sure: bool) -> bool:
        """Decode the items before a place.

        :param sure: Whether an item certainly ends there. If so, a failure means that an item is invalid.
        """
        try:
            items = self._decode(b"[" + self._buffer[:cut] + b"]")
        except msgspec.ValidationError as error:
            self.error = msgspec.ValidationError(_INDEX.sub(self._place, str(error), count=1))
        except NOT_JSON as error:
            self.error = error if sure else None
        else:
            self.items += items
            self._window = _WINDOW
            return True
        if self.error is not None:
            self._buffer.clear()
        return False

    def _place(self, index: re.Match[str]) -> str:
        return f"$[{len(self.items) + int(index[1])}]"


def _boundaries(text: bytearray) -> tuple[int | None, int | None]:
    """The position of the comma after the last complete item, and of the bracket that ends the list."""
    depth, comma = 0, None
    for token in _TOKEN.finditer(text):
        match token[0]:
            case b"[" | b"{":
                depth += 1
            case b"]" | b"}":
                depth -= 1
                if depth < 0:
                    return comma, token.start()
            case b"," if depth == 0:
                comma = token.start()
            case text_token if text_token.startswith(b'"') and not token["closed"]:
                break  # the rest of the text is still to come
    return comma, None
