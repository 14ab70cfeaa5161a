"""Exporting label rows in three steps: list the rows and write a plan, write the shards, write the manifest.

An export changes nothing at Encord. The labels are written to the files without parsing, unless the format needs it.

Each step is a function, because several tasks may share an export: one task plans, many tasks export one part each, and
the task that finishes last joins the parts. Each step can be killed at any point and repeated, even while another
process runs the same step; see `directory`.
"""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable, Sequence

from airflow_provider_encord import __version__
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import UnavailableError, UnexpectedResponseError
from airflow_provider_encord.exports.directory import FinishedError, ReplacedError
from airflow_provider_encord.exports.manifest import (
    LABELS,
    SCHEMA_VERSION,
    Counts,
    Manifest,
    encode_manifest,
)
from airflow_provider_encord.exports.part import DEFAULT_READING, export_part, require_readable
from airflow_provider_encord.exports.plan import (
    Directory,
    Plan,
    Progress,
    directory_of,
    finished_parts,
    named_shards,
    read_all_progress,
)
from airflow_provider_encord.exports.planning import ExportSpec, plan_export
from airflow_provider_encord.exports.reading import ReadOptions
from airflow_provider_encord.storage_paths import StoragePath

__all__ = ["ExportSpec", "export_labels", "export_part", "join", "plan_export", "tidy"]

log = logging.getLogger(__name__)

_MOST_TRIES = 3


def export_labels(
    client: EncordClient,
    spec: ExportSpec,
    destination: StoragePath,
    *,
    reading: ReadOptions = DEFAULT_READING,
    clock: Callable[[], float] = time.monotonic,
) -> Manifest:
    """Export the label rows of a project that have labels.

    The export is complete when its manifest exists. If an attempt was killed, the next one continues after its last
    shard.

    :param destination: Directory that contains only this export; created if it does not exist.
    :param clock: Returns seconds, for the rate and the intervals of log lines.
    :return: The manifest of the export.
    :raises InvalidArgumentError: The destination contains something else, or cannot be written.
    :raises ReplacedError: A different export has taken the destination meanwhile.
    :raises EncordError: Encord refused a request, or cannot be reached. There is no manifest then.
    """
    directory = directory_of(destination)
    for _ in range(_MOST_TRIES - 1):
        try:
            manifest = _export(client, spec, directory, reading, clock)
            break
        except ReplacedError:
            if not spec.is_shared(directory, client.settings.host):
                raise
            log.info("Another attempt at the same export uses %s; continuing its plan.", destination)
    else:
        manifest = _export(client, spec, directory, reading, clock)
    require_readable(manifest.failed, reading)  # another attempt may have finished it
    tidy(directory)
    return manifest


def _export(
    client: EncordClient, spec: ExportSpec, directory: Directory, reading: ReadOptions, clock: Callable[[], float]
) -> Manifest:
    planned = plan_export(client, spec, directory.path, accept_failed=reading.skip_unreadable)
    if isinstance(planned, Manifest):
        return planned
    try:
        for number in range(len(planned.parts)):
            export_part(client, planned, number, directory, reading=reading, clock=clock)
    except FinishedError as finished:
        return _of(finished)
    manifest = join(client, planned, directory)
    if manifest is None:
        raise UnavailableError(
            f"destination: files of the export in {directory.path} were removed while it ran. Run the task again."
        )
    return manifest


def join(client: EncordClient, plan: Plan, directory: Directory) -> Manifest | None:
    """Write the manifest, if all parts are finished.

    :return: The manifest, even if another process has just written it. None if a part is not finished.
    :raises ReplacedError: Another export owns the directory.
    :raises UnavailableError: Files of a finished part were removed or truncated.
    """
    try:
        if len(finished_parts(directory, plan)) < len(plan.parts):
            directory.require_owner(plan.id)  # check after the listing: a process that finishes removes the files
            return None
        done = {
            number: progress for number, progress in read_all_progress(directory, plan).items() if progress.finished
        }
        directory.require_owner(plan.id)  # check after the read: a new owner removes the files
        damaged = [number for number in range(len(plan.parts)) if number not in done]
        if damaged:
            raise UnavailableError(
                f"destination: files of part {damaged[0]} of the export in {directory.path} are missing or truncated, "
                "so the manifest was not written. Run the task of that part again."
            )
        manifest = _publish(client, plan, [done[number] for number in range(len(plan.parts))], directory)
    except FinishedError as other:
        return _of(other)
    directory.finish(plan.id, keep=lambda: {*manifest.file_names, *named_shards(directory, plan.id)})
    if manifest.failed:
        log.warning(
            "%d label rows could not be read and are in no file. The manifest lists them. The first is %s: %s",
            len(manifest.failed),
            manifest.failed[0].label_hash,
            manifest.failed[0].error,
        )
    if manifest.not_found:
        log.warning(
            "%d label rows were listed but deleted before they were read. The manifest lists them. The first is %s.",
            len(manifest.not_found),
            manifest.not_found[0].label_hash,
        )
    return manifest


def tidy(directory: Directory) -> None:
    """Remove the temporary files of an attempt that was killed after it wrote the manifest."""
    directory.tidy(keep=lambda plan: named_shards(directory, plan))


def _publish(client: EncordClient, plan: Plan, done: Sequence[Progress], directory: Directory) -> Manifest:
    there = directory.manifest()
    if there is not None and there.plan_id == plan.id:
        return there
    manifest = _manifest(client, plan, done)
    problems = [*manifest.problems()]
    if problems:
        raise UnexpectedResponseError(
            f"destination: the numbers of the export in {directory.path} do not add up, so the manifest was not "
            f"written: {'; '.join(problems)}. Export it again with overwrite=True, and report this as a bug."
        )
    directory.publish(plan.id, encode_manifest(manifest))
    return manifest


def _of(finished: FinishedError) -> Manifest:
    manifest: Manifest = finished.manifest
    return manifest


def _manifest(client: EncordClient, plan: Plan, done: Sequence[Progress]) -> Manifest:
    shards = [shard for progress in done for shard in progress.shards]
    missing = [row for progress in done for row in progress.not_found]
    failed = [row for progress in done for row in progress.failed]
    return Manifest(
        schema_version=SCHEMA_VERSION,
        kind=LABELS,
        created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        provider_version=__version__,
        host=client.settings.host,
        project_id=plan.selection.project_id,
        branch=plan.selection.branch,
        filters=plan.selection.filters,
        counts=Counts(
            listed=plan.listed,
            with_labels=plan.with_labels,
            without_labels=plan.listed - plan.with_labels,
            exported=sum(shard.rows for shard in shards),
            not_found=len(missing),
            failed=len(failed),
            unchanged=plan.with_labels - plan.to_read,
            removed=plan.removed.rows if plan.removed else 0,
        ),
        bytes=sum(shard.bytes for shard in shards),
        shards=shards,
        not_found=missing,
        failed=failed,
        watermark=plan.watermark,
        layout=plan.layout,
        plan_id=plan.id,
        parts=len(plan.parts),
        logical_date=plan.logical_date,
        listed_at=plan.listed_at,
        listing=plan.listing,
        clock=plan.clock,
        previous=plan.previous,
        history=plan.history,
        removed=plan.removed,
        replaces=plan.replaces,
        fingerprint=plan.fingerprint,
    )
