"""Register objects of a cloud bucket with Encord."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.assets import dataset_uri, folder_uri
from airflow_provider_encord.defaults import FILE_KINDS, MOST_UNITS_PER_JOB, UNITS_PER_JOB
from airflow_provider_encord.links import dataset_url, folder_url
from airflow_provider_encord.operators.arguments import (
    FAIL,
    ON_ERROR,
    blank_to_none,
    parse_bool,
    parse_choice,
    parse_positive_int,
    parse_url,
    parse_url_prefix,
    storage_path,
)
from airflow_provider_encord.operators.base import owner_of
from airflow_provider_encord.operators.jobs import JobOperator
from airflow_provider_encord.operators.literals import check_literals, one_of, up_to

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_encord.client.flows.jobs import Answer, Job
    from airflow_provider_encord.job_parts import JobPart
    from airflow_provider_encord.registration.registering import CloudRegistration


class EncordRegisterCloudDataOperator(JobOperator):
    """Register objects of your own bucket with a storage folder or a dataset, without copying files.

    The objects come from a manifest, or from the listing of a prefix. The task starts one job after the other, each
    with up to `units_per_job` units. A unit is a file, a group of files, a DICOM series or a scene. If a unit fails,
    the others are still registered. A folder needs an SSH key; a dataset also works with an API key of the dataset.

    Safe to repeat with `skip_duplicate_urls`: objects whose URL is already registered in the target are skipped, so a
    retry or a cleared task registers only what is missing. A group or series is skipped if one with the same title,
    type and files exists; the order of the files does not matter. For scenes, and for all groups with an API key (which
    cannot read the files), only title and type are compared; the log warns about this, and the report notes it.

    On Airflow 3.3, a retry first waits for a job that the previous attempt left running. A listing continues after the
    last registered key, even if objects were added or deleted in the meantime. If a manifest changes while it is
    registered, the task fails. If the task is killed, or marked as failed or cleared, it cancels its job in a folder;
    Encord's API cannot cancel the job of a dataset. Two tasks that register the same objects at the same time can
    register them twice: set ``max_active_tis_per_dag=1``.

    :param source: Path or URI of a manifest (templated): a ``.jsonl``, ``.csv`` or ``.json`` file with the field
        ``url`` and the optional fields ``kind``, ``title``, ``group`` and ``client_metadata``. Or a directory of an
        object store; its objects are listed.
    :param integration: Title or id of the cloud integration that Encord uses to read the bucket (templated).
    :param folder_id: Id of the storage folder (templated). With a dataset, the folder for its items.
    :param dataset_id: Id of the dataset (templated). Pass `folder_id`, `dataset_id`, or both.
    :param url_prefix: If `source` is a directory: the URL of this directory for Encord, such as ``s3://bucket/prefix``
        (templated). Default: the URI of the directory, without a connection id.
    :param kind: Type of the objects for which the manifest has no ``kind`` (templated); same values as in
        `EncordUploadFilesOperator`, except ``"scene"``: scenes are listed in Encord's upload JSON. Default: the suffix
        of each name decides.
    :param skip_duplicate_urls: Skip objects whose URL is already registered in the target (templated). Default: True
        (Encord's own default is False).
    :param upsert_metadata: Update the client metadata of skipped objects from the manifest (templated). Default: False.
        For groups and scenes this needs an SSH key. The log, and ``note`` in the report, say what was not updated.
    :param units_per_job: Maximum number of units in a job, 1 to 500000 (templated). Default: 10000.
    :param report: Path or URI of a JSON Lines file to write, with one line for each unit and its outcome (templated).
        The schema ``report`` of `airflow_provider_encord.schemas` lists the fields. The task writes it in parts while
        it runs, also if jobs fail. It replaces an earlier report; lines of that about other units are kept in a second
        file, whose name is the name of the report and ``.known``. Only one task at a time may write it. Default: no
        report.
    :param on_error: What to do if some units failed (templated): ``"fail"`` (default) fails the task after all other
        units are registered; ``"skip"`` only counts and logs them.
    :param deferrable: Wait in the triggerer instead of on a worker (templated). Default: Airflow's setting
        ``[operators] default_deferrable``.
    :param poll_interval: Seconds between two polls of the triggerer, at least 5 (templated). Default: 30.
    :param job_timeout: Seconds to wait for one job to end (templated). Default: 6 hours.
    :return: ``{"folder_id", "dataset_id", "jobs", "units", "registered", "failed", "cancelled", "report"}``: ids, and
        numbers of jobs and units. ``registered`` also counts skipped duplicates. ``registered``, ``failed`` and
        ``cancelled`` add up to ``units``. ``cancelled`` are the units of jobs that were cancelled; in the report their
        outcome is ``failed``. The asset event of the dataset or folder contains the same values.
    :raises AirflowFailException: An argument or a line of the manifest is wrong, units failed, or a job does not
        report an outcome for all of its units.
    :raises AirflowException: Encord could not be reached, or a job did not end in time; a retry may help.
    """

    knows_project = False
    template_fields: Sequence[str] = (
        "source",
        "integration",
        "folder_id",
        "dataset_id",
        "url_prefix",
        "kind",
        "skip_duplicate_urls",
        "upsert_metadata",
        "units_per_job",
        "report",
        "on_error",
        *JobOperator.template_fields,
    )

    def __init__(
        self,
        *,
        source: str | ObjectStoragePath,
        integration: str,
        folder_id: str | None = None,
        dataset_id: str | None = None,
        url_prefix: str | None = None,
        kind: str | None = None,
        skip_duplicate_urls: bool | str = True,
        upsert_metadata: bool | str = False,
        units_per_job: int | str = UNITS_PER_JOB,
        report: str | ObjectStoragePath | None = None,
        on_error: str = "fail",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.source = source
        self.integration = integration
        self.folder_id = folder_id
        self.dataset_id = dataset_id
        self.url_prefix = url_prefix
        self.kind = kind
        self.skip_duplicate_urls = skip_duplicate_urls
        self.upsert_metadata = upsert_metadata
        self.units_per_job = units_per_job
        self.report = report
        self.on_error = on_error
        check_literals(
            source=(source, parse_url),
            url_prefix=(url_prefix, parse_url_prefix),
            kind=(kind, one_of(*FILE_KINDS)),
            skip_duplicate_urls=(skip_duplicate_urls, parse_bool),
            upsert_metadata=(upsert_metadata, parse_bool),
            units_per_job=(units_per_job, up_to(MOST_UNITS_PER_JOB)),
            report=(report, parse_url),
            on_error=(on_error, one_of(*ON_ERROR)),
        )
        self._carried: Mapping[str, Any] = {}
        self._registration: CloudRegistration | None = None

    @property
    def _work(self) -> CloudRegistration:
        assert self._registration is not None  # noqa: S101 - `prepare` has set it
        return self._registration

    def prepare(self, context: Context) -> None:
        """Check the arguments and find the target."""
        from airflow_provider_encord.registration.registering import CloudRegistration

        parse_choice(self.on_error, "on_error", ON_ERROR)
        self._registration = CloudRegistration(  # before the first request, so that `settle` can release the claim
            skip_duplicate_urls=parse_bool(self.skip_duplicate_urls, "skip_duplicate_urls"),
            upsert_metadata=parse_bool(self.upsert_metadata, "upsert_metadata"),
            path=storage_path(self.source, "source"),
            url_prefix=parse_url_prefix(self.url_prefix, "url_prefix"),
            kind=str(self.kind) if blank_to_none(self.kind) is not None else None,
            units_per_job=parse_positive_int(self.units_per_job, "units_per_job", most=MOST_UNITS_PER_JOB),
            report=storage_path(self.report, "report") if blank_to_none(self.report) is not None else None,
            owner=owner_of(context),
            carried=self._carried,
        )
        self._work.open(self.client, folder_id=blank_to_none(self.folder_id), dataset_id=blank_to_none(self.dataset_id))
        if self._work.dataset:
            self.push_link(context, dataset_url, self._work.dataset)
        else:
            self.push_link(context, folder_url, str(self._work.folder))

    def reserve(self) -> None:
        """Claim the report."""
        self._work.reserve()

    def begin(self, context: Context) -> dict[str, Any]:
        """Read the whole manifest once, to find wrong lines before anything is sent."""
        return self._work.begin(str(self.integration), start_in_doubt=self._start_in_doubt)

    def parts(self, after: Any) -> Iterator[JobPart]:
        """Return the jobs. The report records each job before it starts."""
        return self._work.parts(after, start_in_doubt=self._start_in_doubt)

    def start_part(self, part: JobPart) -> Job:
        """Start the job of a part.

        :raises InvalidArgumentError: The response was lost, and duplicates are not skipped.
        """
        return self._work.start(part)

    def left_a_start(self) -> bool:
        """Return whether the report has a job without outcomes."""
        return self._work.left_a_start()

    def part_result(self, part: JobPart, job: Job, answer: Answer) -> dict[str, Any]:
        """Return the counts of the job, which become a part of the report."""
        return self._work.result(part, job, answer)

    def add(self, totals: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
        """Add the counts, and keep the first error messages."""
        return self._work.add(totals, result)

    def finish(self, context: Context, totals: Mapping[str, Any]) -> dict[str, Any]:
        """Return the counts, or fail."""
        result = self._work.finish(totals)
        lacking = result["failed"] + result["cancelled"]
        if lacking:
            where = (
                "The report lists all of them" if result["report"] else "Pass `report` to list all of them in a file"
            )
            text = f"{lacking} of {result['units']} units were not registered. {where}. Errors:\n"
            text += "\n".join(totals["reasons"])
            if self.on_error == FAIL:
                raise AirflowFailException(text)
            self.log.warning("%s", text)
        uri = dataset_uri if self._work.dataset else folder_uri
        target = self._work.dataset or str(self._work.folder)
        self.record_asset_event(context, uri(self.client.settings.base_url, target), result)
        return result

    def before_poll(self) -> None:
        """Renew the claim on the report."""
        self._work.check()

    def before_deferral(self, seconds: float) -> None:
        """Extend the claim on the report, because the triggerer does not renew it."""
        self._work.hold(seconds)

    def settle(self) -> None:
        """Write the report as far as it is known, if the attempt failed, and release the claim on it."""
        if self._registration is not None:
            self._registration.settle()

    def carry(self) -> dict[str, Any]:
        """Return the owner of the claim, the version of the source and the id of the integration."""
        return self._work.carry()

    def take_over(self, carried: Mapping[str, Any]) -> None:
        """Restore them after a deferral, so that the claim stays valid."""
        self._carried = carried
