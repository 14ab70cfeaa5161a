"""Upload files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.assets import dataset_uri, folder_uri
from airflow_provider_encord.defaults import (
    FILES_PER_JOB,
    JOB_TIMEOUT,
    MATCH_FILES_BY,
    MOST_FILES_PER_JOB,
    PARALLEL_UPLOADS,
    UPLOAD_KINDS,
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

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_encord.sources.files import Source
    from airflow_provider_encord.uploads.uploading import FileSelection


class EncordUploadFilesOperator(EncordBaseOperator):
    """Upload files to a dataset or a storage folder, from the worker's machine or from an object store.

    The files are streamed to Encord's storage, several at the same time, and registered in jobs of up to
    `files_per_job` files. If a file fails, the others are still uploaded. A dataset works with an SSH key, or with an
    API key of the dataset; a folder needs an SSH key. Encord accepts NIfTI, PDF and text files, time series and scenes
    only in folders.

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
        ``"pdf"``, ``"text"``, ``"time_series"`` (CSV) or ``"scene"`` (one file each: ``.bag``, ``.db3``, ``.e57``,
        ``.las``, ``.laz``, ``.mcap``, ``.pcd`` or ``.ply``). Default: the suffix of each name decides; time series and
        scenes are never recognised by their names.
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
        each file has its own. For a time series, its ``channels`` say how Encord shows it. Default: Encord reads the
        files.
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

    knows_project = False
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
            kind=(kind, one_of(*UPLOAD_KINDS)),
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
        from airflow_provider_encord.uploads.uploading import UploadOptions, find_target, upload_selected

        parse_choice(self.on_error, "on_error", ON_ERROR)
        options = UploadOptions(
            report=storage_path(self.report, "report") if blank_to_none(self.report) is not None else None,
            match_by=parse_choice(self.match_by, "match_by", MATCH_FILES_BY),
            files_per_job=parse_positive_int(self.files_per_job, "files_per_job", most=MOST_FILES_PER_JOB),
            job_timeout=parse_seconds(self.job_timeout, "job_timeout"),
        )
        target = find_target(
            self.client,
            dataset_id=blank_to_none(self.dataset_id),
            folder_id=blank_to_none(self.folder_id),
            parallel=parse_positive_int(self.max_concurrency, "max_concurrency"),
        )
        if target.dataset:
            self.push_link(context, dataset_url, target.dataset)
        else:
            self.push_link(context, folder_url, target.id)
        done = upload_selected(
            self.client,
            target,
            self._selection(),
            options,
            owner=owner_of(context),
            task_state=context.get("task_state_store"),
        )
        if done.failures is not None:
            self._judge(done.failures, retryable=done.retryable)
        ids = {"dataset_id": target.dataset, "folder_id": target.folder}
        result = {**ids, **done.counts, "report": None if options.report is None else str(options.report)}
        uri = dataset_uri if target.dataset else folder_uri
        self.record_asset_event(context, uri(self.client.settings.base_url, target.id), result)
        return result

    def _selection(self) -> FileSelection:
        """The files to upload."""
        from airflow_provider_encord.uploads.uploading import FileSelection

        source = self.source
        if isinstance(source, str) and source.strip():
            source = parse_list(source, "source")
        return FileSelection(
            source=source,
            open_path=storage_path,
            kind=str(self.kind) if blank_to_none(self.kind) is not None else None,
            group_by=text_or_mapping(self.group_by, "group_by"),
            create_video=parse_bool(self.create_video, "create_video"),
            client_metadata=text_or_mapping(self.client_metadata, "client_metadata"),
            media_metadata=text_or_mapping(self.media_metadata, "media_metadata"),
        )

    def _judge(self, failures: str, *, retryable: bool) -> None:
        """Fail the task if files failed, unless `on_error` is ``"skip"``."""
        if self.on_error != SKIP:
            raise (AirflowException if retryable else AirflowFailException)(failures)
        self.log.warning("%s", failures)
