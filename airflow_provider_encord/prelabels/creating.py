"""Creating label rows that are missing, also if somebody else creates them at the same moment."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_encord.client.api.labels import MAIN_BRANCH, LabelRowFilter
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import ConflictError, OutcomeUnknownError


def create_rows(client: EncordClient, project_id: str, branch: str, data_hashes: Sequence[str]) -> dict[str, str]:
    """Create the label rows of data units, which moves them to "label in progress".

    If somebody else has created them, or the response was lost, the existing rows are used.

    :return: The label hashes by data hash.
    """
    project = client.project(project_id)
    named = None if branch == MAIN_BRANCH else branch
    try:
        return {row.data_hash: row.label_hash for row in project.create_label_rows(data_hashes, branch=named)}
    except (ConflictError, OutcomeUnknownError):
        there = _existing(client, project_id, branch, data_hashes)
    missing = [data_hash for data_hash in data_hashes if data_hash not in there]
    if missing:
        there |= {row.data_hash: row.label_hash for row in project.create_label_rows(missing, branch=named)}
    return there


def _existing(client: EncordClient, project_id: str, branch: str, data_hashes: Sequence[str]) -> dict[str, str]:
    which = LabelRowFilter(branch_name=branch, data_hashes=list(data_hashes))
    listed = client.project(project_id).label_rows(which)
    return {row.data_hash: row.label_hash for row in listed if row.label_hash}
