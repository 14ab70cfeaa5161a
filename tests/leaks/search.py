"""Look for secrets, in every form, in files, databases and whatever else a program leaves behind.

A secret counts as found where twelve bytes in a row of any form of it are: a log line cuts where it likes. Note:
the time does not depend on how many secrets and forms there are. All windows of eight bytes stand as numbers in one
set, and the text is read as numbers, from each of eight starts; Python compares the two without a loop of its own.

A finding has name, form and place, and never the text.
"""

from __future__ import annotations

import dataclasses
import gzip
import re
import sqlite3
import sys
import time
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from cryptography.fernet import Fernet, InvalidToken

from tests.leaks.forms import SHORTEST, Secret, encodings

RUN = 12  # bytes in a row
KNOWN = RUN - 1  # of these are public: the one byte beside them stands there by chance in other texts too
_WINDOW = 8  # bytes of one number
_CHUNK = 1 << 22
_FERNET = re.compile(rb"gAAAAA[A-Za-z0-9_-]{50,}={0,2}")
_SQLITE = b"SQLite format 3\0"
_LINE_END = b"\n"
_DEEPEST = 4  # of what is packed in what is packed


@dataclasses.dataclass(frozen=True, order=True)
class Found:
    """A secret where it must not be.

    :param place: A file or a value of a database, and a line in it.
    :param secret: Its name.
    :param form: As what it was written.
    """

    place: str
    secret: str
    form: str

    def __str__(self) -> str:
        return f"{self.secret} ({self.form}) in {self.place}"


@dataclasses.dataclass
class Searched:
    """How much was looked through.

    :param size: Bytes.
    :param values: Files, values of databases, and what was packed in them.
    :param seconds: What it took.
    """

    size: int = 0
    values: int = 0
    seconds: float = 0.0


class Search:
    """A search for some secrets.

    :param secrets: What to look for.
    :param innocent: Texts that a window of a secret may be in: what anybody's key has, too.
    :param fernet_keys: With these, what Airflow stored encrypted is looked into as well.
    """

    def __init__(self, secrets: Iterable[Secret], *, innocent: Iterable[bytes] = (), fernet_keys: Iterable[str] = ()):
        secrets = list(secrets)
        known = [form for secret in secrets for public in secret.public for form in encodings(public).values()]
        spared = {window for text in (*innocent, *known) for window in _windows(text, KNOWN)}
        self._owner: dict[bytes, tuple[str, str]] = {}
        self._short: dict[bytes, tuple[str, str]] = {}
        self.forms = 0
        for secret in secrets:
            for name, form in _forms(secret):
                self.forms += 1
                if len(form) < RUN:
                    self._short.setdefault(form, (secret.name, name))
                for window in _windows(form, RUN):
                    if spared.isdisjoint((window[:KNOWN], window[-KNOWN:])) and len(set(window)) > 2:
                        self._owner.setdefault(window, (secret.name, name))
        self._numbers = {int.from_bytes(window[:_WINDOW], sys.byteorder) for window in self._owner}
        self._fernets = [Fernet(key) for key in fernet_keys]
        self.searched = Searched()

    @property
    def windows(self) -> int:
        """How many different runs of twelve bytes are looked for."""
        return len(self._owner) + len(self._short)

    def in_bytes(self, place: str, content: bytes, *, sealed: bool = False) -> list[Found]:
        """Look through bytes, and through what is packed or encrypted in them.

        :param sealed: What is encrypted here may hold secrets: it is not decrypted.
        """
        return [one for where, part in self._unpacked(place, content, sealed) for one in self._look(where, part)]

    def in_texts(self, texts: Mapping[str, bytes]) -> list[Found]:
        """Look through several, by their names."""
        return [one for place, content in texts.items() for one in self.in_bytes(place, content)]

    def in_files(self, *places: Path) -> list[Found]:
        """Look through files, and everything in directories: logs, databases, packed files, whatever is there."""
        found: list[Found] = []
        for file in _files(places):
            with file.open("rb") as opened:
                beginning = opened.read(len(_SQLITE))
            if beginning == _SQLITE:
                found += self.in_database(file)
            if beginning[:2] == b"\x1f\x8b":
                with gzip.open(file) as packed:
                    found += self._in_stream(f"{file} (unpacked)", packed)
            with file.open("rb") as opened:
                found += self._in_stream(str(file), opened)
        return found

    def in_database(self, file: Path, *, sealed: Collection[str] = ("connection", "variable")) -> list[Found]:
        """Look through every column of every table.

        :param sealed: Tables in which secrets belong, encrypted: there they must not be readable.
        """
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=60)) as database:
            database.text_factory = bytes
            return [
                one
                for table, column, row, value in _values(database)
                for one in self.in_bytes(f"{file}, {table}.{column}, row {row}", value, sealed=table in sealed)
            ]

    def _in_stream(self, place: str, stream: BinaryIO | gzip.GzipFile) -> list[Found]:
        """Look through a file as it is, in parts that overlap."""
        found, rest, lines = [], b"", 0
        while part := stream.read(_CHUNK):
            content = rest + part
            found += self._look(place, content, lines)
            rest = content[-RUN + 1 :]
            lines += content[: -RUN + 1].count(_LINE_END)
        return found

    def _look(self, place: str, content: bytes, lines: int = 0) -> list[Found]:
        """:param lines: How many lines are before these bytes."""
        started = time.perf_counter()
        found = {
            Found(f"{place}, line {lines + 1 + content.count(_LINE_END, 0, at)}", *owner)
            for at, owner in self._hits(content)
        }
        self.searched.values += 1
        self.searched.size += len(content)
        self.searched.seconds += time.perf_counter() - started
        return sorted(found)

    def _hits(self, content: bytes) -> Iterator[tuple[int, tuple[str, str]]]:
        """Where which secret is first, in each form."""
        result: set[tuple[str, str]] = set()
        for at in sorted(self._beginnings(content)):
            owner = self._owner.get(content[at : at + RUN])
            if owner is not None and owner not in result:
                result.add(owner)
                yield at, owner
        for form, owner in self._short.items():
            if form in content and owner not in result:
                yield content.index(form), owner

    def _beginnings(self, content: bytes) -> Iterator[int]:
        """Where windows stand, of which at least the first eight bytes are those of a secret."""
        for start in range(min(_WINDOW, len(content))):
            whole = (len(content) - start) // _WINDOW * _WINDOW
            numbers = memoryview(content)[start : start + whole].cast("Q")
            if not self._numbers.isdisjoint(numbers):
                yield from (start + _WINDOW * at for at, one in enumerate(numbers) if one in self._numbers)

    def _unpacked(self, place: str, content: bytes, sealed: bool, depth: int = 0) -> Iterator[tuple[str, bytes]]:
        yield place, content
        if depth == _DEEPEST:
            return
        if content[:1] == b"\x78" or content[:2] == b"\x1f\x8b":
            try:
                inside = zlib.decompress(content, wbits=47)  # zlib or gzip
            except zlib.error:
                inside = b""
            yield from self._unpacked(f"{place} (unpacked)", inside, sealed, depth + 1)
        if not sealed:
            for inside in self._decrypted(content):
                yield from self._unpacked(f"{place} (decrypted)", inside, sealed, depth + 1)

    def _decrypted(self, content: bytes) -> Iterator[bytes]:
        for token in _FERNET.findall(content) if self._fernets else ():
            for fernet in self._fernets:
                try:
                    yield fernet.decrypt(token)
                except InvalidToken:
                    continue


def _forms(secret: Secret) -> Iterator[tuple[str, bytes]]:
    """Each form once."""
    seen: set[bytes] = set()
    for piece in secret.pieces:
        if len(piece) < SHORTEST:
            continue  # the run of all lines has it
        for name, form in encodings(piece).items():
            if form not in seen:
                seen.add(form)
                yield name, form


def _windows(text: bytes, size: int) -> Iterator[bytes]:
    return (text[start : start + size] for start in range(len(text) - size + 1))


def _files(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_file():
            yield place
        elif place.is_dir():
            yield from sorted(path for path in place.rglob("*") if path.is_file())
        else:
            raise FileNotFoundError(f"Nothing to look through at {place}.")  # else a typing error would find nothing


def _values(database: sqlite3.Connection) -> Iterator[tuple[str, str, int, bytes]]:
    """Table, column, number of the row, and value of each text and each blob."""
    tables = [name.decode() for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        rows = database.execute(f'SELECT * FROM "{table}"')
        columns = [column[0] for column in rows.description]
        for number, row in enumerate(rows, 1):
            for column, value in zip(columns, row, strict=True):
                if isinstance(value, bytes):
                    yield table, column, number, value
