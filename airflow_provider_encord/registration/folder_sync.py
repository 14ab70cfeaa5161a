"""The sync of a cloud-synced folder with its bucket, which registers the objects that the folder lacks."""

from __future__ import annotations

from typing import Any

from airflow_provider_encord.attempts import fingerprint
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import UnavailableError
from airflow_provider_encord.client.flows.jobs import FOLDER_SYNC, Answer, Job, state_of
from airflow_provider_encord.job_parts import JobPart


class FolderSyncing:
    """The sync of one folder. It is one part, with one job.

    :param folder: Id of the folder.
    """

    def __init__(self, client: EncordClient, folder: str):
        self._client = client
        self.folder = client.folder(folder).id

    def part(self) -> JobPart:
        """Return the part."""
        return JobPart(about=fingerprint(sync=self.folder), after=True)

    def start(self) -> Job:
        """Start the sync."""
        return Job(kind=FOLDER_SYNC, resource=self.folder, id=self._client.folder(self.folder).start_sync())

    @staticmethod
    def result(job: Job, answer: Answer) -> dict[str, Any]:
        """Return the counts of a sync that has ended.

        :raises UnavailableError: The sync ended with an error.
        """
        state = state_of(answer)
        if not state.succeeded:
            raise UnavailableError(
                f"The sync {job.id} of folder {job.resource} ended with status {state.status}: {state.done} files were "
                f"synced, {state.failed} failed. Run the task again; files that are already synced are skipped."
            )
        return {
            "job_id": job.id,
            "synced": state.done,
            "failed": state.failed,
            "cancelled": state.cancelled,
            "pages": getattr(answer, "scan_pages_processing_done", 0),
        }
