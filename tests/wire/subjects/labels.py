"""Recorded requests of label rows."""

from __future__ import annotations

from typing import Any

import msgspec

from airflow_provider_encord.client.api.labels import LabelRowFilter
from tests.wire.subjects.reading import Arguments, Key, Read, given, payload_of, resource_of, uid_of


def _label_rows_list(request: dict[str, Any]) -> Arguments:
    payload = payload_of(request)
    newer = {"include_children", "client_metadata_as_signed_url"} - payload.keys()
    return given(resource_of(request), LabelRowFilter(**payload, **dict.fromkeys(newer, msgspec.UNSET)))


def _label_rows_get(request: dict[str, Any]) -> Arguments:
    options = {name: value for name, value in payload_of(request).items() if name != "multi_request"}
    return given(resource_of(request), uid_of(request), **options)


def _label_rows_create(request: dict[str, Any]) -> Arguments:
    payload = payload_of(request)
    return given(
        resource_of(request),
        uid_of(request),
        get_signed_url=payload["get_signed_url"],
        branch=payload.get("branch_name"),
    )


def _label_rows_save(request: dict[str, Any]) -> Arguments:
    payload, uid = dict(payload_of(request)), uid_of(request)
    validate = payload.pop("validate_before_saving", False)
    rows = payload if isinstance(uid, str) else payload["labels"]
    return given(resource_of(request), uid, rows, validate_before_saving=validate)


ARGUMENTS: dict[Key, Read] = {
    ("label_rows.list", "v1"): _label_rows_list,
    ("label_rows.get", "v1"): _label_rows_get,
    ("label_rows.create", "v1"): _label_rows_create,
    ("label_rows.save", "v1"): _label_rows_save,
}

V1_SHAPES: dict[tuple[str, str], str] = {
    ("labelrowmetadata", "GET"): "label_rows.list",
    ("labelrow", "GET"): "label_rows.get",
    ("labelrow", "PUT"): "label_rows.create",
    ("labelrow", "POST"): "label_rows.save",
}

V2_SHAPES: list[tuple[str, str, str]] = []

NOT_YET: set[str] = {
    "label_rows.classifications",
    "label_rows.copy_branch",
    "label_rows.set_status",
    "label_rows.submit_for_review",
    "label_rows.validation_state",
    "label_rows.workflow_complete",
    "label_rows.workflow_reopen",
}

NOT_SERVED_YET: set[Key] = {
    ("label_rows.classifications", "v2"),
    ("label_rows.copy_branch", "v1"),
    ("label_rows.set_status", "v1"),
    ("label_rows.submit_for_review", "v1"),
    ("label_rows.validation_state", "v2"),
}
