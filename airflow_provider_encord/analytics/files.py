"""Writing records of analytics to files: JSON Lines, or Parquet with the same columns.

Each field of a record (`airflow_provider_encord.client.api.analytics`) is a column with the same name. A field of a
nested record has the names of both fields. In Parquet, times are timestamps in UTC, and lists are JSON.
"""

from __future__ import annotations

import contextlib
import itertools
import typing
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import msgspec

from airflow_provider_encord.client.errors import UnexpectedResponseError
from airflow_provider_encord.client.times import answered_time
from airflow_provider_encord.defaults import JSON_LINES
from airflow_provider_encord.exports.counted_file import CountedFile
from airflow_provider_encord.exports.directory import ExportDirectory
from airflow_provider_encord.exports.file_names import file_name
from airflow_provider_encord.exports.formats import PARQUET
from airflow_provider_encord.exports.formats.json_lines import Compressing, gzip_of
from airflow_provider_encord.exports.formats.parquet import Sink
from airflow_provider_encord.exports.formats.table import int64
from airflow_provider_encord.exports.manifest import FileRecord
from airflow_provider_encord.storage_paths import BinaryWriter

GZIP_LINES = f"{JSON_LINES}.gz"
RECORDS_PER_FILE = 200_000
_RECORDS_PER_GROUP = 20_000  # the most records of a Parquet file in memory


class Table(msgspec.Struct, frozen=True):
    """The table of a kind of record.

    :param name: The file names begin with it.
    :param record: The class of the records.
    :param times: The fields that are times.
    """

    name: str
    record: type[msgspec.Struct]
    times: tuple[str, ...]


class _Encoder(Protocol):
    def write(self, row: dict[str, Any]) -> None: ...

    def finish(self) -> None: ...


def write_table(
    directory: ExportDirectory[Any],
    plan: str,
    table: Table,
    format: str,  # noqa: A002 - the word for it
    records: Iterable[Any],
) -> list[FileRecord]:
    """Write records, as they arrive, to files of at most `RECORDS_PER_FILE` records.

    :param plan: Id of the export.
    :param format: One of `FORMATS`.
    :return: The files; none without records.
    :raises ReplacedError: Another export took the directory.
    """
    rows = (_row(record) for record in records)
    written: list[FileRecord] = []
    for first in rows:
        some = itertools.chain([first], itertools.islice(rows, RECORDS_PER_FILE - 1))
        directory.require_owner(plan)
        name = file_name(table.name, plan, f"{len(written):05d}", suffix=format)
        written.append(_write_file(directory, name, table, format, some))
    return written


def _write_file(
    directory: ExportDirectory[Any],
    name: str,
    table: Table,
    format: str,  # noqa: A002 - the word for it
    rows: Iterable[dict[str, Any]],
) -> FileRecord:
    file, count = CountedFile(directory.path, name), 0
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(directory.discard, name)
        on_failure.callback(file.abandon)
        encoder = FORMATS[format](file, table)
        for row in rows:
            encoder.write(row)
            count += 1
        encoder.finish()
        on_failure.pop_all()
    file.close()
    return FileRecord(name=name, rows=count, bytes=file.bytes, sha256=file.sha256)


class _JsonLines:
    def __init__(self, file: BinaryWriter, _: Table):
        self._file = file

    def write(self, row: dict[str, Any]) -> None:
        self._file.write(msgspec.json.encode(row) + b"\n")

    def finish(self) -> None:
        if isinstance(self._file, Compressing):
            self._file.finish()


class _Parquet:
    def __init__(self, file: BinaryWriter, table: Table):
        import pyarrow
        import pyarrow.parquet

        self._pyarrow = pyarrow
        self._times = table.times
        self._columns = dict(columns(table))
        self._schema = pyarrow.schema([(name, getattr(pyarrow, type_)()) for name, type_ in self._types()])
        self._schema = _with_times(pyarrow, self._schema, table.times)
        self._writer = pyarrow.parquet.ParquetWriter(Sink(file), self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []

    def _types(self) -> Iterator[tuple[str, str]]:
        for name, type_ in self._columns.items():
            yield name, {int: "int64", float: "float64"}.get(type_, "string")

    def write(self, row: dict[str, Any]) -> None:
        self._rows.append({name: self._value(name, value) for name, value in row.items()})
        if len(self._rows) >= _RECORDS_PER_GROUP:
            self._flush()

    def finish(self) -> None:
        self._flush()
        self._writer.close()

    def _value(self, name: str, value: Any) -> Any:
        if name in self._times and value is not None:
            return answered_time(value, name)
        if isinstance(value, list):
            return msgspec.json.encode(value).decode()
        if self._columns[name] is not int:
            return value
        try:
            return int64(value, name)
        except ValueError as error:
            raise UnexpectedResponseError(
                f"Encord returned a number that does not fit into a Parquet column: {error}."
            ) from None

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        if rows:
            self._writer.write_table(self._pyarrow.Table.from_pylist(rows, schema=self._schema))


FORMATS: dict[str, Callable[[BinaryWriter, Table], _Encoder]] = {
    JSON_LINES: _JsonLines,
    GZIP_LINES: lambda file, table: _JsonLines(gzip_of(file), table),
    PARQUET: _Parquet,
}
"""The encoder of each format, by suffix."""


def _with_times(pyarrow: Any, schema: Any, times: tuple[str, ...]) -> Any:
    for name in times:
        schema = schema.set(schema.get_field_index(name), pyarrow.field(name, pyarrow.timestamp("us", tz="UTC")))
    return schema


def columns(table: Table) -> Iterator[tuple[str, type]]:
    """Names and types of the columns. The type does not say whether a value may be null."""
    yield from _columns(table.record)


def _columns(record: type[msgspec.Struct], prefix: str = "") -> Iterator[tuple[str, type]]:
    for field in msgspec.structs.fields(record):
        options = [member for member in (typing.get_args(field.type) or (field.type,)) if member is not type(None)]
        nested = options[0] if len(options) == 1 else str
        if isinstance(nested, type) and issubclass(nested, msgspec.Struct):
            yield from _columns(nested, f"{prefix}{field.name}_")
        else:
            yield f"{prefix}{field.name}", nested if nested in (int, float) else str


def _row(record: msgspec.Struct, prefix: str = "") -> dict[str, Any]:
    row: dict[str, Any] = {}
    for field in msgspec.structs.fields(record):
        value = getattr(record, field.name)
        nested = next((member for member in typing.get_args(field.type) if _is_record(member)), None)
        if isinstance(value, msgspec.Struct):
            row |= _row(value, f"{prefix}{field.name}_")
        elif nested is not None:
            row |= dict.fromkeys((name for name, _ in _columns(nested, f"{prefix}{field.name}_")))
        else:
            row[f"{prefix}{field.name}"] = value
    return row


def _is_record(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, msgspec.Struct)
