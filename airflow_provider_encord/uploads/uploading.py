"""A whole upload, as a task does it: find the target and the files, upload them, write the report, and count."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow_provider_encord.attempts import Owner
from airflow_provider_encord.client.call import API_KEY
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError
from airflow_provider_encord.client.flows.upload_target import UploadTarget
from airflow_provider_encord.client.identifiers import require_id
from airflow_provider_encord.counts import require_sum
from airflow_provider_encord.defaults import FILES_PER_JOB, JOB_TIMEOUT, PARALLEL_UPLOADS
from airflow_provider_encord.item_metadata.client_metadata import ClientMetadata, add_client_metadata
from airflow_provider_encord.item_metadata.media_metadata import MediaMetadata, add_media_metadata
from airflow_provider_encord.reports import FAILED
from airflow_provider_encord.sources.files import Source, SourceFile, find_files
from airflow_provider_encord.sources.kinds import kind_named
from airflow_provider_encord.storage_paths import storage_errors
from airflow_provider_encord.uploads.grouping import GroupBy, group_files
from airflow_provider_encord.uploads.outcome import FileOutcome
from airflow_provider_encord.uploads.plan import CHECKSUM, TITLE_AND_SIZE
from airflow_provider_encord.uploads.progress import UploadProgress
from airflow_provider_encord.uploads.report_writer import ReportWriter, is_of_report
from airflow_provider_encord.uploads.task_state import task_state_checkpoints
from airflow_provider_encord.uploads.upload import upload_files

log = logging.getLogger(__name__)

_NAMED_FAILURES = 20  # in the message; the report has all


@dataclasses.dataclass(frozen=True, kw_only=True)
class FileSelection:
    """The files to upload, and what is known about them.

    :param source: Paths, URIs or path objects; see `find_files`.
    :param open_path: Makes a path object of a path or URI. Its second argument is the name of the argument, for
        messages.
    :param kind: Name of the kind of all files; None if the suffix of each name decides.
    :param group_by: See `group_files`.
    :param create_video: Whether groups become image sequences.
    :param client_metadata: See `add_client_metadata`.
    :param media_metadata: See `add_media_metadata`.
    """

    source: Source | Sequence[Source]
    open_path: Callable[[str, str], Any]
    kind: str | None = None
    group_by: GroupBy | None = None
    create_video: bool = False
    client_metadata: ClientMetadata | None = None
    media_metadata: MediaMetadata | None = None

    def units(self, report: Any) -> list[SourceFile]:
        """Find the units to upload, with their metadata.

        :param report: Path object of the report, or None. Its files are not uploaded.
        """
        kind = None if self.kind is None else kind_named(self.kind)
        leave_out = None if report is None else is_of_report(report)
        files = find_files(self.source, self._opener("source"), kind=kind, leave_out=leave_out)
        files = add_media_metadata(files, self.media_metadata, self._opener("media_metadata"))
        units = group_files(files, self.group_by, create_video=self.create_video)
        return add_client_metadata(units, self.client_metadata, self._opener("client_metadata"))

    def exists(self, uri: str) -> bool:
        """Whether the source file of an earlier run still exists. True if that cannot be checked."""
        try:
            path = self.open_path(uri, "report")
            with storage_errors("report", path):
                return bool(path.exists())
        except EncordError:
            return True

    def _opener(self, argument: str) -> Callable[[str], Any]:
        return lambda uri: self.open_path(uri, argument)


@dataclasses.dataclass(frozen=True, kw_only=True)
class UploadOptions:
    """How files are uploaded.

    :param report: Path object of the report; None for none.
    :param match_by: How to recognise files that no report contains; see `uploads.plan.make_plan`.
    :param files_per_job: Maximum number of files in a job.
    :param job_timeout: Seconds to wait for a job to end.
    :raises InvalidArgumentError: Files are to be recognised by checksum, and there is no report.
    """

    report: Any = None
    match_by: str = TITLE_AND_SIZE
    files_per_job: int = FILES_PER_JOB
    job_timeout: float = JOB_TIMEOUT

    def __post_init__(self) -> None:
        if self.match_by == CHECKSUM and self.report is None:
            raise InvalidArgumentError(
                "match_by: 'checksum' needs `report`, because Encord does not store checksums. Pass `report` or "
                "another match_by."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class UploadResult:
    """The counts of an upload, and its failures.

    :param counts: The counts of XCom.
    :param failures: A message that lists the failed files; None if no file failed.
    :param retryable: Whether a retry may upload some of them.
    """

    counts: Mapping[str, int]
    failures: str | None
    retryable: bool


def find_target(
    client: EncordClient, *, dataset_id: str | None, folder_id: str | None, parallel: int = PARALLEL_UPLOADS
) -> UploadTarget:
    """Find the target of an upload.

    :param parallel: How many files may be sent at once.
    :raises InvalidArgumentError: An id is not valid, or both are missing.
    """
    folder = None if folder_id is None else require_id(folder_id, "folder_id")
    credential = client.credential.kind
    alone = folder is not None and dataset_id is None and credential != API_KEY
    dataset = None if alone else client.dataset(dataset_id).id
    return UploadTarget(dataset=dataset, credential=credential, folder=folder, parallel=parallel)


def upload_selected(
    client: EncordClient,
    target: UploadTarget,
    selection: FileSelection,
    options: UploadOptions,
    *,
    owner: Owner,
    task_state: Any = None,
) -> UploadResult:
    """Upload the files that are not in Encord yet, and write the report, also if the upload fails.

    :param owner: The task, as the owner of the report.
    :param task_state: Airflow's task state store, for running jobs if there is no report; None if there is no store.
    """
    files = selection.units(options.report)
    writer = None if options.report is None else _report_writer(target, selection, options, owner)
    checkpoints = writer.checkpoints if writer else task_state_checkpoints(task_state)
    outcomes: dict[SourceFile, FileOutcome] = {}
    progress = UploadProgress(files, log.info)

    def take(some: Sequence[FileOutcome]) -> None:
        outcomes.update({item.file: item for item in some})
        progress.take(some)
        if writer is not None:
            writer.take(some)

    flow = upload_files(
        target,
        files,
        on_outcomes=take,
        files_per_job=options.files_per_job,
        job_timeout=options.job_timeout,
        checkpoints=checkpoints,
        evidence=writer.evidence if writer else None,
        match_by=options.match_by,
    )
    try:
        try:
            client.run(flow)
        finally:
            progress.log_line()
    finally:
        if writer is not None:
            known = [outcomes[file] for file in files if file in outcomes]
            _finish_report(writer, known, options, unfinished=checkpoints.unfinished)
    created, unchanged, failed = progress.created, progress.unchanged, progress.failed
    require_sum("The upload", len(files), created=created, unchanged=unchanged, failed=failed)
    _warn_of_names(progress.matched_by_name, options.match_by)
    failures = [outcomes[file] for file in files if outcomes[file].result == FAILED]
    return UploadResult(
        counts={
            "files": len(files),
            "created": created,
            "unchanged": unchanged,
            "matched_by_name": progress.matched_by_name,
            "failed": failed,
            "bytes": progress.uploaded_bytes,
        },
        failures=_describe(failures, len(files), has_report=writer is not None) if failures else None,
        retryable=any(outcome.retryable for outcome in failures),
    )


def _report_writer(
    target: UploadTarget, selection: FileSelection, options: UploadOptions, owner: Owner
) -> ReportWriter:
    folder = None if target.dataset else target.folder
    return ReportWriter(options.report, dataset=target.dataset, folder=folder, owner=owner, exists=selection.exists)


def _finish_report(
    writer: ReportWriter, outcomes: Sequence[FileOutcome], options: UploadOptions, *, unfinished: bool
) -> None:
    if not outcomes:
        writer.release()
        return
    writer.finish(outcomes, unfinished=unfinished)
    log.info("The report of %d files is at %s.", len(outcomes), options.report)


def _warn_of_names(number: int, match_by: str) -> None:
    if number:
        what = match_by.replace("_", " ")
        log.warning(
            "%d files were skipped because Encord has data with the same %s; no report says which files that data "
            "was made from. If different files can have the same %s, set match_by='checksum' and pass a report.",
            number,
            what,
            what,
        )


def _describe(failures: Sequence[FileOutcome], files: int, *, has_report: bool) -> str:
    lines = [f"{len(failures)} of {files} files were not uploaded:"]
    lines += [f"- {outcome.file.title}: {outcome.error}" for outcome in failures[:_NAMED_FAILURES]]
    if len(failures) > _NAMED_FAILURES:
        where = "The report lists all of them" if has_report else "Pass `report` to list all of them in a file"
        lines.append(f"- and {len(failures) - _NAMED_FAILURES} more. {where}.")
    return "\n".join(lines)
