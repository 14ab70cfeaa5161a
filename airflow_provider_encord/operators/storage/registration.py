"""Register objects of the user's own bucket."""

from __future__ import annotations

import dataclasses
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
from airflow_provider_encord.operators.job_parts import JobPart, StartAgainError
from airflow_provider_encord.operators.jobs import JobOperator
from airflow_provider_encord.operators.literals import check_literals, one_of, up_to

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_encord.attempts import Claim, Owner
    from airflow_provider_encord.client.api.data_items import Unit
    from airflow_provider_encord.client.resources.jobs import Answer, Job
    from airflow_provider_encord.registration.cloud_source import CloudSource
    from airflow_provider_encord.registration.registered_groups import Registered, RegisteredGroups
    from airflow_provider_encord.registration.report import RegistrationReport


class EncordRegisterCloudDataOperator(JobOperator):
    """Register objects of your own bucket with a storage folder or a dataset, without copying files.

    The objects come from a manifest, or from a listing of a prefix. They are registered in jobs of up to
    `units_per_job`, one after the other. One bad object does not stop the others. Into a folder it needs an SSH key;
    into a dataset it works with an API key of the dataset, too.

    Safe to repeat with `skip_duplicate_urls`: what is in the folder from the same URL is left out, so a retry or a
    cleared task registers what is missing. A group or series is left out if one of its title and type has the same
    files, also in another order. With an API key, which cannot read the files, the title alone decides, and so it does
    for scenes. The log warns of both, and the report says it. On Airflow 3.3 a retry first waits for a
    job that the attempt before left running. A listing is continued after the last key that was registered, so objects
    that come or go meanwhile move no others; a manifest that is changed while it is registered is an error. A task
    that is killed, or failed or cleared by hand, cancels its job, in folders; Encord's API has nothing to cancel a
    dataset's job. Two tasks that register the same objects at once can register them twice: set
    ``max_active_tis_per_dag=1``.

    :param source: The manifest (templated): path or URI of a ``.jsonl``, ``.csv`` or ``.json`` file with the
        field ``url`` and, if needed, ``kind``, ``title``, ``group`` and ``client_metadata``. Or a directory of an
        object store, which is listed.
    :param integration: Title or id of the cloud integration by which Encord reads the bucket (templated).
    :param folder_id: Id of the storage folder (templated). With a dataset, the folder that keeps its items.
    :param dataset_id: Id of the dataset (templated). Give one of the two, or both.
    :param url_prefix: For a listing: what stands for the directory in URLs that Encord reads, such as
        ``s3://bucket/prefix`` (templated). Default: the directory's own URI, without the id of a connection.
    :param kind: What the objects are that do not say it, whatever their names (templated); as with
        `EncordUploadFilesOperator`.
    :param skip_duplicate_urls: Leave out what is registered from the same URL (templated). Default: True; in Encord's
        API it is False.
    :param upsert_metadata: Give objects that are left out the client metadata of the manifest (templated). Default:
        False. For groups and scenes it needs an SSH key; what was not updated is in the log, and in ``note`` of the
        report.
    :param units_per_job: How many units to register at once, 1 to 500000 (templated). Default: 10000.
    :param report: Path or URI of a file to write (templated): JSON Lines, one for each unit, with its outcome; the
        schema ``report`` of `airflow_provider_encord.schemas` lists its fields. Written in parts while the task runs,
        and also if jobs fail. An earlier report is replaced; what it has about other units is kept beside it, in a file
        of its name with ``.known`` after it. One task at a time may write it. Default: none.
    :param on_error: ``"fail"`` (default) fails the task if units failed, after all others are registered; ``"skip"``
        succeeds (templated).
    :param deferrable: Wait in the triggerer, without a worker (templated). Default: Airflow's setting
        ``[operators] default_deferrable``.
    :param poll_interval: Seconds between two looks of the triggerer, 5 or more (templated). Default: 30.
    :param job_timeout: Seconds to wait for one job to end (templated). Default: 6 hours.
    :return: ``{"folder_id", "dataset_id", "jobs", "units", "registered", "failed", "cancelled", "report"}``: ids, and
        numbers of jobs and units. ``registered`` is what Encord counts as done, skipped duplicates among them;
        ``registered``, ``failed`` and ``cancelled`` add up to ``units``. ``cancelled`` are units of jobs that were
        cancelled; in the report their outcome is ``failed``. The asset event of the dataset or folder gets the same.
    :raises AirflowFailException: An argument or a line of the manifest is wrong, units failed, or a job does not
        account for all of its units.
    :raises AirflowException: Encord was not reached, or a job did not end in time; a retry may help.
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
        from airflow_provider_encord.client.errors import InvalidArgumentError
        from airflow_provider_encord.client.resources.identifiers import require_id
        from airflow_provider_encord.registration.report import RegistrationReport

        parse_choice(self.on_error, "on_error", ON_ERROR)
        self._skip = parse_bool(self.skip_duplicate_urls, "skip_duplicate_urls")
        self._upsert = parse_bool(self.upsert_metadata, "upsert_metadata")
        if self._upsert and not self._skip:
            raise InvalidArgumentError("upsert_metadata: it works along with skip_duplicate_urls only.")
        self._source = self._cloud_source()
        if blank_to_none(self.report) is not None:
            self._report_path = storage_path(self.report, "report")
        if self._report_path is not None:  # before any request: if one fails, `settle` releases the claim
            self._source.require_elsewhere(self._report_path, "report")
            report = RegistrationReport(self._report_path)
            if self._owned_by is None:  # no deferral came before
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
        """Read the whole manifest once, so that a wrong line is found before anything is sent."""
        from airflow_provider_encord.client.errors import InvalidArgumentError
        from airflow_provider_encord.client.resources.organisation import integration_of
        from airflow_provider_encord.registration.counts import NO_UNITS

        if self._start_in_doubt and not self._skip:
            if self._report is not None:
                self._report.drop_open_parts()  # the next run is that of somebody who has looked
            raise InvalidArgumentError(_in_doubt("An earlier attempt ended before it knew what its job registered."))
        self._version = self._source.version()
        counts = []
        for units, _ in self._source.jobs():
            counts.append(len(units))
            if self._claim is not None:
                self._claim.keep()
        if not counts:
            raise InvalidArgumentError(f"source: {self.source} names no objects.")
        self.log.info("%d units to register, in %d jobs.", sum(counts), len(counts))
        self._integration_id = integration_of(self.client.cloud_integrations(), str(self.integration))
        return dict(NO_UNITS)

    def parts(self, after: Any) -> Iterator[JobPart]:
        """The jobs, cut from the source as they are needed; what each is sent is noted before it starts."""
        from airflow_provider_encord.attempts import fingerprint
        from airflow_provider_encord.client.api.data_items import data_items
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

        :raises InvalidArgumentError: The answer was lost, and duplicates are not skipped.
        """
        from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError, OutcomeUnknownError

        self._require_claim()
        try:
            return self._start(part.content["items"])
        except OutcomeUnknownError:
            lost = "The answer of Encord to the start of a job was lost, so the objects may be registered or not."
        except EncordError:
            if self._report is not None:
                self._report.drop_part(part.note["number"])  # nothing was started
            raise
        if not self._skip:
            if self._report is not None:
                self._report.drop_part(part.note["number"])
            raise InvalidArgumentError(_in_doubt(lost))
        self.log.warning("%s It is started again; what is there by then is left out.", lost)
        self.client.run(self._registered_groups().wait_for(part.content["units"]))
        raise StartAgainError(lost)

    def _start(self, items: Mapping[str, Any]) -> Job:
        from airflow_provider_encord.registration.cloud_source import start_registration

        target = {"dataset": self._dataset, "folder": self._folder, "integration": self._integration_id}
        return self.client.run(start_registration(items, **target))

    def left_a_start(self) -> bool:
        """Whether the report has a job without outcomes."""
        return self._report is not None and self._report.has_open_part

    def part_result(self, part: JobPart, job: Job, answer: Answer) -> dict[str, Any]:
        """Its counts; and its part of the report, also if the job failed.

        :raises RefusedError: The job failed as a whole.
        :raises CountMismatchError: It does not account for all units.
        """
        from airflow_provider_encord.client.api.uploads import UploadJob
        from airflow_provider_encord.registration.counts import counts_of_job

        self._require_claim()
        if isinstance(answer, UploadJob) and self._report is not None:
            self.client.run(self._report.write_outcomes(part.note["number"], answer))
        return counts_of_job(job, answer, units=part.note["units"], present=part.note["present"])

    def add(self, totals: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
        """Sums, and the first reasons of failures."""
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
            where = "the report lists them all" if self._report else "with the argument report, all are listed"
            text = f"{lacking} of {result['units']} units are not registered; {where}:\n" + "\n".join(totals["reasons"])
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
        """Hold the claim on the report: nothing renews it in the triggerer."""
        if self._claim is not None:
            self._claim.hold(seconds)

    def settle(self) -> None:
        """Write the report of what is known, if the attempt failed, and release it."""
        from airflow_provider_encord.registration.report import settle

        if self._claim is not None:
            settle(self._report, self._claim)

    def _present(self, units: Sequence[Unit]) -> dict[int, Registered]:
        """The groups and scenes that are registered already, by position; Encord itself skips single files only."""
        if not self._skip:
            return {}
        if self._start_in_doubt:  # of which part that was is not known
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
        """What the attempt is, and what the source was."""
        owner = None if self._claim is None else dataclasses.asdict(self._claim.owner)
        return {"owner": owner, "version": self._version, "integration": self._integration_id}

    def take_over(self, carried: Mapping[str, Any]) -> None:
        """Remain the same attempt after a deferral."""
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
        f"{what} With skip_duplicate_urls=False, starting it again could register objects twice. Look into the folder "
        "or dataset; or set skip_duplicate_urls=True and run the task again."
    )
