"""Register objects of the user's own bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.assets import dataset_uri, folder_uri
from airflow_provider_encord.defaults import UNITS_PER_JOB
from airflow_provider_encord.links import dataset_url, folder_url
from airflow_provider_encord.operators.arguments import flag, given, storage_path, whole_number
from airflow_provider_encord.operators.jobs import JobOperator
from airflow_provider_encord.operators.storage.upload import ON_ERROR

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_encord.client.api.data_items import Unit
    from airflow_provider_encord.client.resources.jobs import Answer, Job

_NAMED_FAILURES = 5  # in messages; the receipt has all


class EncordRegisterCloudDataOperator(JobOperator):
    """Register objects of your own bucket with a storage folder or a dataset; no bytes are moved.

    The objects come from a manifest, or from a listing of a prefix. They are registered in jobs of up to
    `units_per_job`, one after the other. One bad object does not stop the others. Into a folder it needs an SSH key;
    into a dataset it works with an API key of the dataset, too.

    Safe to repeat with `skip_duplicate_urls`: what is in the folder from the same URL is left out, so a retry registers
    what is missing. On Airflow 3.3 a retry goes on with the job of the try before. A task that is killed, or failed or
    cleared by hand, cancels its job, in folders; Encord's API has nothing to cancel a dataset's job.

    :param source: The manifest (templated): path or URI of a ``.jsonl``, ``.csv`` or ``.json`` file, whose fields
        `airflow_provider_encord.ingest.cloud` explains. Or a directory of an object store, which is listed.
    :param integration: Title or id of the cloud integration by which Encord reads the bucket (templated).
    :param folder: Id of the storage folder (templated). With a dataset, the folder that keeps its items.
    :param dataset: Id of the dataset (templated). Give one of the two, or both.
    :param url_prefix: For a listing: what stands for the directory in URLs that Encord reads, such as
        ``s3://bucket/prefix`` (templated). Default: the directory's own URI, without the id of a connection.
    :param kind: What the objects are that do not say it, whatever their names (templated); as with
        `EncordUploadFilesOperator`.
    :param skip_duplicate_urls: Leave out what is there from the same URL (templated). Default: True, other than Encord.
    :param upsert_metadata: Give what is left out so the client metadata of the manifest (templated). Default: False.
    :param units_per_job: How many units to register at once, 1 to 500000 (templated). Default: 10000.
    :param receipt: Path or URI of a directory to write to (templated): a file ``part-000000.jsonl`` for each job, with
        a line for each unit: ``schema_version``, ``urls``, ``title``, ``outcome`` (``registered``, ``not told`` or
        ``failed``), ``id`` of the storage item or data unit if Encord told it, ``error``. ``not told`` is what Encord
        says nothing of, such as a skipped duplicate. Default: none.
    :param on_error: ``"fail"`` (default) fails the task if units failed, after all others are registered; ``"skip"``
        succeeds (templated).
    :param deferrable: Wait in the triggerer, without a worker (templated). Default: Airflow's setting
        ``[operators] default_deferrable``.
    :param poll_interval: Seconds between two looks of the triggerer, 5 or more (templated). Default: 30.
    :param job_timeout: Seconds to wait for one job to end (templated). Default: 6 hours.
    :return: ``{"folder", "dataset", "jobs", "units", "registered", "failed", "cancelled", "receipt"}``: ids, and
        numbers of jobs and units. ``registered`` is what Encord counts as done, skipped duplicates among them. The
        asset event of the dataset or folder gets the same.
    :raises AirflowFailException: An argument or a line of the manifest is wrong, or units failed.
    :raises AirflowException: Encord was not reached, or a job did not end in time; a retry may help.
    """

    template_fields: Sequence[str] = (
        "source",
        "integration",
        "folder",
        "dataset",
        "url_prefix",
        "kind",
        "skip_duplicate_urls",
        "upsert_metadata",
        "units_per_job",
        "receipt",
        "on_error",
        *JobOperator.template_fields,
    )

    def __init__(
        self,
        *,
        source: str | ObjectStoragePath,
        integration: str,
        folder: str | None = None,
        dataset: str | None = None,
        url_prefix: str | None = None,
        kind: str | None = None,
        skip_duplicate_urls: bool | str = True,
        upsert_metadata: bool | str = False,
        units_per_job: int | str = UNITS_PER_JOB,
        receipt: str | ObjectStoragePath | None = None,
        on_error: str = "fail",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.source = source
        self.integration = integration
        self.folder = folder
        self.dataset = dataset
        self.url_prefix = url_prefix
        self.kind = kind
        self.skip_duplicate_urls = skip_duplicate_urls
        self.upsert_metadata = upsert_metadata
        self.units_per_job = units_per_job
        self.receipt = receipt
        self.on_error = on_error
        self._ahead: tuple[int, Iterator[list[Unit]]] | None = None
        self._latest: tuple[int, list[Unit]] | None = None

    def prepare(self, context: Context) -> int:
        """Read the whole manifest once, so that a wrong line is found before anything is sent; count its parts."""
        from airflow_provider_encord.client.errors import InvalidRequestError
        from airflow_provider_encord.client.resources.identifiers import require_id

        if self.on_error not in ON_ERROR:
            raise InvalidRequestError(f"on_error: {self.on_error!r} is neither 'fail' nor 'skip'.")
        self._skip = flag(self.skip_duplicate_urls, "skip_duplicate_urls")
        self._upsert = flag(self.upsert_metadata, "upsert_metadata")
        if self._upsert and not self._skip:
            raise InvalidRequestError("upsert_metadata: it works along with skip_duplicate_urls only.")
        self._folder = require_id(self.folder, "folder") if given(self.folder) is not None else None
        alone = self._folder is not None and given(self.dataset) is None
        self._dataset = None if alone else self.client.dataset(given(self.dataset)).id
        self._receipt = storage_path(self.receipt, "receipt") if given(self.receipt) is not None else None
        if self._dataset:
            self.show(context, dataset_url, self._dataset)
        else:
            self.show(context, folder_url, str(self._folder))
        counts = [len(part) for part in self._parts()]
        self._units = sum(counts)
        if not counts:
            raise InvalidRequestError(f"source: {self.source} names no objects.")
        self.log.info("%d units to register, in %d jobs.", self._units, len(counts))
        self._integration_id = self._find_integration()
        return len(counts)

    def start_part(self, number: int) -> Job:
        """Start the job of a part.

        :raises OutcomeUnknownError: The answer was lost, and duplicates are not skipped.
        """
        from airflow_provider_encord.client.errors import OutcomeUnknownError

        units = self._part_units(number)
        try:
            return self._start(units)
        except OutcomeUnknownError:
            if not self._skip:
                raise
        self.log.warning("Encord's answer to the start of job %d was lost; it is started again.", number + 1)
        return self._start(units)  # what the first may have registered is skipped

    def part_result(self, number: int, job: Job, answer: Answer) -> dict[str, Any]:
        """Its counts; and its part of the receipt.

        :raises UnavailableError: The job failed as a whole.
        """
        from airflow_provider_encord.client.api.uploads import UploadJob
        from airflow_provider_encord.client.errors import RefusedError
        from airflow_provider_encord.client.resources.jobs import state_of

        state = state_of(answer)
        if not state.succeeded or not isinstance(answer, UploadJob):
            reasons = "; ".join(state.errors) or "Encord gives no reason"
            raise RefusedError(f"Job {job.id} ended as {state.status}: {reasons}. {state.done} units are registered.")
        failures = self._failures(answer)
        if self._receipt is not None:
            self._write_part(number, answer, failures)
        first = list(failures.items())[:_NAMED_FAILURES]
        return {
            "job": job.id,
            "done": state.done,
            "failed": state.failed,
            "cancelled": state.cancelled,
            "reasons": [f"{url}: {reason}"[:300] for url, reason in first],
        }

    def finish(self, context: Context, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Tell the counts, or fail."""
        told = {
            "folder": self._folder,
            "dataset": self._dataset,
            "jobs": len(results),
            "units": self._units,
            "registered": sum(one["done"] for one in results),
            "failed": sum(one["failed"] for one in results),
            "cancelled": sum(one["cancelled"] for one in results),
            "receipt": None if self._receipt is None else str(self._receipt),
        }
        lacking = told["failed"] + told["cancelled"]
        if lacking:
            reasons = [reason for one in results for reason in one["reasons"]][:_NAMED_FAILURES]
            where = "the receipt lists them all" if self._receipt else "with the argument receipt, all are listed"
            text = f"{lacking} of {told['units']} units are not registered; {where}:\n" + "\n".join(reasons)
            if self.on_error == "fail":
                raise AirflowFailException(text)
            self.log.warning("%s", text)
        uri = dataset_uri if self._dataset else folder_uri
        self.tell_assets(context, uri(self.client.settings.base_url, self._dataset or str(self._folder)), told)
        return told

    def _parts(self) -> Iterator[list[Unit]]:
        """The jobs' units, read as they are needed."""
        from airflow_provider_encord.client.api.data_items import Kind
        from airflow_provider_encord.ingest import cloud
        from airflow_provider_encord.ingest.kinds import kind_named

        size = whole_number(self.units_per_job, "units_per_job", most=cloud.MOST_UNITS)
        kind: Kind | None = kind_named(str(self.kind)) if given(self.kind) is not None else None
        path = storage_path(self.source, "source")
        if path.is_dir():
            prefix = given(self.url_prefix) or _without_connection(str(path))
            objects = cloud.list_prefix(path, str(prefix), kind=kind)
        else:
            objects = cloud.read_manifest(path, kind=kind)
        return cloud.parts(cloud.units(objects), size=size)

    def _part_units(self, number: int) -> list[Unit]:
        """The units of a part; parts are asked for in order, so the manifest is read once more only."""
        if self._latest and self._latest[0] == number:
            return self._latest[1]
        at, ahead = self._ahead or (0, self._parts())
        if at > number:
            at, ahead = 0, self._parts()
        units: list[Unit] = []
        while at <= number:
            units = next(ahead)
            at += 1
        self._ahead, self._latest = (at, ahead), (number, units)
        return units

    def _start(self, units: Sequence[Unit]) -> Job:
        from airflow_provider_encord.client.api import folder_uploads, uploads
        from airflow_provider_encord.client.api.data_items import data_items
        from airflow_provider_encord.client.resources.jobs import DATASET_UPLOAD, FOLDER_UPLOAD, Job

        items = data_items(units, skip_duplicate_urls=self._skip, upsert_metadata=self._upsert)
        if self._dataset:
            start = uploads.start_private_data(
                self._dataset, self._integration_id, items=items, ignore_errors=True, folder=self._folder
            )
            return Job(kind=DATASET_UPLOAD, resource=self._dataset, id=self.client.send(start))
        folder = str(self._folder)
        start = folder_uploads.start_folder_upload(
            folder, items=items, integration=self._integration_id, ignore_errors=True
        )
        return Job(kind=FOLDER_UPLOAD, resource=folder, id=self.client.send(start))

    def _find_integration(self) -> str:
        from airflow_provider_encord.client.resources.organisation import integration_of

        return integration_of(self.client.cloud_integrations(), str(self.integration))

    def _failures(self, answer: Any) -> dict[str, str]:
        return {
            url: error.error or error.action_description or "Encord gives no reason"
            for error in answer.data_unit_errors
            for url in error.object_urls
        }

    def _write_part(self, number: int, answer: Any, failures: Mapping[str, str]) -> None:
        from airflow_provider_encord.ingest.registration_receipt import registration_lines
        from airflow_provider_encord.storage_paths import is_local, storage_errors, write_whole

        path: Any = self._receipt
        with storage_errors("receipt", path):
            if is_local(path):
                path.mkdir(parents=True, exist_ok=True)
            lines = registration_lines(self._part_units(number), answer, failures)
            write_whole(path / f"part-{number:06d}.jsonl", lines)


def _without_connection(uri: str) -> str:
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
