"""Copying a project. The answer is the id of the new one; like every creation it is never repeated blindly.

The same datasets are attached by an option; datasets of its own are made without that option, by
``create_new_dataset`` (protocol, section 7.3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.projects import project_resource
from airflow_provider_encord.client.api.reading import made, v1_reader
from airflow_provider_encord.client.api.registry import operation
from airflow_provider_encord.client.call import SSH_OR_API_KEY, Call, Envelope

LABEL_STATUSES = ("APPROVED", "PENDING", "REJECTED", "DELETED", "NOT_SELECTED_FOR_REVIEW")

_PROJECT_HASH = made(v1_reader(str))


class ClonedDataset(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset to make for the copy, with the data of the project's datasets.

    :param title: None leaves it to Encord, as does `description`.
    """

    title: str | None = None
    description: str | None = None


class CopiedLabels(msgspec.Struct, frozen=True, kw_only=True):
    """Which labels go along.

    :param label_hashes: Only these; None for all, an empty sequence for none.
    :param statuses: Only those of these review statuses (`LABEL_STATUSES`); None for all.
    """

    label_hashes: Sequence[str] | None = None
    statuses: Sequence[str] | None = None


@operation("project.copy", "v1")
def copy_project(
    project: str,
    *,
    title: str | None = None,
    description: str | None = None,
    attach_datasets: bool = False,
    clone_datasets: ClonedDataset | None = None,
    only_data: Mapping[str, Sequence[str]] | None = None,
    labels: CopiedLabels | None = None,
    collaborators: bool = False,
    models: bool = False,
) -> Call[str]:
    """Copy a project and get the id of the new one. A project cannot be deleted by API, so a repeat is for ever.

    :param attach_datasets: Attach the same datasets to the copy.
    :param clone_datasets: Make a dataset for it instead. Not both.
    :param only_data: Data hashes by dataset id: only this data is cloned, only its labels go along.
    :param labels: Which labels go along; None for none.
    :param collaborators: Give its users the same roles in the copy.
    :param models: Copy the models with their training.
    """
    chosen = {"labels": labels is not None, "datasets": attach_datasets, "models": models}
    options = [name for name, wanted in {**chosen, "collaborators": collaborators}.items() if wanted]
    accepted = labels or CopiedLabels()
    payload: dict[str, Any] = {
        "copy_project_options": options,
        "copy_labels_options": {
            "datasets_to_data_hashes_map": {name: list(data) for name, data in (only_data or {}).items()},
            "accepted_label_hashes": _listed(accepted.label_hashes),
            "accepted_label_statuses": _listed(accepted.statuses),
            "create_new_dataset": True if clone_datasets else None,
        },
        "project_copy_metadata": {
            "project_title": title,
            "project_description": description,
            "dataset_title": clone_datasets.title if clone_datasets else None,
            "dataset_description": clone_datasets.description if clone_datasets else None,
        },
    }
    request = Envelope("projectcopy", "POST", project_resource(project), uid=project, payload=payload)
    return Call(request=request, credentials=SSH_OR_API_KEY, changes=True, repeatable=False, read=_PROJECT_HASH)


def _listed(values: Sequence[str] | None) -> list[str] | None:
    return None if values is None else list(values)
