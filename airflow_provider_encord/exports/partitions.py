"""An export in parts. Each part is exported by one task, on any worker, and the task that finishes last joins them.

The planning task passes partitions to the other tasks. A partition is small and refers to the plan.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.directory import FinishedError
from airflow_provider_encord.exports.labels import ExportSpec, export_part, join, plan_export, tidy
from airflow_provider_encord.exports.listing_file import read_rows
from airflow_provider_encord.exports.manifest import Manifest, Shard
from airflow_provider_encord.exports.part import require_readable
from airflow_provider_encord.exports.plan import Directory, Plan, Progress, directory_of, ranges, read_plan
from airflow_provider_encord.exports.reading import ReadOptions
from airflow_provider_encord.exports.shards import part_of
from airflow_provider_encord.storage_paths import StoragePath


class Partition(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an export.

    :param destination: Directory of the export.
    :param project_id: Id of the project.
    :param plan_id: Id of the plan.
    :param number: Number of the part, counted from 0.
    :param parts: Number of all parts.
    :param rows: Number of label rows to read.
    """

    destination: str
    project_id: str
    plan_id: str
    number: int
    parts: int
    rows: int


def partition_of(value: Mapping[str, Any]) -> Partition:
    """Read a partition from XCom.

    :raises InvalidArgumentError: The value is not a partition.
    """
    try:
        return msgspec.convert(dict(value), Partition)
    except msgspec.ValidationError as error:
        raise InvalidArgumentError(
            f"partition: {error}. Pass one of the partitions that EncordPartitionLabelsOperator returns, with "
            "`.expand(partition=...output)`."
        ) from None


def plan_partitions(
    client: EncordClient, spec: ExportSpec, destination: StoragePath, *, rows_per_partition: int, most: int
) -> list[Partition]:
    """Plan an export in parts.

    :param rows_per_partition: Maximum number of label rows in a part, unless there would be more than `most` parts.
    :return: The parts in order. For an export that is complete already, its parts.
    """
    planned = plan_export(
        client,
        spec,
        destination,
        rows_per_part=rows_per_partition,
        most_parts=most,
        accept_failed=not spec.overwrite,
    )
    if isinstance(planned, Plan):
        plan, rows = planned.id, [part.stop - part.start for part in planned.parts]
    else:
        plan = planned.plan_id
        rows = [sum(shard.rows for shard in _shards(planned, number)) for number in range(planned.parts)]
    return [
        Partition(
            destination=str(destination),
            project_id=spec.selection.project_id,
            plan_id=plan,
            number=number,
            parts=len(rows),
            rows=of_part,
        )
        for number, of_part in enumerate(rows)
    ]


def export_partition(
    client: EncordClient, partition: Partition, destination: StoragePath, reading: ReadOptions
) -> tuple[Progress, Manifest | None]:
    """Export a part, and join the parts if all others are finished.

    :return: The progress of this part, and the manifest if the export is complete now.
    :raises InvalidArgumentError: The plan does not exist any more, because another run has replaced it.
    """
    directory = directory_of(destination)
    plan = read_plan(directory)
    if plan is None or plan.id != partition.plan_id:
        return _of_whole(partition, directory, reading)
    try:
        progress = export_part(client, plan, partition.number, directory, reading=reading)
    except FinishedError:
        return _of_whole(partition, directory, reading)
    return progress, join(client, plan, directory)


def _of_whole(partition: Partition, directory: Directory, reading: ReadOptions) -> tuple[Progress, Manifest]:
    """The progress of a part of a complete export, if its task runs again or was killed before it ended."""
    manifest = directory.manifest()
    if manifest is None or manifest.plan_id != partition.plan_id:
        raise InvalidArgumentError(
            f"partition: {directory.path} contains a different export from the one that was partitioned. Run the "
            "partition task again; it needs a directory for each run, such as one that ends with {{ ds }}."
        )
    require_readable(manifest.failed, reading)
    tidy(directory)
    gone_or_failed = _rows_of(manifest, directory, partition.number) if manifest.not_found or manifest.failed else ()
    progress = Progress(
        plan_id=partition.plan_id,
        finished=True,
        shards=_shards(manifest, partition.number),
        not_found=[row for row in manifest.not_found if row.label_hash in gone_or_failed],
        failed=[row for row in manifest.failed if row.label_hash in gone_or_failed],
    )
    return progress, manifest


def _rows_of(manifest: Manifest, directory: Directory, number: int) -> set[str]:
    """The label hashes of the rows of a part."""
    counts = manifest.counts
    part = ranges(counts.exported + counts.not_found + counts.failed, manifest.parts)[number]
    chosen = (row.label_hash for row, wanted in read_rows(directory.path, manifest.listing) if wanted)
    return set(itertools.islice(chosen, part.start, part.stop))


def _shards(manifest: Manifest, number: int) -> list[Shard]:
    """The shards of a part."""
    return [shard for shard in manifest.shards if part_of(shard.name) == number]
