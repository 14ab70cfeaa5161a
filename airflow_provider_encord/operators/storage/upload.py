"""Upload files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.defaults import FILES_PER_JOB, JOB_TIMEOUT, PARALLEL_UPLOADS
from airflow_provider_encord.links import dataset_url
from airflow_provider_encord.operators.arguments import given, seconds, several, storage_path, whole_number
from airflow_provider_encord.operators.base import EncordBaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_encord.ingest.outcome import Outcome
    from airflow_provider_encord.ingest.sending import Target
    from airflow_provider_encord.ingest.sources import Source, SourceFile

ON_ERROR = ("fail", "skip")
_NAMED_FAILURES = 20  # in the exception; the receipt has all


class EncordUploadFilesOperator(EncordBaseOperator):
    """Upload files to a dataset: images and videos, from this machine or from an object store.

    The files are sent to Encord's own storage, several at once, each streamed, and registered in jobs of up to
    `files_per_job`. One bad file does not stop the others. Works with an SSH key and with an API key of a dataset.

    Safe to repeat, on any machine: a file is left out if the dataset has a data unit of its name and size. So a retry
    uploads what is missing, and nothing twice; two files of one name and size become two data units. A file that
    changed but kept name and size counts as present. Two exceptions, as Encord shows nothing of a job before its files
    are in: a worker that dies while a job runs, and a retry (or another task with the same files) that starts before
    that job has ended. Leave enough time with ``retry_delay``.

    Example::

        EncordUploadFilesOperator(
            task_id="upload",
            dataset="{{ params.dataset }}",
            source="s3://aws_default@intake/{{ ds }}/**/*.jpg",
            receipt="s3://aws_default@intake/receipts/{{ ds }}.jsonl",
        )

    :param source: What to upload (templated); one of these, or a list of them: a path of the worker's machine, a URI
        that ``ObjectStoragePath`` takes (``s3://connection@bucket/key``), or such an object; each may be a file, a
        directory (its images and videos, at any depth, except hidden ones), or a pattern with ``*``, ``?``, ``[...]``
        or ``**``. Other files in a directory are left out; named by a path or a pattern they are an error. The name of
        a file, at most 300 characters, becomes its title.
    :param dataset: Id of the dataset (templated). Default: the one that the connection's API key belongs to.
    :param folder: Id of the storage folder that keeps the files (templated). Needed unless the dataset has a folder of
        its own (a mirror dataset).
    :param receipt: Path or URI of a file to write (templated): JSON Lines, one for each file, with what became of it;
        its fields are listed in `airflow_provider_encord.ingest.receipt`. Written also if the task fails. A receipt
        that is there is replaced; its checksums are kept. A local path must be absolute: workers share no working
        directory. Default: none.
    :param on_error: ``"fail"`` (default) fails the task if a file failed, after all others are uploaded; ``"skip"``
        succeeds (templated).
    :param files_per_job: How many files to register at once, 1 to 200 (templated).
    :param parallel_uploads: How many files to send at once (templated).
    :param job_timeout: Seconds to wait for Encord to finish one job (templated). Default: 6 hours.
    :return: ``{"dataset", "files", "uploaded", "present", "failed", "bytes", "receipt"}``: the dataset's id, numbers of
        files, the bytes that were uploaded, and the receipt's URI or None.
    :raises AirflowFailException: An argument is wrong, there are no files, or files failed and a retry cannot help.
    :raises AirflowException: Files failed, and a retry may help.
    """

    template_fields: Sequence[str] = (
        "source",
        "dataset",
        "folder",
        "receipt",
        "on_error",
        "files_per_job",
        "parallel_uploads",
        "job_timeout",
        "encord_conn_id",
    )

    def __init__(
        self,
        *,
        source: Source | Sequence[Source],
        dataset: str | None = None,
        folder: str | None = None,
        receipt: str | ObjectStoragePath | None = None,
        on_error: str = "fail",
        files_per_job: int | str = FILES_PER_JOB,
        parallel_uploads: int | str = PARALLEL_UPLOADS,
        job_timeout: float | str = JOB_TIMEOUT,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.source = source
        self.dataset = dataset
        self.folder = folder
        self.receipt = receipt
        self.on_error = on_error
        self.files_per_job = files_per_job
        self.parallel_uploads = parallel_uploads
        self.job_timeout = job_timeout

    def act(self, context: Context) -> dict[str, Any]:
        """Upload what is missing."""
        from airflow_provider_encord.client.errors import InvalidRequestError
        from airflow_provider_encord.ingest.receipt import known_checksums, require_writable

        if self.on_error not in ON_ERROR:
            raise InvalidRequestError(f"on_error: {self.on_error!r} is neither 'fail' nor 'skip'.")
        options = self._options()
        path = storage_path(self.receipt, "receipt") if given(self.receipt) is not None else None
        target = self._target()
        self.show(context, dataset_url, target.dataset)
        files = self._files()
        checksums: Mapping[str, str] = {}
        if path is not None:
            checksums = known_checksums(path)
            require_writable(path)
        outcomes: dict[SourceFile, Outcome] = {}
        try:
            counts = self._upload(target, files, outcomes, options)
        finally:
            if path is not None and outcomes:
                self._write_receipt(
                    path, target.dataset, [outcomes[file] for file in files if file in outcomes], checksums
                )
        self._judge([outcomes[file] for file in files])
        return {"dataset": target.dataset, **counts, "receipt": None if path is None else str(path)}

    def _options(self) -> dict[str, Any]:
        """Numbers, as `upload_files` takes them."""
        from airflow_provider_encord.client.api.uploads import MOST_URLS_PER_REQUEST

        return {
            "files_per_job": whole_number(self.files_per_job, "files_per_job", most=MOST_URLS_PER_REQUEST),
            "job_timeout": seconds(self.job_timeout, "job_timeout"),
        }

    def _target(self) -> Target:
        from airflow_provider_encord.client.resources.identifiers import require_id
        from airflow_provider_encord.ingest.sending import Target

        parallel = whole_number(self.parallel_uploads, "parallel_uploads")
        client = self.client
        return Target(
            dataset=client.dataset(self.dataset).id,
            credential=client.credential.kind,
            folder=require_id(self.folder, "folder") if self.folder else None,
            parallel=parallel,
        )

    def _files(self) -> list[SourceFile]:
        from airflow_provider_encord.ingest.sources import find_files

        source = self.source
        if isinstance(source, str) and source.strip():
            source = several(source, "source")
        return find_files(source, lambda uri: storage_path(uri, "source"))

    def _upload(
        self,
        target: Target,
        files: Sequence[SourceFile],
        outcomes: dict[SourceFile, Outcome],
        options: Mapping[str, Any],
    ) -> dict[str, int]:
        from airflow_provider_encord.ingest.progress import Progress
        from airflow_provider_encord.ingest.upload import upload_files

        progress = Progress(files, self.log.info)

        def report(some: Sequence[Outcome]) -> None:
            outcomes.update({one.file: one for one in some})
            progress.take(some)

        flow = upload_files(target, files, report=report, **options)
        try:
            self.client.run(flow)
        finally:
            progress.tell()
        return {
            "files": len(files),
            "uploaded": progress.uploaded,
            "present": progress.present,
            "failed": progress.failed,
            "bytes": progress.uploaded_bytes,
        }

    def _write_receipt(
        self, path: Any, dataset: str, outcomes: Sequence[Outcome], checksums: Mapping[str, str]
    ) -> None:
        from airflow_provider_encord.ingest.receipt import receipt_line, write_receipt

        write_receipt(path, (receipt_line(outcome, dataset, checksums) for outcome in outcomes))
        self.log.info("The receipt of %d files is at %s.", len(outcomes), path)

    def _judge(self, outcomes: Sequence[Outcome]) -> None:
        """Fail the task if files failed and that is not to be skipped."""
        from airflow_provider_encord.ingest.outcome import FAILED

        failures = [outcome for outcome in outcomes if outcome.result == FAILED]
        if not failures:
            return
        text = _describe(failures, len(outcomes), bool(self.receipt))
        if self.on_error == "skip":
            self.log.warning("%s", text)
        elif any(outcome.retryable for outcome in failures):
            raise AirflowException(text)
        else:
            raise AirflowFailException(text)


def _describe(failures: Sequence[Outcome], files: int, receipt: bool) -> str:
    lines = [f"{len(failures)} of {files} files are not in the dataset:"]
    lines += [f"- {outcome.file.title}: {outcome.error}" for outcome in failures[:_NAMED_FAILURES]]
    if len(failures) > _NAMED_FAILURES:
        where = "the receipt lists them all" if receipt else "with the argument receipt, they would be listed in a file"
        lines.append(f"- and {len(failures) - _NAMED_FAILURES} more; {where}.")
    return "\n".join(lines)
