"""Copying a project. The result is the id of the copy. Like all creations, a copy is not repeatable.

One option attaches the same datasets to the copy. Without it, ``create_new_dataset`` creates a new dataset (protocol,
section 7.3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.reading import made, v1_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.api.projects import project_resource
from airflow_provider_encord.client.call import SSH_OR_API_KEY, Call, Envelope

LABEL_STATUSES = ("APPROVED", "PENDING", "REJECTED", "DELETED", "NOT_SELECTED_FOR_REVIEW")

_PROJECT_HASH = made(v1_reader(str))


class ClonedDataset(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset to create for the copy, with the data of the project's datasets.

    :param title: Title of the dataset; None lets Encord choose it.
    :param description: Description of the dataset; None lets Encord choose it.
    """

    title: str | None = None
    description: str | None = None


class CopiedLabels(msgspec.Struct, frozen=True, kw_only=True):
    """Which labels to copy.

    :param label_hashes: Only these rows; None for all, an empty sequence for none.
    :param statuses: Only labels with these review statuses (`LABEL_STATUSES`); None for all.
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
    """Copy a project. The result is the id of the copy. The API cannot delete a project, so a repeated copy stays.

    :param attach_datasets: Attach the same datasets to the copy. Not together with `clone_datasets`.
    :param clone_datasets: Create a new dataset for the copy.
    :param only_data: Data hashes by dataset id. Only this data and its labels are copied.
    :param labels: Which labels to copy; None for no labels.
    :param collaborators: Give the project's users the same roles in the copy.
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
