"""The table of annotations in Parquet; needs the extra ``parquet``. The columns are the fields of `table.FIELDS`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_encord.client.api.labels import LabelRow
from airflow_provider_encord.exports.formats.table import (
    BOOLEAN,
    FIELDS,
    INTEGER,
    JSON,
    NUMBER,
    TEXT,
    TIME,
    TableReader,
)
from airflow_provider_encord.storage_paths import BinaryWriter

_ROWS_PER_GROUP = 20_000  # the most rows of a file in memory


class ParquetEncoder:
    """See `formats.Encoder`.

    :param structure: Structure of the ontology.
    """

    def __init__(self, file: BinaryWriter, structure: Mapping[str, Any], project_id: str | None = None):
        import pyarrow
        import pyarrow.parquet

        self._reader = TableReader(structure, project_id)
        self._pyarrow = pyarrow
        self._schema = _schema(pyarrow)
        self._writer: Any = pyarrow.parquet.ParquetWriter(Sink(file), self._schema, compression="zstd")
        self._rows: list[tuple[Any, ...]] = []

    def write(self, row: LabelRow) -> None:
        """Add the annotations of a label row."""
        for values in self._reader.rows(row):
            self._rows.append(values)
            if len(self._rows) >= _ROWS_PER_GROUP:
                self._flush()

    def finish(self) -> dict[str, int]:
        """Finish the file."""
        self._flush()
        self._writer.close()
        return self._reader.left_out

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        if not rows:
            return
        columns = [
            self._pyarrow.array(map(_decoded, values) if field.type == JSON else values, type=column.type)
            for field, column, values in zip(FIELDS, self._schema, zip(*rows, strict=True), strict=True)
        ]
        self._writer.write_table(self._pyarrow.Table.from_arrays(columns, schema=self._schema))


class Sink:
    """A file object for pyarrow on top of an object that can only write."""

    closed = False

    def __init__(self, file: BinaryWriter):
        self._file = file
        self._written = 0

    def write(self, data: Any) -> int:
        content = bytes(data)
        self._file.write(content)
        self._written += len(content)
        return len(content)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        """Do nothing: the caller flushes the file."""

    def close(self) -> None:
        self.closed = True

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


def _schema(pyarrow: Any) -> Any:
    types = {
        TEXT: pyarrow.string(),
        INTEGER: pyarrow.int64(),
        NUMBER: pyarrow.float64(),
        BOOLEAN: pyarrow.bool_(),
        TIME: pyarrow.timestamp("us", tz="UTC"),
        JSON: pyarrow.string(),
    }
    return pyarrow.schema([(field.name, types[field.type]) for field in FIELDS])


def _decoded(json: Any) -> str | None:
    return None if json is None else bytes(json).decode()
