"""Reading a large JSON document item by item: the items of the lists at its top.

Memory is limited by the largest item. Keys that are given twice in an object are errors, as in `strict_json`.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, NoReturn

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError

_LONGEST = 2**28
"""The longest item in characters. In a longer one, JSON is probably not closed."""
_SPACE = " \t\r\n"
_AFTER = tuple(_SPACE + ",]}:")
_BYTE_ORDER_MARK = "\ufeff"


class Member(msgspec.Struct, frozen=True):
    """A part of the document.

    :param key: Its key at the top; empty for a document that is a list.
    :param value: The item of a list, or a value that is not a list.
    :param number: Number of the item, from 0; None for a value that is not a list.
    """

    key: str
    value: Any
    number: int | None


def members(blocks: Iterator[bytes], where: str) -> Iterator[Member]:
    """The items of the lists of a document, in their order, and its other values.

    :param where: The beginning of messages.
    :raises InvalidArgumentError: It is not JSON, or neither an object nor a list.
    """
    text = _Text(blocks, where)
    first = text.peek()
    if first == "[":
        yield from _items("", text)
    elif first == "{":
        yield from _object(text)
    else:
        text.refuse("it is neither a JSON object nor a list")
    if text.peek():
        text.refuse("it has more after its end")


def _object(text: _Text) -> Iterator[Member]:
    seen: set[str] = set()
    text.take("{")
    while text.peek() != "}":
        if seen:
            text.take(",")
        key = text.value()
        if not isinstance(key, str):
            text.refuse("a key is not text")
        if key in seen:
            text.refuse(f"the key {key[:80]!r} is given twice. Keep one of the two")
        seen.add(key)
        text.take(":")
        if text.peek() == "[":
            yield from _items(key, text)
        else:
            yield Member(key, text.value(), None)
    text.take("}")


def _items(key: str, text: _Text) -> Iterator[Member]:
    text.take("[")
    number = 0
    while text.peek() != "]":
        if number:
            text.take(",")
        yield Member(key, text.value(), number)
        number += 1
    text.take("]")


class _Text:
    """The text of a document that is read in blocks."""

    def __init__(self, blocks: Iterator[bytes], where: str):
        self._blocks, self._where = blocks, where
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._json = json.JSONDecoder(object_pairs_hook=self._unique, parse_constant=self._constant)
        self._buffer, self._position, self._ended = "", 0, False
        if self._more() and self._buffer.startswith(_BYTE_ORDER_MARK):
            self._position = 1

    def peek(self) -> str:
        """The next character that is not white space; empty at the end."""
        while True:
            while self._position < len(self._buffer):
                character = self._buffer[self._position]
                if character not in _SPACE:
                    return character
                self._position += 1
            if not self._more():
                return ""

    def take(self, wanted: str) -> None:
        """Skip a character that must be there."""
        found = self.peek()
        if found != wanted:
            self.refuse(f"it has {found!r} where {wanted!r} is expected" if found else "it is cut off")
        self._position += 1

    def value(self) -> Any:
        """The next value."""
        self.peek()
        while True:
            try:
                value, end = self._json.raw_decode(self._buffer, self._position)
            except json.JSONDecodeError as error:
                if len(self._buffer) - self._position > _LONGEST or not self._more():
                    self.refuse(f"it is not JSON: {error.msg}")
            except RecursionError:
                self.refuse("it is nested too deeply")
            except InvalidArgumentError:
                raise
            except ValueError:  # of Python, for a number of thousands of digits
                self.refuse("it has a number that is too long")
            else:
                # A number may continue in the next block: 1, 1., 1.5e and 1.5e3 are all to be read as 1.5e3.
                if self._buffer[end : end + 1] in _AFTER or not self._more():
                    self._position = end
                    self._require_storable(value)
                    return value

    def _require_storable(self, value: Any) -> None:
        """Refuse what Python reads and other decoders of JSON do not."""
        try:
            msgspec.json.encode(value)
        except OverflowError:  # of older msgspec
            self.refuse("it has a whole number of more than 64 bits")
        except UnicodeEncodeError:
            self.refuse("it has half of a surrogate pair, which is no character")

    def refuse(self, reason: str) -> NoReturn:
        """Raise an error about the document."""
        raise InvalidArgumentError(f"{self._where}: {reason}.")

    def _more(self) -> bool:
        """Read on: as much as is waiting, so that a large item is not decoded too often."""
        wanted = len(self._buffer) - self._position
        parts = [self._buffer[self._position :]]
        added = 0
        while not self._ended and added <= wanted:
            block = next(self._blocks, b"")
            self._ended = not block
            try:
                part = self._decoder.decode(block, final=self._ended)
            except UnicodeDecodeError:
                self.refuse("it is not UTF-8")
            parts.append(part)
            added += len(part)
        self._buffer, self._position = "".join(parts), 0
        return added > 0

    def _unique(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            self.refuse(f"the key {twice[:80]!r} is given twice in one object. Keep one of the two")
        return made

    def _constant(self, name: str) -> NoReturn:
        self.refuse(f"it is not JSON: {name} is not a number")
