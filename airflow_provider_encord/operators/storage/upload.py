"""Upload files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.assets import dataset_uri, folder_uri
from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError
from airflow_provider_encord.client.identifiers import require_id
from airflow_provider_encord.counts import require_sum
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

    from airflow_provider_encord.client.flows.upload_target import UploadTarget
    from airflow_provider_encord.sources.files import Source, SourceFile
    from airflow_provider_encord.uploads.outcome import FileOutcome
    from airflow_provider_encord.uploads.report_writer import ReportWriter

_NAMED_FAILURES = 20  # in the exception; the report has all


class EncordUploadFilesOperator(EncordBaseOperator):
    """Upload files to a dataset or a storage folder, from the worker's machine or from an object store.

    The files are streamed to Encord's storage, several at the same time, and registered in jobs of up to
    `files_per_job` files. If a file fails, the others are still uploaded. A dataset works with an SSH key, or with an
    API key of the dataset; a folder needs an SSH key. Encord accepts NIfTI, PDF and text files only in folders.

    Safe to repeat, on any machine: files that are already in Encord are skipped. Pass a `report` to recognise them
    reliably: it stores the checksum of each file and the data unit that was made from it. So a renamed file is
    recognised, and a changed file is uploaded again. Without a report, only title and size can be compared (see
    `match_by`): a file that changed but has the same title and size is skipped, and so is a group with the same name;
    the log warns about them. If several files have the same title and size, and Encord has only some of them, these
    files fail.

    Two tasks must not upload the same files at the same time. With the same report, the second task fails until the
    first has ended. Without a report, the second task may upload files twice and then fails; set
    ``max_active_tis_per_dag=1``. If a worker dies while a job runs, the retry waits for that job and does not upload
    its files again. For this, running jobs are recorded next to the report or, without a report, in Airflow's task
    state (3.3). On older Airflow without a report they are not recorded: pass a report, or set a ``retry_delay`` that
    is longer than a job takes.

    Example::

        EncordUploadFilesOperator(
            task_id="upload",
            dataset_id="{{ params.dataset_id }}",
            source="s3://aws_default@intake/{{ ds }}/**/*.jpg",
            report="s3://aws_default@intake/reports/{{ ds }}.jsonl",
        )

    :param source: The files to upload (templated): a path on the worker's machine, a URI of Airflow's object storage
        (``s3://connection@bucket/key``), an ``ObjectStoragePath``, or a list of these. Each may be a file, a directory,
        or a pattern with ``*``, ``?``, ``[...]`` or ``**``. From a directory, all images, videos, audio, DICOM, NIfTI
        and PDF files are uploaded, at any depth, except hidden ones. Files of other types are skipped in a directory;
        if a path or pattern names them, they are errors. The title in Encord is the file name, at most 300 characters.
    :param dataset_id: Id of the dataset (templated). Default: with an API key, the dataset of the key; with an SSH key,
        no dataset, and the files are added only to the folder.
    :param folder_id: Id of the storage folder (templated). With a dataset, the folder for its files; required unless
        the dataset has a backing folder (a mirror dataset).
    :param kind: Type of the files (templated): ``"image"``, ``"video"``, ``"audio"``, ``"dicom"``, ``"nifti"``,
        ``"pdf"`` or ``"text"``. Default: the suffix of each name decides.
    :param group_by: How to group files into units (templated). ``"directory"``: the images of a directory are an image
        group with the name of the directory. A regular expression with a named group ``group``, such as
        ``r"(?P<group>scene-\\d+)/"``, that is searched in the URI. Or a dictionary from the title of a unit to the
        names (or URIs) of its files, in order. DICOM files are always grouped into series, by default one for each
        directory. Default: images are not grouped.
    :param create_video: Create image sequences, which play like videos, from the groups (templated). Default: False.
    :param client_metadata: Client metadata of the files (templated). A dictionary from title or URI to a dictionary.
        ``"sidecar"``: each file has a JSON file next to it, with ``.json`` added to its name. Or the path or URI of one
        ``.json``, ``.jsonl`` or ``.csv`` file, which names each file by ``source`` or ``title``. Files that are already
        in Encord are not changed. Default: no metadata.
    :param media_metadata: Properties of the files that are known, so that Encord does not have to read them
        (templated). A dictionary from title, URI or pattern to a dictionary with Encord's names, such as ``{"*.mp4":
        {"fps": 25, "duration": 60.0, "width": 1920, "height": 1080}}``; or the path or URI of one ``.json``, ``.jsonl``
        or ``.csv`` file, as for `client_metadata`. ``fileSize`` and ``mimeType`` may be left out. In a group or series,
        each file has its own. Default: Encord reads the files.
    :param report: Path or URI of a JSON Lines file to write, with one line for each file and its outcome (templated).
        The schema ``report`` of `airflow_provider_encord.schemas` lists the fields. The task writes it in parts while
        it runs, also if the task fails. It replaces an earlier report; lines of that about other files are kept in a
        second file, whose name is the name of the report and ``.known``. A local path must be absolute, because workers
        share no working directory. Default: no report.
    :param match_by: How to recognise a file that is already in Encord, if the report has no line about it (templated).
        ``"title_and_size"`` (default). ``"title"``: for files that Encord may store with a different size.
        ``"checksum"``: for files that may have the same name and size but different content, such as BMP, WAV and raw
        frames. Then only files that the report lists are skipped, so the same `report` is required at every run.
    :param on_error: What to do if some files failed (templated): ``"fail"`` (default) fails the task after all other
        files are uploaded; ``"skip"`` only counts and logs them.
    :param files_per_job: Maximum number of files in a job, 1 to 200 (templated). Default: 100.
    :param max_concurrency: Number of files to upload at the same time (templated). Default: 4.
    :param job_timeout: Seconds to wait for Encord to finish one job (templated). Default: 6 hours.
    :return: ``{"dataset_id", "folder_id", "files", "created", "unchanged", "matched_by_name", "failed", "bytes",
        "report"}``: ids, numbers of files, the number of uploaded bytes, and the URI of the report or None. A group
        counts as one file. ``unchanged`` counts files that were already in Encord; ``matched_by_name`` counts those of
        them that were recognised only by title and size, or by title. The asset event of the dataset or folder contains
        the same values.
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
        "media_metadata",
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
        media_metadata: str | Mapping[str, Mapping[str, Any]] | None = None,
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
        self.media_metadata = media_metadata
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
        """Upload the files that are not in Encord yet."""

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
        """The checked options for `upload_files`."""
        from airflow_provider_encord.uploads.plan import CHECKSUM, MATCH_BY

        parse_choice(self.on_error, "on_error", ON_ERROR)
        match_by = parse_choice(self.match_by, "match_by", MATCH_BY)
        if match_by == CHECKSUM and blank_to_none(self.report) is None:
            raise InvalidArgumentError(
                "match_by: 'checksum' needs `report`, because Encord does not store checksums. Pass `report` or "
                "another match_by."
            )
        return {
            "match_by": match_by,
            "files_per_job": parse_positive_int(self.files_per_job, "files_per_job", most=MOST_FILES_PER_JOB),
            "job_timeout": parse_seconds(self.job_timeout, "job_timeout"),
        }

    def _target(self) -> UploadTarget:
        from airflow_provider_encord.client.call import API_KEY
        from airflow_provider_encord.client.flows.upload_target import UploadTarget

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
        """The units to upload, with their metadata.

        :param report: The path of the report, or None. Its files are not uploaded.
        """
        from airflow_provider_encord.item_metadata.client_metadata import add_client_metadata
        from airflow_provider_encord.item_metadata.media_metadata import add_media_metadata
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
        media = text_or_mapping(self.media_metadata, "media_metadata")
        files = add_media_metadata(files, media, lambda uri: storage_path(uri, "media_metadata"))
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
            what = str(self.match_by).replace("_", " ")
            self.log.warning(
                "%d files were skipped because Encord has data with the same %s; no report says which files that data "
                "was made from. If different files can have the same %s, set match_by='checksum' and pass a report.",
                number,
                what,
                what,
            )

    def _upload(
        self,
        target: UploadTarget,
        files: Sequence[SourceFile],
        outcomes: dict[SourceFile, FileOutcome],
        record: ReportWriter | None,
        options: Mapping[str, Any],
    ) -> dict[str, int]:
        from airflow_provider_encord.uploads.progress import UploadProgress
        from airflow_provider_encord.uploads.upload import upload_files

        progress = UploadProgress(files, self.log.info)

        def take(some: Sequence[FileOutcome]) -> None:
            outcomes.update({item.file: item for item in some})
            progress.take(some)
            if record is not None:
                record.take(some)

        flow = upload_files(target, files, on_outcomes=take, **options)
        try:
            self.client.run(flow)
        finally:
            progress.log_line()
        return {
            "files": len(files),
            "created": progress.created,
            "unchanged": progress.unchanged,
            "matched_by_name": progress.matched_by_name,
            "failed": progress.failed,
            "bytes": progress.uploaded_bytes,
        }

    def _judge(self, outcomes: Sequence[FileOutcome], *, has_report: bool) -> None:
        """Fail the task if files failed, unless `on_error` is ``"skip"``."""
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
    """Whether the source file of an earlier run still exists. True if that cannot be checked."""
    from airflow_provider_encord.storage_paths import storage_errors

    try:
        path = storage_path(uri, "report")
        with storage_errors("report", path):
            return bool(path.exists())
    except EncordError:
        return True


def _describe(failures: Sequence[FileOutcome], files: int, report: bool) -> str:
    lines = [f"{len(failures)} of {files} files were not uploaded:"]
    lines += [f"- {outcome.file.title}: {outcome.error}" for outcome in failures[:_NAMED_FAILURES]]
    if len(failures) > _NAMED_FAILURES:
        where = "The report lists all of them" if report else "Pass `report` to list all of them in a file"
        lines.append(f"- and {len(failures) - _NAMED_FAILURES} more. {where}.")
    return "\n".join(lines)
