"""The registration of one source, part by part.

The task starts the job of each part and waits for it. This module does everything else: it finds the target and the
source, claims the report, makes the parts, starts their jobs, and writes their outcomes.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_encord.attempts import Claim, Owner, fingerprint
from airflow_provider_encord.client.api.core.data_items import Unit, data_items
from airflow_provider_encord.client.api.uploads import DONE, UploadJob
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError, OutcomeUnknownError
from airflow_provider_encord.client.flows.jobs import Answer, Job
from airflow_provider_encord.client.flows.organisation import integration_of
from airflow_provider_encord.client.identifiers import require_id
from airflow_provider_encord.job_parts import JobPart, StartAgainError
from airflow_provider_encord.registration.cloud_source import CloudSource, digest, start_registration
from airflow_provider_encord.registration.counts import NO_UNITS, added, counts_of_job, counts_of_present
from airflow_provider_encord.registration.registered_groups import Registered, RegisteredGroups
from airflow_provider_encord.registration.report import RegistrationReport, settle
from airflow_provider_encord.sources.kinds import kind_named

log = logging.getLogger(__name__)


class CloudRegistration:
    """A registration. Call `open` first, then `reserve` and `begin` once in an attempt.

    :param path: Path object of the source: a manifest, or a directory to list.
    :param url_prefix: URL of the directory, as Encord reads it.
    :param kind: Name of the kind of the objects whose line has no kind.
    :param units_per_job: Maximum number of units in a job.
    :param skip_duplicate_urls: Skip objects that are registered already.
    :param upsert_metadata: Update the client metadata of objects that are skipped.
    :param report: Path object of the report; None for none.
    :param owner: The task, as the owner of the report.
    :param carried: What `carry` returned before the task was deferred.
    :raises InvalidArgumentError: The arguments contradict each other, or the report would replace another file.
    """

    dataset: str | None
    folder: str | None

    def __init__(
        self,
        *,
        path: Any,
        url_prefix: str | None,
        kind: str | None,
        units_per_job: int,
        skip_duplicate_urls: bool,
        upsert_metadata: bool,
        report: Any,
        owner: Owner,
        carried: Mapping[str, Any],
    ):
        if upsert_metadata and not skip_duplicate_urls:
            raise InvalidArgumentError(
                "upsert_metadata: it needs skip_duplicate_urls=True, because it updates the objects that are skipped."
            )
        self._skip, self._upsert = skip_duplicate_urls, upsert_metadata
        self._source = CloudSource(
            path=path,
            url_prefix=url_prefix,
            kind=None if kind is None else kind_named(kind),
            units_per_job=units_per_job,
            switches={"skip_duplicate_urls": skip_duplicate_urls, "upsert_metadata": upsert_metadata},
        )
        self._version: str | None = carried.get("version")
        self._integration: Any = carried.get("integration")
        self._report_path = report
        self._report: RegistrationReport | None = None
        self._claim = None if report is None else self._claim_of(report, owner, carried.get("owner"))

    def _claim_of(self, path: Any, owner: Owner, resumed: Mapping[str, str] | None) -> Claim:
        self._source.require_elsewhere(path, "report")
        report = RegistrationReport(path)
        if resumed is None:
            report.require_ours()
        return Claim(report.claim_path, owner if resumed is None else Owner(**resumed), "report")

    def open(self, client: EncordClient, *, folder_id: str | None, dataset_id: str | None) -> None:
        """Find the target. If this raises an error, call `settle`."""
        self._client = client
        self.folder = None if folder_id is None else require_id(folder_id, "folder_id")
        alone = self.folder is not None and dataset_id is None
        self.dataset = None if alone else client.dataset(dataset_id).id
        if self._report_path is not None:
            self._report = RegistrationReport(self._report_path, dataset=self.dataset, folder=self.folder)
        self._groups = RegisteredGroups(client.credential.kind, dataset=self.dataset, folder=self.folder)

    def reserve(self) -> None:
        """Claim the report."""
        if self._claim is not None and self._report is not None:
            self._claim.take()
            self._report.keep_earlier()

    def left_a_start(self) -> bool:
        """Whether the report has a job without outcomes."""
        return self._report is not None and self._report.has_open_part

    def begin(self, integration: str, *, start_in_doubt: bool) -> dict[str, Any]:
        """Read the whole source once, to find wrong lines before anything is sent.

        :param integration: Title or id of the integration.
        :param start_in_doubt: Whether an earlier attempt may have started a job whose result is not known.
        :return: The initial totals for `add`.
        """
        if start_in_doubt and not self._skip:
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
            raise InvalidArgumentError(f"source: {self._source.path} has no objects. Check the path.")
        log.info("%d units to register, in %d jobs.", sum(counts), len(counts))
        self._integration = integration_of(self._client.cloud_integrations(), integration)
        return dict(NO_UNITS)

    def parts(self, after: Any, *, start_in_doubt: bool) -> Iterator[JobPart]:
        """Yield the jobs while the source is read. The report records each job before it starts.

        :param after: `JobPart.after` of the last finished part; None to begin with the first part.
        """
        number = after["number"] if after else 0
        for units, place in self._source.jobs(after and after["place"]):
            self._source.require_version(self._version, retry_is_safe=self._skip)
            present = self._present(units, start_in_doubt=start_in_doubt)
            missing = [unit for position, unit in enumerate(units) if position not in present]
            items = data_items(missing, skip_duplicate_urls=self._skip, upsert_metadata=self._upsert)
            about = fingerprint(
                folder=self.folder, dataset=self.dataset, integration=self._integration, items=digest(items)
            )
            self.check()
            if self._upsert and present:
                present = self._client.run(self._groups.update_metadata(units, present))
            if self._report is not None:
                self._report.open_part(number, units, present)
            note = {"number": number, "units": len(units), "present": len(present)}
            number += 1
            after_it = {"place": place, "number": number}
            part = JobPart(about=about, note=note, after=after_it, content={"items": items, "units": missing})
            yield part if missing else dataclasses.replace(part, result=self._all_present(part))

    def start(self, part: JobPart) -> Job:
        """Start the job of a part.

        :raises StartAgainError: The response was lost, and the part can be made and started again.
        :raises InvalidArgumentError: The response was lost, and duplicates are not skipped.
        """
        self.check()
        target = {"dataset": self.dataset, "folder": self.folder, "integration": self._integration}
        try:
            return self._client.run(start_registration(part.content["items"], **target))
        except OutcomeUnknownError:
            lost = "Encord's response to the start of a job was lost, so the objects may or may not be registered."
        except EncordError:
            self._drop(part)  # nothing was started
            raise
        if not self._skip:
            self._drop(part)
            raise InvalidArgumentError(_in_doubt(lost))
        log.warning("%s The job is started again; objects that are registered by then are skipped.", lost)
        self._client.run(self._groups.wait_for(part.content["units"]))
        raise StartAgainError(lost)

    def result(self, part: JobPart, job: Job, answer: Answer) -> dict[str, Any]:
        """Return the counts of a job that has ended. Write its part of the report, even if the job failed.

        :raises RefusedError: The whole job failed.
        :raises CountMismatchError: The job does not report an outcome for all units.
        """
        self.check()
        if isinstance(answer, UploadJob) and self._report is not None:
            self._client.run(self._report.write_outcomes(part.note["number"], answer))
        return counts_of_job(job, answer, units=part.note["units"], present=part.note["present"])

    @staticmethod
    def add(totals: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
        """Add the counts, and keep the first error messages."""
        return added(totals, result)

    def finish(self, totals: Mapping[str, Any]) -> dict[str, Any]:
        """Write the whole report.

        :return: The ids of the target, the counts, and the URI of the report.
        """
        if self._report is not None:
            self._report.finish()
        return {
            "folder_id": self.folder,
            "dataset_id": self.dataset,
            "jobs": totals["jobs"],
            "units": totals["units"],
            "registered": totals["done"],
            "failed": totals["failed"],
            "cancelled": totals["cancelled"],
            "report": None if self._report_path is None else str(self._report_path),
        }

    def check(self) -> None:
        """Renew the claim on the report."""
        if self._claim is not None:
            self._claim.check()

    def hold(self, seconds: float) -> None:
        """Extend the claim on the report, because the triggerer does not renew it."""
        if self._claim is not None:
            self._claim.hold(seconds)

    def settle(self) -> None:
        """Write the report as far as it is known, if the attempt failed, and release the claim on it."""
        if self._claim is not None:
            settle(self._report, self._claim)

    def carry(self) -> dict[str, Any]:
        """Return the owner of the claim, the version of the source and the id of the integration."""
        owner = None if self._claim is None else dataclasses.asdict(self._claim.owner)
        return {"owner": owner, "version": self._version, "integration": self._integration}

    def _drop(self, part: JobPart) -> None:
        if self._report is not None:
            self._report.drop_part(part.note["number"])

    def _present(self, units: Sequence[Unit], *, start_in_doubt: bool) -> dict[int, Registered]:
        """The groups and scenes that are already registered, by position. Encord itself skips only single files."""
        if not self._skip:
            return {}
        if start_in_doubt:  # it may have been the job of this part
            self._client.run(self._groups.wait_for(units))
        return self._client.run(self._groups.find(units))

    def _all_present(self, part: JobPart) -> dict[str, Any]:
        """The result of a part that needs no job."""
        if self._report is not None:
            self._client.run(self._report.write_outcomes(part.note["number"], UploadJob(status=DONE)))
        return counts_of_present(part.note["units"])


def _in_doubt(what: str) -> str:
    return (
        f"{what} With skip_duplicate_urls=False, starting the job again could register objects twice. Check the folder "
        "or dataset in Encord, or set skip_duplicate_urls=True and run the task again."
    )
