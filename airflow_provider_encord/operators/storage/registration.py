"""Register objects of a cloud bucket with Encord."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.assets import dataset_uri, folder_uri
from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError, OutcomeUnknownError
from airflow_provider_encord.client.identifiers import require_id
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
from airflow_provider_encord.operators.job_parts import JobPart, StartAgainError
from airflow_provider_encord.operators.jobs import JobOperator
from airflow_provider_encord.operators.literals import check_literals, one_of, up_to

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_encord.attempts import Claim, Owner
    from airflow_provider_encord.client.api.core.data_items import Unit
    from airflow_provider_encord.client.flows.jobs import Answer, Job
    from airflow_provider_encord.registration.cloud_source import CloudSource
    from airflow_provider_encord.registration.registered_groups import Registered, RegisteredGroups
    from airflow_provider_encord.registration.report import RegistrationReport


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
        `EncordUploadFilesOperator`. Default: the suffix of each name decides.
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
        self._claim: Claim | None = None
        self._report_path: ObjectStoragePath | None = None
        self._report: RegistrationReport | None = None
        self._owned_by: Mapping[str, str] | None = None
        self._version: str | None = None
        self._integration_id: Any = None
        self._groups: RegisteredGroups | None = None

    def prepare(self, context: Context) -> None:
        """Check the arguments and find the target."""
        from airflow_provider_encord.attempts import Claim
        from airflow_provider_encord.registration.report import RegistrationReport

        parse_choice(self.on_error, "on_error", ON_ERROR)
        self._skip = parse_bool(self.skip_duplicate_urls, "skip_duplicate_urls")
        self._upsert = parse_bool(self.upsert_metadata, "upsert_metadata")
        if self._upsert and not self._skip:
            raise InvalidArgumentError(
                "upsert_metadata: it needs skip_duplicate_urls=True, because it updates the objects that are skipped."
            )
        self._source = self._cloud_source()
        if blank_to_none(self.report) is not None:
            self._report_path = storage_path(self.report, "report")
        if self._report_path is not None:  # before the first request, so that `settle` can release the claim
            self._source.require_elsewhere(self._report_path, "report")
            report = RegistrationReport(self._report_path)
            if self._owned_by is None:  # not resumed after a deferral
                report.require_ours()
            self._claim = Claim(report.claim_path, self._owner(context), "report")
        self._folder = require_id(self.folder_id, "folder_id") if blank_to_none(self.folder_id) is not None else None
        alone = self._folder is not None and blank_to_none(self.dataset_id) is None
        self._dataset = None if alone else self.client.dataset(blank_to_none(self.dataset_id)).id
        if self._report_path is not None:
            self._report = RegistrationReport(self._report_path, dataset=self._dataset, folder=self._folder)
        if self._dataset:
            self.push_link(context, dataset_url, self._dataset)
        else:
            self.push_link(context, folder_url, str(self._folder))

    def reserve(self) -> None:
        """Claim the report."""
        if self._claim is not None and self._report is not None:
            self._claim.take()
            self._report.keep_earlier()

    def begin(self, context: Context) -> dict[str, Any]:
        """Read the whole manifest once, to find wrong lines before anything is sent."""
        from airflow_provider_encord.client.flows.organisation import integration_of
        from airflow_provider_encord.registration.counts import NO_UNITS

        if self._start_in_doubt and not self._skip:
            if self._report is not None:
                self._report.drop_open_parts()  # the user starts the next run after checking the target
            raise InvalidArgumentError(_in_doubt("An earlier attempt ended before its job returned a result."))
        self._version = self._source.version()
        counts = []
        for units, _ in self._source.jobs():
            counts.append(len(units))
            if self._claim is not None:
                self._claim.keep()
        if not counts:
            raise InvalidArgumentError(f"source: {self.source} has no objects. Check the path.")
        self.log.info("%d units to register, in %d jobs.", sum(counts), len(counts))
        self._integration_id = integration_of(self.client.cloud_integrations(), str(self.integration))
        return dict(NO_UNITS)

    def parts(self, after: Any) -> Iterator[JobPart]:
        """Yield the jobs while the source is read. The report records each job before it starts."""
        from airflow_provider_encord.attempts import fingerprint
        from airflow_provider_encord.client.api.core.data_items import data_items
        from airflow_provider_encord.registration.cloud_source import digest

        number = after["number"] if after else 0
        for units, place in self._source.jobs(after and after["place"]):
            self._source.require_version(self._version, retry_is_safe=self._skip)
            present = self._present(units)
            missing = [unit for position, unit in enumerate(units) if position not in present]
            items = data_items(missing, skip_duplicate_urls=self._skip, upsert_metadata=self._upsert)
            about = fingerprint(
                folder=self._folder, dataset=self._dataset, integration=self._integration_id, items=digest(items)
            )
            self._require_claim()
            if self._upsert and present:
                present = self.client.run(self._registered_groups().update_metadata(units, present))
            if self._report is not None:
                self._report.open_part(number, units, present)
            note = {"number": number, "units": len(units), "present": len(present)}
            number += 1
            after_it = {"place": place, "number": number}
            part = JobPart(about=about, note=note, after=after_it, content={"items": items, "units": missing})
            yield part if missing else dataclasses.replace(part, result=self._all_present(part))

    def start_part(self, part: JobPart) -> Job:
        """Start the job of a part.

        :raises InvalidArgumentError: The response was lost, and duplicates are not skipped.
        """

        self._require_claim()
        try:
            return self._start(part.content["items"])
        except OutcomeUnknownError:
            lost = "Encord's response to the start of a job was lost, so the objects may or may not be registered."
        except EncordError:
            if self._report is not None:
                self._report.drop_part(part.note["number"])  # nothing was started
            raise
        if not self._skip:
            if self._report is not None:
                self._report.drop_part(part.note["number"])
            raise InvalidArgumentError(_in_doubt(lost))
        self.log.warning("%s The job is started again; objects that are registered by then are skipped.", lost)
        self.client.run(self._registered_groups().wait_for(part.content["units"]))
        raise StartAgainError(lost)

    def _start(self, items: Mapping[str, Any]) -> Job:
        from airflow_provider_encord.registration.cloud_source import start_registration

        target = {"dataset": self._dataset, "folder": self._folder, "integration": self._integration_id}
        return self.client.run(start_registration(items, **target))

    def left_a_start(self) -> bool:
        """Return whether the report has a job without outcomes."""
        return self._report is not None and self._report.has_open_part

    def part_result(self, part: JobPart, job: Job, answer: Answer) -> dict[str, Any]:
        """Return the counts of the job. Write its part of the report, even if the job failed.

        :raises RefusedError: The whole job failed.
        :raises CountMismatchError: The job does not report an outcome for all units.
        """
        from airflow_provider_encord.client.api.uploads import UploadJob
        from airflow_provider_encord.registration.counts import counts_of_job

        self._require_claim()
        if isinstance(answer, UploadJob) and self._report is not None:
            self.client.run(self._report.write_outcomes(part.note["number"], answer))
        return counts_of_job(job, answer, units=part.note["units"], present=part.note["present"])

    def add(self, totals: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
        """Add the counts, and keep the first error messages."""
        from airflow_provider_encord.registration.counts import added

        return added(totals, result)

    def finish(self, context: Context, totals: Mapping[str, Any]) -> dict[str, Any]:
        """Return the counts, or fail."""
        if self._report is not None:
            self._report.finish()
        result = {
            "folder_id": self._folder,
            "dataset_id": self._dataset,
            "jobs": totals["jobs"],
            "units": totals["units"],
            "registered": totals["done"],
            "failed": totals["failed"],
            "cancelled": totals["cancelled"],
            "report": None if self._report_path is None else str(self._report_path),
        }
        lacking = result["failed"] + result["cancelled"]
        if lacking:
            where = "The report lists all of them" if self._report else "Pass `report` to list all of them in a file"
            text = f"{lacking} of {result['units']} units were not registered. {where}. Errors:\n"
            text += "\n".join(totals["reasons"])
            if self.on_error == FAIL:
                raise AirflowFailException(text)
            self.log.warning("%s", text)
        uri = dataset_uri if self._dataset else folder_uri
        self.record_asset_event(context, uri(self.client.settings.base_url, self._dataset or str(self._folder)), result)
        return result

    def before_poll(self) -> None:
        """Renew the claim on the report."""
        self._require_claim()

    def before_deferral(self, seconds: float) -> None:
        """Extend the claim on the report, because the triggerer does not renew it."""
        if self._claim is not None:
            self._claim.hold(seconds)

    def settle(self) -> None:
        """Write the report as far as it is known, if the attempt failed, and release the claim on it."""
        from airflow_provider_encord.registration.report import settle

        if self._claim is not None:
            settle(self._report, self._claim)

    def _present(self, units: Sequence[Unit]) -> dict[int, Registered]:
        """The groups and scenes that are already registered, by position. Encord itself skips only single files."""
        if not self._skip:
            return {}
        if self._start_in_doubt:  # it may have been the job of this part
            self.client.run(self._registered_groups().wait_for(units))
        return self.client.run(self._registered_groups().find(units))

    def _registered_groups(self) -> RegisteredGroups:
        from airflow_provider_encord.registration.registered_groups import RegisteredGroups

        if self._groups is None:
            credential = self.client.credential.kind
            self._groups = RegisteredGroups(credential, dataset=self._dataset, folder=self._folder)
        return self._groups

    def _all_present(self, part: JobPart) -> dict[str, Any]:
        """The result of a part that needs no job."""
        from airflow_provider_encord.client.api.uploads import DONE, UploadJob
        from airflow_provider_encord.registration.counts import counts_of_present

        if self._report is not None:
            self.client.run(self._report.write_outcomes(part.note["number"], UploadJob(status=DONE)))
        return counts_of_present(part.note["units"])

    def carry(self) -> dict[str, Any]:
        """Return the owner of the claim, the version of the source and the id of the integration."""
        owner = None if self._claim is None else dataclasses.asdict(self._claim.owner)
        return {"owner": owner, "version": self._version, "integration": self._integration_id}

    def take_over(self, carried: Mapping[str, Any]) -> None:
        """Restore them after a deferral, so that the claim stays valid."""
        self._owned_by = carried.get("owner")
        self._version = carried.get("version")
        self._integration_id = carried.get("integration")

    def _owner(self, context: Context) -> Owner:
        from airflow_provider_encord.attempts import Owner

        return Owner(**self._owned_by) if self._owned_by else owner_of(context)

    def _require_claim(self) -> None:
        if self._claim is not None:
            self._claim.check()

    def _cloud_source(self) -> CloudSource:
        from airflow_provider_encord.registration.cloud_source import CloudSource
        from airflow_provider_encord.sources.kinds import kind_named

        return CloudSource(
            path=storage_path(self.source, "source"),
            url_prefix=parse_url_prefix(self.url_prefix, "url_prefix"),
            kind=kind_named(str(self.kind)) if blank_to_none(self.kind) is not None else None,
            units_per_job=parse_positive_int(self.units_per_job, "units_per_job", most=MOST_UNITS_PER_JOB),
            switches={"skip_duplicate_urls": self._skip, "upsert_metadata": self._upsert},
        )


def _in_doubt(what: str) -> str:
    return (
        f"{what} With skip_duplicate_urls=False, starting the job again could register objects twice. Check the folder "
        "or dataset in Encord, or set skip_duplicate_urls=True and run the task again."
    )
