"""Recorded requests of label rows."""

from __future__ import annotations

from typing import Any

import msgspec

from airflow_provider_encord.client.api.labels import LabelRowFilter
from tests.wire.subjects.reading import UUID, Arguments, Key, Read, given, id_in_path, payload_of, resource_of, uid_of


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


def _copy_branch(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(
        id_in_path(request),
        body["labelUuids"],
        target=body["targetBranchName"],
        source=body["sourceBranchName"],
        overwrite=body["overwrite"],
    )


def _classifications(request: dict[str, Any]) -> Arguments:
    return given(id_in_path(request), request["json"]["labelUuids"], branch=request["json"]["branchName"])


def _validation_state(request: dict[str, Any]) -> Arguments:
    *_, label_hash, _ = request["path"].split("/")
    return given(id_in_path(request), label_hash)


def _moved(request: dict[str, Any]) -> Arguments:
    return given(resource_of(request), uid_of(request))


def _interpolate(request: dict[str, Any]) -> Arguments:
    parameters = payload_of(request)["algorithm_parameters"]
    return given(
        resource_of(request),
        parameters["key_frames"],
        parameters["objects_to_interpolate"],
        request_id=uid_of(request),
    )


ARGUMENTS: dict[Key, Read] = {
    ("label_rows.workflow_complete", "v1"): _moved,
    ("label_rows.workflow_reopen", "v1"): _moved,
    ("label_rows.set_priority", "v2"): lambda request: given(id_in_path(request), dict(request["json"]["priorities"])),
    ("label_rows.validation_state", "v2"): _validation_state,
    ("label_rows.classifications", "v2"): _classifications,
    ("label_rows.copy_branch", "v2"): _copy_branch,
    ("project.get_data", "v1"): lambda request: given(resource_of(request), **uid_of(request)),
    ("label_rows.interpolate", "v1"): _interpolate,
    ("label_rows.set_status", "v1"): lambda request: given(
        resource_of(request), uid_of(request), payload_of(request)["label_status"]
    ),
    ("label_rows.submit_for_review", "v1"): lambda request: given(resource_of(request), uid_of(request)),
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
    ("datasetdata", "GET"): "project.get_data",
    ("labelingalgorithm", "POST"): "label_rows.interpolate",
    ("labelstatus", "POST"): "label_rows.set_status",
    ("review", "PUT"): "label_rows.submit_for_review",
}

V2_SHAPES: list[tuple[str, str, str]] = [
    ("POST", f"projects/{UUID}/priorities", "label_rows.set_priority"),
    ("GET", f"projects/{UUID}/labels/{UUID}/validation-state", "label_rows.validation_state"),
    ("POST", f"projects/{UUID}/label-rows/classifications", "label_rows.classifications"),
    ("POST", f"projects/{UUID}/labels/copy-branch", "label_rows.copy_branch"),
]

NOT_YET: set[str] = set()

NOT_SERVED_YET: set[Key] = set()
