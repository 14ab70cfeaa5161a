"""Rows of the table: API keys."""

from __future__ import annotations

from ..people import people
from ..requests.operations import Operation
from .rows import ANY_KEY, CHANGES, DATASET, PROJECT, READS, USER, v1

# fmt: off
OPERATIONS: tuple[Operation, ...] = (
    v1(READS, "api_key.lookup", "apikeymeta GET", people.api_key_meta, PROJECT, DATASET, key=ANY_KEY),
    v1(CHANGES, "api_key.project.create", "projectapikey POST", people.create_project_key, USER,
        uid=str, payload=people.ProjectKeyRequest),
    v1(READS, "api_key.project.list", "projectapikey GET", people.list_project_keys, USER, uid=str),
    v1(CHANGES, "api_key.dataset.create", "datasetapikey POST", people.create_dataset_key, USER,
        payload=people.DatasetKeyRequest),
    v1(READS, "api_key.dataset.list", "datasetapikey GET", people.list_dataset_keys, USER,
        payload=people.DatasetKeyQuestion),
)
# fmt: on
