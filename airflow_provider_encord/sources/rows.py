"""Reading the rows of a file that a user wrote: JSON Lines, CSV or JSON.

Each row contains its position, for messages, and where it ends, so that reading can continue there without reading the
earlier rows again. Content that cannot be read is always an error that names file and line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client import strict_json
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.storage_paths import storage_errors

JSON_LINES = ("jsonl", "ndjson")
CSV = "csv"
JSON = "json"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLOCK = 2**16  # bytes to read at once
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The place where reading continues.

    :param offset: Offset in bytes; for JSON and listings, number of entries.
    :param line: Number of the last line that was read.
    """

    offset: int = 0
    line: int = 0


START = Place()


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row.

    :param where: Position of the row, such as ``line 3``.
    :param fields: Value of the row; for CSV, a dictionary of texts.
    :param end: Place where the next row begins.
    """

    where: str
    fields: Any
    end: Place


def format_of(name: str) -> str:
    """The suffix of a file's name, in lower case, without the dot."""
    return name.lower().rpartition(".")[2]


def decode_json(content: bytes | str, where: str) -> Any:
    """Decode JSON.

    :param where: The beginning of messages.
    :raises InvalidArgumentError: It is not JSON according to RFC 8259 (which excludes ``NaN``), not UTF-8, nested too
        deeply, or an object has the same key twice.
    """
    try:
        return strict_json.loads(content)
    except strict_json.RepeatedKeyError as error:
        reason = f"{error}. Keep one of the two"
    except UnicodeError:
        reason = "it is not UTF-8"
    except RecursionError:
        reason = "it is nested too deeply"
    except msgspec.DecodeError as error:
        reason = f"it is not JSON: {error}"
    raise InvalidArgumentError(f"{where}: {reason}.") from None


def json_lines(path: Any, argument: str, start: Place = START) -> Iterator[Row]:
    """The rows of a JSON Lines file. Blank lines are skipped."""
    for line, end in _lines(path, argument, start):
        content = line.removeprefix(_BYTE_ORDER_MARK) if end.line == 1 else line
        if content.strip():
            yield Row(f"line {end.line}", decode_json(content, f"{argument}: {path}, line {end.line}"), end)


def csv_rows(path: Any, argument: str, start: Place = START) -> Iterator[Row]:
    """The rows of a CSV file with a header, separated by commas, in UTF-8.

    Empty cells are left out of the row's fields.

    :raises InvalidArgumentError: The file is not such a CSV file, or a row has another number of fields than the
        header.
    """
    header, first = _header(path, argument)
    texts = _Texts(_lines(path, argument, max(start, first, key=lambda place: place.offset)), f"{argument}: {path}")
    for values in _parsed(texts, f"{argument}: {path}"):
        where = f"line {texts.end.line}"
        if not values or (len(values) == 1 and not values[0].strip()):
            continue
        if len(values) != len(header):
            fix = (
                "Put double quotes around values that contain a comma."
                if len(values) > len(header)
                else "Write a comma for each empty cell, too. Or the file may have been cut off."
            )
            raise InvalidArgumentError(
                f"{argument}: {path}, {where}: it has {len(values)} fields, but the header has {len(header)}. {fix}"
            )
        yield Row(where, {name: value for name, value in zip(header, values, strict=True) if value}, texts.end)


def csv_columns(path: Any, argument: str) -> list[str]:
    """The names of the columns of a CSV file.

    :raises InvalidArgumentError: The file has no header, or a name in the header is empty or there twice.
    """
    return _header(path, argument)[0]


def json_whole(path: Any, argument: str) -> Any:
    """The value of a JSON file.

    :raises InvalidArgumentError: It cannot be read.
    """
    with storage_errors(argument, path):
        content = bytes(path.read_bytes())
    return decode_json(content.removeprefix(_BYTE_ORDER_MARK), f"{argument}: {path}")


def require_object(value: Any, where: str) -> Mapping[str, Any]:
    """The value, if it is a JSON object.

    :raises InvalidArgumentError: It is not.
    """
    if not isinstance(value, Mapping):
        raise InvalidArgumentError(f"{where}: it must be a JSON object, but it is {_kind_of_json(value)}.")
    return value


def _header(path: Any, argument: str) -> tuple[list[str], Place]:
    texts = _Texts(_lines(path, argument, START), f"{argument}: {path}")
    header = [name.strip() for name in next(_parsed(texts, f"{argument}: {path}"), [])]
    if not header:
        raise InvalidArgumentError(f"{argument}: {path}: it has no header. The first line must name the columns.")
    if len(header) == 1 and (
        other := next((separator for separator in _OTHER_SEPARATORS if separator in header[0]), None)
    ):
        raise InvalidArgumentError(
            f"{argument}: {path}: its columns are separated by {_OTHER_SEPARATORS[other]}. Use commas instead."
        )
    if "" in header:
        raise InvalidArgumentError(
            f"{argument}: {path}: column {header.index('') + 1} has no name. Add a name, or remove the column."
        )
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise InvalidArgumentError(f"{argument}: {path}: two columns are named {twice[:80]!r}. Rename or remove one.")
    return header, texts.end


class _Texts:
    """Decodes lines for the CSV reader, which takes as many lines as a row has. `end` is the end of the last line."""

    def __init__(self, lines: Iterator[tuple[bytes, Place]], where: str):
        self._lines, self._where, self.end = lines, where, START

    def __iter__(self) -> _Texts:
        return self

    def __next__(self) -> str:
        line, self.end = next(self._lines)
        if self.end.line == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        try:
            text = line.decode()
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:  # typical for UTF-16
            raise InvalidArgumentError(
                f"{self._where}, line {self.end.line}: it is not UTF-8. Save the file as CSV in UTF-8."
            )
        return text


def _parsed(texts: _Texts, where: str) -> Iterator[list[str]]:
    reader = csv.reader(texts, strict=True)
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InvalidArgumentError(
                f"{where}, line {texts.end.line}: it is not CSV: {error}. Use JSON Lines for long values."
            ) from None
        yield values


def _lines(path: Any, argument: str, start: Place) -> Iterator[tuple[bytes, Place]]:
    """The lines with their newlines, each with its end."""
    with storage_errors(argument, path):
        file = path.open("rb")
    try:
        with storage_errors(argument, path):
            if start.offset:
                file.seek(start.offset)
        offset, number = start.offset, start.line
        for line in _split(file, argument, path):
            offset, number = offset + len(line), number + 1
            yield line, Place(offset=offset, line=number)
    finally:
        file.close()


def _split(file: Any, argument: str, path: Any) -> Iterator[bytes]:
    """The lines of an opened file. It is only read: files of object stores cannot return some of their lines."""
    begun: list[bytes] = []
    while True:
        with storage_errors(argument, path):
            block = file.read(_BLOCK)
        if not block:
            break
        first, *others = block.split(b"\n")
        begun.append(first)
        if others:
            yield b"".join(begun) + b"\n"
            yield from (line + b"\n" for line in others[:-1])
            begun = [others[-1]]
    if rest := b"".join(begun):
        yield rest


def _kind_of_json(value: Any) -> str:
    names = {bool: "a truth value", str: "a text", list: "a list", type(None): "null"}
    return names.get(type(value), "a number")
