"""The rows of a Parquet file, batch by batch; needs the extra ``parquet``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.sources.rows import START, Row
from airflow_provider_encord.storage_paths import StoragePath, plain, storage_errors

_ROWS_AT_ONCE = 10_000


def parquet_columns(path: StoragePath) -> list[str]:
    """The names of the columns.

    :raises InvalidArgumentError: It is not a Parquet file, or the extra is not installed.
    """
    with _opened(path) as file:
        return list(file.schema_arrow.names)


def parquet_rows(path: StoragePath, columns: Sequence[str]) -> Iterator[Row]:
    """The rows with some of the columns. Values that are missing or not a number (NaN) are left out.

    :raises InvalidArgumentError: It is not a Parquet file, or it is damaged.
    """
    number = 0
    with _opened(path) as file:
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=list(dict.fromkeys(columns))):
            for fields in batch.to_pylist():
                number += 1
                known = {name: value for name, value in fields.items() if value is not None and value == value}
                yield Row(f"row {number}", known, START)


@contextlib.contextmanager
def _opened(path: StoragePath) -> Iterator[Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InvalidArgumentError(
            "format: parquet needs pyarrow, which is not installed. Install it with "
            "`pip install 'airflow-provider-encord[parquet]'`, or use another format."
        ) from None
    with storage_errors("source", path), contextlib.closing(plain(path).open("rb")) as file:
        try:
            yield pyarrow.parquet.ParquetFile(file)
        except pyarrow.ArrowException as error:
            raise InvalidArgumentError(f"source: {path} cannot be read as Parquet: {error}.") from None
