"""Sync a cloud-synced folder with its bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_encord.assets import folder_uri
from airflow_provider_encord.job_parts import JobPart
from airflow_provider_encord.links import folder_url
from airflow_provider_encord.operators.arguments import FAIL, ON_ERROR, parse_choice
from airflow_provider_encord.operators.jobs import JobOperator
from airflow_provider_encord.operators.literals import check_literals, one_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_encord.client.flows.jobs import Answer, Job


class EncordSyncFolderOperator(JobOperator):
    """Sync a cloud-synced folder with its bucket, and wait for the sync.

    Needs an SSH key. Safe to repeat: a sync adds only the missing files. On Airflow 3.3, a retry first waits for a sync
    that an earlier attempt left running, and then syncs the files that were added to the bucket since. Encord's API
    cannot cancel a sync. Encord API: ``storage/folders/{id}/cloud-linked-folder-syncs`` (v2).

    :param folder_id: Id of the cloud-synced folder (templated).
    :param on_error: What to do if some files could not be synced (templated): ``"fail"`` (default) fails the task after
        all other files are synced; ``"skip"`` only counts and logs them.
    :param deferrable: Wait in the triggerer instead of on a worker (templated). Default: Airflow's setting
        ``[operators] default_deferrable``.
    :param poll_interval: Seconds between two polls of the triggerer, at least 5 (templated). Default: 30.
    :param job_timeout: Seconds to wait for the sync to end (templated). Default: 6 hours.
    :return: ``{"folder_id", "job_id", "synced", "failed", "cancelled", "pages"}``: ids, the numbers of files that were
        synced, failed and cancelled, and the number of pages of the bucket listing. The asset event of the folder
        contains the same values.
    :raises AirflowFailException: The folder does not exist, or it is not a cloud-synced folder.
    :raises AirflowException: The sync ended with an error, did not end in time, or could not sync some files; a retry
        may help.
    """

    reuses_finished_jobs = False

    knows_project = False
    template_fields: Sequence[str] = ("folder_id", "on_error", *JobOperator.template_fields)

    def __init__(self, *, folder_id: str, on_error: str = FAIL, **kwargs: Any):
        super().__init__(**kwargs)
        self.folder_id = folder_id
        self.on_error = on_error
        check_literals(on_error=(on_error, one_of(*ON_ERROR)))

    def prepare(self, context: Context) -> None:
        """Find the folder."""
        from airflow_provider_encord.registration.folder_sync import FolderSyncing

        parse_choice(self.on_error, "on_error", ON_ERROR)
        self._sync = FolderSyncing(self.client, self.folder_id)
        self.push_link(context, folder_url, self._sync.folder)

    def parts(self, after: Any) -> Iterator[JobPart]:
        """Yield one part, the sync of the whole folder."""
        if after is None:
            yield self._sync.part()

    def start_part(self, part: JobPart) -> Job:
        """Start the sync."""
        return self._sync.start()

    def part_result(self, part: JobPart, job: Job, answer: Answer) -> dict[str, Any]:
        """Return the counts of the sync.

        :raises UnavailableError: The sync ended with an error.
        """
        return self._sync.result(job, answer)

    def add(self, totals: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
        """The result of the one sync."""
        return dict(result)

    def finish(self, context: Context, totals: Mapping[str, Any]) -> dict[str, Any]:
        """Return the counts, or fail.

        :raises AirflowException: Files could not be synced, and `on_error` is ``"fail"``.
        """
        result = {"folder_id": self._sync.folder, **totals}
        self.log.info("Folder %s: %d files synced, %d failed.", self._sync.folder, result["synced"], result["failed"])
        if lacking := result["failed"] + result["cancelled"]:
            text = (
                f"{lacking} files of the bucket were not synced, {result['synced']} were. Open the folder in Encord to "
                "see which."
            )
            if self.on_error == FAIL:
                raise AirflowException(f"{text} Run the task again, or set on_error='skip' to ignore them.")
            self.log.warning("%s", text)
        self.record_asset_event(context, folder_uri(self.client.settings.base_url, self._sync.folder), result)
        return result
