"""Upload files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.assets import dataset_uri, folder_uri
from airflow_provider_encord.defaults import (
    FILE_KINDS,
    FILES_PER_JOB,
    JOB_TIMEOUT,
    MATCH_FILES_BY,
    MOST_FILES_PER_JOB,
    PARALLEL_UPLOADS,
)
from airflow_provider_encord.links import dataset_url, folder_url
from airflow_provider_encord.operators.arguments import (
    ON_ERROR,
    SKIP,
    blank_to_none,
    parse_bool,
    parse_choice,
    parse_list,
    parse_positive_int,
    parse_seconds,
    parse_url,
    storage_path,
    text_or_mapping,
)
from airflow_provider_encord.operators.base import EncordBaseOperator, owner_of
from airflow_provider_encord.operators.literals import check_literals, one_of, up_to
from airflow_provider_encord.operators.storage.task_state import task_state_checkpoints

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_encord.sources.files import Source, SourceFile
    from airflow_provider_encord.uploads.outcome import FileOutcome
    from airflow_provider_encord.uploads.places import UploadTarget
    from airflow_provider_encord.uploads.report_writer import ReportWriter

_NAMED_FAILURES = 20  # in the exception; the report has all


class EncordUploadFilesOperator(EncordBaseOperator):
    """Upload files to a dataset or a storage folder, from this machine or from an object store.

    The files are sent to Encord's own storage, several at once, each streamed, and registered in jobs of up to
    `files_per_job`. One bad file does not stop the others. Into a dataset it works with an SSH key and with an API key
    of the dataset; into a folder with an SSH key. Encord takes NIfTI, PDF and text files into folders only.

    Safe to repeat, on any machine: a file is left out if it is there. A report of an earlier attempt or run knows
    which file each data unit was made of, with its checksum, so files are recognised whatever their names, and a file
    that changed is uploaded again. For what no report knows, Encord states only title and size (`match_by`): a file
    that changed but kept both counts as present, as does a group of the same name, and the log warns. If some of
    several files of one title and size are there, and it cannot be known which, they fail. Two tasks must not upload
    the same files at once: with one report the second fails until the first has ended; without one, set
    ``max_active_tis_per_dag=1``, as the second may upload files twice and then fails. If a worker dies while a job
    runs, the retry waits for the job and does not send its files again: running jobs are noted beside the report, and
    without a report in Airflow's task state (3.3). On older Airflow without a report nothing is noted: there, leave
    such a job enough time with ``retry_delay``, or name a report.

    Example::

        EncordUploadFilesOperator(
            task_id="upload",
            dataset_id="{{ params.dataset_id }}",
            source="s3://aws_default@intake/{{ ds }}/**/*.jpg",
            report="s3://aws_default@intake/reports/{{ ds }}.jsonl",
        )

    :param source: What to upload (templated); one of these, or a list of them: a path of the worker's machine, a URI
        that ``ObjectStoragePath`` takes (``s3://connection@bucket/key``), or such an object; each may be a file, a
        directory (its images, videos, audio, DICOM, NIfTI and PDF files, at any depth, except hidden ones), or a
        pattern with ``*``, ``?``, ``[...]`` or ``**``. Other files in a directory are left out; named by a path or a
        pattern they are an error. The name of a file, at most 300 characters, becomes its title.
    :param dataset_id: Id of the dataset (templated). Default: the one that the connection's API key belongs to; with an
        SSH key, none, and the files go into the folder alone.
    :param folder_id: Id of the storage folder (templated). With a dataset, the one that keeps its files, which is
        needed unless the dataset has a folder of its own (a mirror dataset).
    :param kind: What the files are, if their names do not tell (templated): ``"image"``, ``"video"``, ``"audio"``,
        ``"dicom"``, ``"nifti"``, ``"pdf"``, ``"text"``.
    :param group_by: Which files are one unit (templated): ``"directory"``, the images of a directory are an image
        group, named like it; a regular expression with a part named ``group``, such as ``r"(?P<group>scene-\\d+)/"``,
        looked for in the URI; or a dictionary, title of the unit to the names (or URIs) of its files in order. DICOM
        files are always grouped to series: without this, by directory. Default: no groups of images.
    :param create_video: Make image sequences of the groups, which play like videos (templated). Default: False.
    :param client_metadata: Your own data about the files (templated): a dictionary, title or URI to a dictionary;
        ``"sidecar"``, for a JSON file beside each, of its name with ``.json`` after it; or the path or URI of one
        ``.json``, ``.jsonl`` or ``.csv`` file about all, which names each by ``source`` or ``title``. What is in the
        dataset already is not changed. Default: none.
    :param report: Path or URI of a file to write (templated): JSON Lines, one for each file, with the outcome of it;
        the schema ``report`` of `airflow_provider_encord.schemas` lists its fields. Written in parts while the task
        runs, and also if it fails. A report that is there is replaced; what it knows of rows that this run is not about
        is kept beside it, in a file of its name with ``.known`` after it. A local path must be absolute: workers share
        no working directory. Default: none.
    :param match_by: How to recognise a file that is there already, if no line of the report is about it (templated):
        ``"title_and_size"`` (default); ``"title"``, for files that Encord may store in another size; or
        ``"checksum"``, for files of one name and one size whose content differs, such as BMP, WAV and raw frames: then
        only what the report knows counts as present. It needs a report, which must be the same at every run.
    :param on_error: ``"fail"`` (default) fails the task if a file failed, after all others are uploaded; ``"skip"``
        succeeds (templated).
    :param files_per_job: How many files to register at once, 1 to 200 (templated).
    :param max_concurrency: How many files to send at once (templated).
    :param job_timeout: Seconds to wait for Encord to finish one job (templated). Default: 6 hours.
    :return: ``{"dataset_id", "folder_id", "files", "created", "unchanged", "matched_by_name", "failed", "bytes",
        "report"}``: ids, numbers of files (a group counts once; ``unchanged`` were there before, and
        ``matched_by_name`` of them were recognised by title and size, or title, only), the bytes that were uploaded,
        and the report's URI or None. The
        asset event of the dataset or folder gets the same.
    :raises AirflowFailException: An argument is wrong, there are no files, or files failed and a retry cannot help.
    :raises AirflowException: Files failed, and a retry may help.
    """

    template_fields: Sequence[str] = (
        "source",
        "dataset_id",
        "folder_id",
        "kind",
        "group_by",
        "create_video",
        "client_metadata",
        "report",
        "match_by",
        "on_error",
        "files_per_job",
        "max_concurrency",
        "job_timeout",
        "encord_conn_id",
    )

    def __init__(
        self,
        *,
        source: Source | Sequence[Source],
        dataset_id: str | None = None,
        folder_id: str | None = None,
        kind: str | None = None,
        group_by: str | Mapping[str, Sequence[str]] | None = None,
        create_video: bool | str = False,
        client_metadata: str | Mapping[str, Mapping[str, Any]] | None = None,
        report: str | ObjectStoragePath | None = None,
        match_by: str = "title_and_size",
        on_error: str = "fail",
        files_per_job: int | str = FILES_PER_JOB,
        max_concurrency: int | str = PARALLEL_UPLOADS,
        job_timeout: float | str = JOB_TIMEOUT,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.source = source
        self.dataset_id = dataset_id
        self.folder_id = folder_id
        self.kind = kind
        self.group_by = group_by
        self.create_video = create_video
        self.client_metadata = client_metadata
        self.report = report
        self.match_by = match_by
        self.on_error = on_error
        self.files_per_job = files_per_job
        self.max_concurrency = max_concurrency
        self.job_timeout = job_timeout
        check_literals(
            kind=(kind, one_of(*FILE_KINDS)),
            create_video=(create_video, parse_bool),
            report=(report, parse_url),
            match_by=(match_by, one_of(*MATCH_FILES_BY)),
            on_error=(on_error, one_of(*ON_ERROR)),
            files_per_job=(files_per_job, up_to(MOST_FILES_PER_JOB)),
            max_concurrency=(max_concurrency, parse_positive_int),
            job_timeout=(job_timeout, parse_seconds),
        )

    def _execute(self, context: Context) -> dict[str, Any]:
        """Upload what is missing."""
        from airflow_provider_encord.counts import require_sum

        options = self._options()
        path = storage_path(self.report, "report") if blank_to_none(self.report) is not None else None
        target = self._target()
        if target.dataset:
            self.push_link(context, dataset_url, target.dataset)
        else:
            self.push_link(context, folder_url, target.id)
        files = self._files(path)
        record = None if path is None else self._record(path, target, context)
        outcomes: dict[SourceFile, FileOutcome] = {}
        checkpoints = record.checkpoints if record else task_state_checkpoints(context)
        options |= {"checkpoints": checkpoints, "evidence": record.evidence if record else None}
        try:
            counts = self._upload(target, files, outcomes, record, options)
        finally:
            if record is not None:
                known = [outcomes[file] for file in files if file in outcomes]
                self._finish_report(record, known, unfinished=checkpoints.unfinished)
        created, unchanged, failed = counts["created"], counts["unchanged"], counts["failed"]
        require_sum("The upload", len(files), created=created, unchanged=unchanged, failed=failed)
        self._warn_of_names(counts["matched_by_name"])
        self._judge([outcomes[file] for file in files], has_report=path is not None)
        ids = {"dataset_id": target.dataset, "folder_id": target.folder}
        result = {**ids, **counts, "report": None if path is None else str(path)}
        uri = dataset_uri if target.dataset else folder_uri
        self.record_asset_event(context, uri(self.client.settings.base_url, target.id), result)
        return result

    def _options(self) -> dict[str, Any]:
        """Options, checked, as `upload_files` takes them."""
        from airflow_provider_encord.client.errors import InvalidArgumentError
        from airflow_provider_encord.uploads.plan import CHECKSUM, MATCH_BY

        parse_choice(self.on_error, "on_error", ON_ERROR)
        match_by = parse_choice(self.match_by, "match_by", MATCH_BY)
        if match_by == CHECKSUM and blank_to_none(self.report) is None:
            raise InvalidArgumentError(
                "match_by: 'checksum' needs the argument report, as Encord keeps no checksums of files."
            )
        return {
            "match_by": match_by,
            "files_per_job": parse_positive_int(self.files_per_job, "files_per_job", most=MOST_FILES_PER_JOB),
            "job_timeout": parse_seconds(self.job_timeout, "job_timeout"),
        }

    def _target(self) -> UploadTarget:
        from airflow_provider_encord.client.call import API_KEY
        from airflow_provider_encord.client.resources.identifiers import require_id
        from airflow_provider_encord.uploads.places import UploadTarget

        parallel = parse_positive_int(self.max_concurrency, "max_concurrency")
        client = self.client
        folder = require_id(self.folder_id, "folder_id") if blank_to_none(self.folder_id) is not None else None
        alone = folder is not None and blank_to_none(self.dataset_id) is None and client.credential.kind != API_KEY
        return UploadTarget(
            dataset=None if alone else client.dataset(blank_to_none(self.dataset_id)).id,
            credential=client.credential.kind,
            folder=folder,
            parallel=parallel,
        )

    def _files(self, report: Any) -> list[SourceFile]:
        """The units to upload, each with what is known of it.

        :param report: The path of the report, whose files are no data; None without one.
        """
        from airflow_provider_encord.item_metadata.client_metadata import add_client_metadata
        from airflow_provider_encord.sources.files import find_files
        from airflow_provider_encord.sources.kinds import kind_named
        from airflow_provider_encord.uploads.grouping import group_files
        from airflow_provider_encord.uploads.report_writer import is_of_report

        source = self.source
        if isinstance(source, str) and source.strip():
            source = parse_list(source, "source")
        kind = kind_named(str(self.kind)) if blank_to_none(self.kind) is not None else None
        leave_out = None if report is None else is_of_report(report)
        files = find_files(source, lambda uri: storage_path(uri, "source"), kind=kind, leave_out=leave_out)
        create_video = parse_bool(self.create_video, "create_video")
        units = group_files(files, text_or_mapping(self.group_by, "group_by"), create_video=create_video)
        metadata = text_or_mapping(self.client_metadata, "client_metadata")
        return add_client_metadata(units, metadata, lambda uri: storage_path(uri, "client_metadata"))

    def _record(self, path: Any, target: UploadTarget, context: Context) -> ReportWriter:
        from airflow_provider_encord.uploads.report_writer import ReportWriter

        folder = None if target.dataset else target.folder
        return ReportWriter(path, dataset=target.dataset, folder=folder, owner=owner_of(context), exists=_exists)

    def _finish_report(self, record: ReportWriter, outcomes: Sequence[FileOutcome], *, unfinished: bool) -> None:
        if not outcomes:
            record.release()
            return
        record.finish(outcomes, unfinished=unfinished)
        self.log.info("The report of %d files is at %s.", len(outcomes), self.report)

    def _warn_of_names(self, number: int) -> None:
        if number:
            self.log.warning(
                "%d files count as present because data of the same %s is there; no report knows what that was made "
                "of. If different files can share these, set match_by='checksum' and name a report.",
                number,
                str(self.match_by).replace("_", " "),
            )

    def _upload(
        self,
        target: UploadTarget,
        files: Sequence[SourceFile],
        outcomes: dict[SourceFile, FileOutcome],
        record: ReportWriter | None,
        options: Mapping[str, Any],
    ) -> dict[str, int]:
        from airflow_provider_encord.uploads.progress import Progress
        from airflow_provider_encord.uploads.upload import upload_files

        progress = Progress(files, self.log.info)

        def take(some: Sequence[FileOutcome]) -> None:
            outcomes.update({item.file: item for item in some})
            progress.take(some)
            if record is not None:
                record.take(some)

        flow = upload_files(target, files, on_outcomes=take, **options)
        try:
            self.client.run(flow)
        finally:
            progress.tell()
        return {
            "files": len(files),
            "created": progress.created,
            "unchanged": progress.unchanged,
            "matched_by_name": progress.matched_by_name,
            "failed": progress.failed,
            "bytes": progress.uploaded_bytes,
        }

    def _judge(self, outcomes: Sequence[FileOutcome], *, has_report: bool) -> None:
        """Fail the task if files failed and that is not to be skipped."""
        from airflow_provider_encord.reports import FAILED

        failures = [outcome for outcome in outcomes if outcome.result == FAILED]
        if not failures:
            return
        text = _describe(failures, len(outcomes), has_report)
        if self.on_error == SKIP:
            self.log.warning("%s", text)
        elif any(outcome.retryable for outcome in failures):
            raise AirflowException(text)
        else:
            raise AirflowFailException(text)


def _exists(uri: str) -> bool:
    """Whether there is a file at the source of an earlier run; also if that cannot be known."""
    from airflow_provider_encord.client.errors import EncordError
    from airflow_provider_encord.storage_paths import storage_errors

    try:
        path = storage_path(uri, "report")
        with storage_errors("report", path):
            return bool(path.exists())
    except EncordError:
        return True


def _describe(failures: Sequence[FileOutcome], files: int, report: bool) -> str:
    lines = [f"{len(failures)} of {files} files are not in Encord:"]
    lines += [f"- {outcome.file.title}: {outcome.error}" for outcome in failures[:_NAMED_FAILURES]]
    if len(failures) > _NAMED_FAILURES:
        where = "the report lists them all" if report else "with the argument report, they would be listed in a file"
        lines.append(f"- and {len(failures) - _NAMED_FAILURES} more; {where}.")
    return "\n".join(lines)
