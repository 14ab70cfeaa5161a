"""Read the label rows of an export, row by row.

::

    from airflow_provider_encord import exports

    for row in exports.read("s3://aws_default@labels/2026-11-22/manifest.json"):
        print(row["data_title"])

Local paths work without Airflow. The rows are streamed, so memory use does not grow with their number. Only exports in
JSON Lines can be read (``jsonl``, ``jsonl.gz``, ``jsonl.zst``).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.defaults import JSON_LINES_FORMATS
from airflow_provider_encord.exports.file_names import MANIFEST, PLAN
from airflow_provider_encord.exports.incremental import (
    BrokenChainError,
    Link,
    NotInHistoryError,
    links,
    require_files,
)
from airflow_provider_encord.exports.listing_file import read_rows
from airflow_provider_encord.exports.manifest import Manifest as Manifest
from airflow_provider_encord.exports.manifest import ManifestError as ManifestError
from airflow_provider_encord.exports.manifest import Shard
from airflow_provider_encord.exports.manifest import read_manifest as _read_manifest
from airflow_provider_encord.object_storage import object_storage_path
from airflow_provider_encord.packed_lines import DamagedFileError, lines_of
from airflow_provider_encord.storage_paths import StoragePath, storage_errors

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

__all__ = ["Manifest", "ManifestError", "read", "read_manifest"]

_ARGUMENT = "manifest"
_EXPORT_AGAIN = "Run the export task again with overwrite=True."
_ROW = msgspec.json.Decoder(dict[str, Any])


def read(
    manifest: str | os.PathLike[str] | ObjectStoragePath,
    *,
    history: bool = False,
    history_dir: str | os.PathLike[str] | ObjectStoragePath | None = None,
) -> Iterator[dict[str, Any]]:
    """Iterate over the label rows of an export, or of an incremental export together with its earlier exports.

    The manifest is checked before the first row is returned: its files must exist, and on a local disk they must have
    the right size. The checksum of a file is checked after its last row. So if the iteration raises an error, discard
    the rows that it returned.

    :param manifest: URI or path of the manifest or of the directory of the export, such as the ``manifest`` that
        `EncordExportLabelsOperator` returns.
    :param history: Also read the earlier exports of an incremental export. Each row is returned once, in its latest
        state; removed rows are left out. If the latest state of a row could not be exported (``failed`` in the
        manifest), its previous state is returned. The rows of the newest export come first. Memory use grows with the
        number of rows that changed after the first export, because their ids are kept. Default: False.
    :param history_dir: Directory whose subdirectories are the exports of the history. Default: the parent directory of
        the export.
    :return: The label rows as Encord sent them, decoded from JSON. In each export they are ordered by data hash.
    :raises InvalidArgumentError: The format of the export is not JSON Lines, or an argument is wrong.
    :raises ManifestError: There is no complete export, or one of its files is missing or damaged.
    :raises UnavailableError: The disk or the object store cannot be reached.
    """
    if history_dir is not None and not history:
        raise InvalidArgumentError("history_dir: it has no effect without history=True. Pass both, or neither.")
    directory = _directory(manifest)
    found = _manifest_in(directory)
    _require_json_lines(directory, found)
    if not history:
        with _broken_links_named():
            require_files(directory, found, _ARGUMENT)
        return _rows((directory, found))
    parent = directory.parent if history_dir is None else _path(history_dir, "history_dir")
    return _latest_rows(_history(parent, directory, found))


def read_manifest(manifest: str | os.PathLike[str] | ObjectStoragePath) -> Manifest:
    """Read the manifest of an export.

    :param manifest: URI or path of the manifest, or of its directory.
    :raises ManifestError: There is no complete export, or a newer version of airflow-provider-encord wrote it.
    :raises UnavailableError: The disk or the object store cannot be reached.
    """
    return _manifest_in(_directory(manifest))


def _directory(manifest: Any) -> StoragePath:
    path: StoragePath = _path(manifest, _ARGUMENT)
    return path.parent if path.name == MANIFEST else path


def _path(value: Any, name: str) -> Any:
    """Return a path object. For a URI of an object store, Airflow provides the credentials."""
    if isinstance(value, pathlib.Path):
        return value.absolute()  # otherwise the parent of "." would be "."
    if hasattr(value, "protocol"):
        return value
    if not isinstance(value, str | os.PathLike) or not str(value).strip():
        raise InvalidArgumentError(f"{name}: {str(value)[:80]!r} is not a path. Pass one path or URI.")
    text = os.fspath(value).strip().removeprefix("file://")
    if "://" not in text:
        return pathlib.Path(text).absolute()
    try:
        return object_storage_path(text, name)
    except ImportError:
        raise InvalidArgumentError(
            f"{name}: {text} is in an object store. Install Apache Airflow and the Airflow provider for the store, or "
            "copy the export to a local directory and pass its path."
        ) from None


def _manifest_in(directory: StoragePath) -> Manifest:
    with storage_errors(_ARGUMENT, directory):
        if not (directory / MANIFEST).exists() and (directory / PLAN).exists():
            raise ManifestError(
                f"The export in {directory} is not finished: it has {PLAN} and no {MANIFEST}. Wait for the export "
                "task, or run it again."
            )
        found = _read_manifest(directory)
    problem = next(found.problems(), None)
    if problem is not None:
        raise ManifestError(f"{directory / MANIFEST} is damaged: {problem}. {_EXPORT_AGAIN}")
    return found


def _require_json_lines(directory: StoragePath, manifest: Manifest) -> None:
    if manifest.layout.format not in JSON_LINES_FORMATS:
        raise InvalidArgumentError(
            f"manifest: the export in {directory} has the format {manifest.layout.format}, but this function reads "
            f"only {', '.join(JSON_LINES_FORMATS)}. Read it with a library for that format, such as pyarrow for "
            "parquet, or export it as jsonl."
        )


@contextlib.contextmanager
def _broken_links_named() -> Iterator[None]:
    try:
        yield
    except NotInHistoryError:
        raise
    except BrokenChainError as error:
        raise ManifestError(f"{str(error).rstrip('.')}. {_EXPORT_AGAIN}") from None


def _history(parent: StoragePath, directory: StoragePath, manifest: Manifest) -> list[Link]:
    if manifest.history is None:
        raise InvalidArgumentError(
            f"history: the export in {directory} is not incremental, so it has no history. Do not pass history=True."
        )
    try:
        with _broken_links_named():
            return links(parent, manifest)
    except NotInHistoryError as error:
        raise InvalidArgumentError(f"history_dir: {error}. Pass the parent directory of that export.") from None


def _latest_rows(exports: Sequence[Link]) -> Iterator[dict[str, Any]]:
    """The rows of all exports, from the newest export to the first, each in its latest state.

    For this, only the label hashes of the newer exports are kept: if a newer export contains a row, or lists it as
    removed or not found, the row in an older export is outdated.
    """
    out_of_date: set[str] = set()
    for number in reversed(range(len(exports))):
        directory, manifest = exports[number]
        own: set[str] = set()
        for row in _rows(exports[number]):
            if row["label_hash"] in out_of_date:
                continue
            if number:  # not needed for the oldest export, which is read last
                own.add(row["label_hash"])
            yield row
        out_of_date |= own
        out_of_date.update(row.label_hash for row in manifest.not_found)
        if manifest.removed is not None:
            out_of_date.update(row.label_hash for row, _ in read_rows(directory, manifest.removed))


def _rows(export: Link) -> Iterator[dict[str, Any]]:
    directory, manifest = export
    for shard in manifest.shards:
        yield from _rows_of_shard(directory / shard.name, shard)


def _rows_of_shard(path: StoragePath, shard: Shard) -> Iterator[dict[str, Any]]:
    digest, rows = hashlib.sha256(), 0
    try:
        for rows, line in enumerate(lines_of(path, _ARGUMENT, observe=digest.update), start=1):
            yield _row(line, f"{path}, line {rows}")
    except DamagedFileError as error:
        raise ManifestError(f"{error.message} {_EXPORT_AGAIN}") from None
    if rows != shard.rows:
        raise _damaged(str(path), f"it has {rows} rows, but its {MANIFEST} says {shard.rows}")
    if digest.hexdigest() != shard.sha256:
        raise _damaged(str(path), f"its checksum differs from the one in its {MANIFEST}")


def _row(line: bytes, where: str) -> dict[str, Any]:
    try:
        row: Any = _ROW.decode(line)
    except NOT_JSON as error:
        row = _with_large_numbers(line)
        if row is None:
            raise _damaged(where, f"it is not a label row ({error})") from None
    if not isinstance(row, dict) or not isinstance(row.get("label_hash"), str):
        raise _damaged(where, "it is not a label row: label_hash is missing")
    return row


def _with_large_numbers(line: bytes) -> Any:
    """Decode a line with a number that is too large for a float; it becomes infinite. None if it is not JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _damaged(where: str, problem: str) -> ManifestError:
    return ManifestError(f"{where} is damaged: {problem}. {_EXPORT_AGAIN}")
