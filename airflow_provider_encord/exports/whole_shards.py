"""The shards of a complete export, checked against its manifest, for tasks that read them."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.file_names import MANIFEST, PLAN
from airflow_provider_encord.exports.manifest import Manifest, ManifestError, decode_manifest
from airflow_provider_encord.storage_paths import StoragePath, size_and_version, storage_errors

_EXPORT_AGAIN = "Run the export task again, or pass the files."


def whole_shards(directory: StoragePath, argument: str, formats: Sequence[str]) -> list[StoragePath] | None:
    """The shards of the export in a directory, in order; None if the directory contains no export.

    :param argument: Name of the argument with the directory, for messages.
    :param formats: The formats of exports that the caller can read; empty if it can read none.
    :raises InvalidArgumentError: The export is unfinished or incomplete, or has another format.
    """
    with storage_errors(argument, directory):
        has_manifest, has_plan = ((directory / name).exists() for name in (MANIFEST, PLAN))
        if not has_manifest and has_plan:
            raise InvalidArgumentError(
                f"{argument}: {directory} contains an unfinished export: it has {PLAN} but no {MANIFEST}. "
                f"{_EXPORT_AGAIN}"
            )
        if not has_manifest:
            return None
        manifest = _manifest(directory, argument)
        if manifest.shards and manifest.layout.format not in formats:
            advice = f"Export it as {', '.join(formats)}." if formats else "Pass files of another origin."
            raise InvalidArgumentError(
                f"{argument}: the export in {directory} has the format {manifest.layout.format}, which cannot be read "
                f"here. {advice}"
            )
        for shard in manifest.shards:
            _require_whole(directory / shard.name, shard.bytes, argument)
    return [directory / shard.name for shard in manifest.shards]


def _manifest(directory: StoragePath, argument: str) -> Manifest:
    path = directory / MANIFEST
    try:
        manifest = decode_manifest(path.read_bytes(), str(path))
    except ManifestError as error:
        raise InvalidArgumentError(f"{argument}: {error.message} Pass the files, or another directory.") from None
    problem = next(manifest.problems(), None)
    if problem is not None:
        raise InvalidArgumentError(f"{argument}: {path} is damaged: {problem}. {_EXPORT_AGAIN}")
    return manifest


def _require_whole(path: StoragePath, size: int, argument: str) -> None:
    if not path.exists():
        raise InvalidArgumentError(
            f"{argument}: {path} is missing, but {MANIFEST} in its directory lists it. {_EXPORT_AGAIN}"
        )
    found, _ = size_and_version(path)
    if found != size:
        raise InvalidArgumentError(
            f"{argument}: {path} has {found} bytes, but {MANIFEST} in its directory says {size}. {_EXPORT_AGAIN}"
        )
