"""Recorded requests of getting data into a dataset or a folder."""

from __future__ import annotations

import base64
import re
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.data_items import (
    KINDS,
    NEWER_ITEM_LISTS,
    TIME_SERIES,
    DicomSeries,
    ImageGroup,
    ImageGroupFromItems,
    Kind,
    Part,
    Scene,
    Unit,
    UploadedFile,
    data_items,
)
from airflow_provider_encord.client.api.processing.cvat_import import CvatImage
from airflow_provider_encord.client.api.processing.dicom_deidentification import SaveCondition
from tests.wire.subjects.reading import (
    UUID,
    Arguments,
    Key,
    Read,
    given,
    id_in_path,
    parameter,
    payload_of,
    resource_of,
    uid_of,
)


def _kind(**wanted: str) -> Kind:
    ((name, value),) = wanted.items()
    return next(kind for kind in KINDS if getattr(kind, name) == value)


def _signed_urls(request: dict[str, Any]) -> Arguments:
    return given(int(parameter(request, "count") or 0), _kind(upload_type=parameter(request, "uploadItemType") or ""))


def _signed_urls_v1(request: dict[str, Any]) -> Arguments:
    uid = uid_of(request)
    titles = uid if isinstance(uid, list) else [uid]
    return given(resource_of(request), titles, _kind(url_query=request["json"]["query_type"]))


def _folder_signed_urls(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    subfolder = body.get("framesSubfolderName")
    return given(id_in_path(request), body["count"], _kind(item_type=body["itemType"]), frames_subfolder=subfolder)


def _part(entry: dict[str, Any]) -> Part:
    return Part(url=entry["url"], title=entry.get("title"), placeholder=entry.get("placeholderItemUuid"))


def _units(items: dict[str, Any]) -> list[Unit]:
    """What a recorded ``dataItems`` consists of, in our words."""
    files: list[Unit] = [
        UploadedFile(
            kind=kind,
            object_url=one["objectUrl"],
            title=one.get("title"),
            client_metadata=one["clientMetadata"],
            placeholder=one.get("placeholderItemUuid"),
            details=one.get("settings" if kind is TIME_SERIES else str(kind.details_name)),
        )
        for kind in KINDS
        if kind.list_name not in ("dicomSeries", "scenes")
        for one in items.get(kind.list_name, [])
    ]
    groups: list[Unit] = [
        ImageGroup(
            parts=[_part(image) for image in one["images"]],
            title=one.get("title"),
            client_metadata=one["clientMetadata"],
            create_video=one["createVideo"],
            cluster_by_resolution=one.get("clusterByResolution"),
        )
        for one in items["imageGroups"]
    ]
    series: list[Unit] = [
        DicomSeries(
            parts=[_part(file) for file in one["dicomFiles"]],
            title=one.get("title"),
            client_metadata=one["clientMetadata"],
        )
        for one in items["dicomSeries"]
    ]
    return files + groups + series + _of_items(items) + _scenes(items)


def _of_items(items: dict[str, Any]) -> list[Unit]:
    return [
        ImageGroupFromItems(
            items=one["imageItems"],
            title=one.get("title"),
            client_metadata=one["clientMetadata"],
            create_video=one["createVideo"],
            video_url_prefix=one.get("videoUrlPrefix"),
        )
        for one in items["imageGroupsFromItems"]
    ]


def _scenes(items: dict[str, Any]) -> list[Unit]:
    return [
        Scene(title=one["title"], scene=one["scene"], client_metadata=one["clientMetadata"])
        for one in items.get("scenes", [])
    ]


def _items(items: dict[str, Any]) -> dict[str, Any]:
    without = [name for name in NEWER_ITEM_LISTS if name not in items]
    return data_items(
        _units(items),
        skip_duplicate_urls=items["skipDuplicateUrls"],
        upsert_metadata=items["upsertMetadata"],
        without=without,
    )


def _upload_start(request: dict[str, Any]) -> Arguments:
    payload = payload_of(request)
    folder = payload.get("folderUuid")
    return given(uid_of(request), _items(payload["dataItems"]), ignore_errors=payload["ignoreErrors"], folder=folder)


def _what(body: dict[str, Any], files: str) -> dict[str, Any]:
    items = _items(body["dataItems"]) if "dataItems" in body else None
    return {"files": body.get(files), "items": items, "ignore_errors": body["ignoreErrors"]}


def _private_data_start(request: dict[str, Any]) -> Arguments:
    payload = payload_of(request)
    more = {"folder": payload.get("folderUuid"), "file_name": payload.get("fileName")}
    return given(uid_of(request), payload["integrationId"], **_what(payload, "files"), **more)


def _folder_start(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    more = {"integration": body.get("integrationHash"), "file_name": body.get("fileName")}
    return given(id_in_path(request), **_what(body, "externalFiles"), **more)


def _poll(request: dict[str, Any]) -> Arguments:
    payload = payload_of(request)
    return given(uid_of(request), payload["process_hash"], timeout_seconds=payload["timeout_seconds"])


def _folder_and_job(request: dict[str, Any]) -> list[str]:
    return re.findall(UUID, request["path"])


def _folder_poll(request: dict[str, Any]) -> Arguments:
    return given(*_folder_and_job(request), timeout_seconds=int(parameter(request, "timeoutSeconds") or 0))


def _deidentify(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(
        body["integrationUuid"],
        body["dicomUrls"],
        redact_tags=body["redactDicomTags"],
        redact_pixels=body["redactPixelsMode"],
        save_conditions=msgspec.convert(body["saveConditions"], list[SaveCondition]),
        upload_dir=body["uploadDir"],
    )


def _poll_job(request: dict[str, Any]) -> Arguments:
    return given(id_in_path(request), timeout_seconds=int(parameter(request, "timeoutSeconds") or 0))


def _import_cvat(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(
        body["datasetUuid"],
        base64.b64decode(body["annotationsBase64"]),
        msgspec.convert(body["data"], list[CvatImage]),
        review_mode=body["reviewMode"],
        boxes_to_polygons=body["transformBoundingBoxesToPolygons"],
    )


ARGUMENTS: dict[Key, Read] = {
    ("cvat_import.start", "v2"): _import_cvat,
    ("cvat_import.result", "v2"): _poll_job,
    ("dicom_deidentification.start", "v2"): _deidentify,
    ("dicom_deidentification.result", "v2"): _poll_job,
    ("upload.signed_urls", "v2"): _signed_urls,
    ("upload.signed_urls", "v1"): _signed_urls_v1,
    ("upload.start", "v1"): _upload_start,
    ("dataset.add_private_data start", "v1"): _private_data_start,
    ("dataset.add_private_data result", "v1"): _poll,
    ("storage.upload_signed_urls", "v2"): _folder_signed_urls,
    ("storage.add_private_data start", "v2"): _folder_start,
    ("storage.add_private_data result", "v2"): _folder_poll,
    ("storage.upload_job.cancel", "v2"): lambda request: given(*_folder_and_job(request)),
}

V1_SHAPES: dict[tuple[str, str], str] = {
    ("signedimagesurl", "GET"): "upload.signed_urls",
    ("signedvideourl", "GET"): "upload.signed_urls",
    ("signedaudiourl", "GET"): "upload.signed_urls",
    ("signeddicomsurl", "GET"): "upload.signed_urls",
    ("datasetdatalongpolling", "GET"): "dataset.add_private_data result",
}

V2_SHAPES: list[tuple[str, str, str]] = [
    ("POST", "projects/cvat-import", "cvat_import.start"),
    ("GET", f"projects/cvat-import/{UUID}", "cvat_import.result"),
    ("POST", "dicom-deidentification", "dicom_deidentification.start"),
    ("GET", f"dicom-deidentification/{UUID}", "dicom_deidentification.result"),
    ("GET", "presigned-urls", "upload.signed_urls"),
    ("POST", f"storage/folders/{UUID}/upload-signed-urls", "storage.upload_signed_urls"),
    ("POST", f"storage/folders/{UUID}/data-upload-jobs", "storage.add_private_data start"),
    ("GET", f"storage/folders/{UUID}/data-upload-jobs/{UUID}", "storage.add_private_data result"),
    ("POST", f"storage/folders/{UUID}/data-upload-jobs/{UUID}/cancel", "storage.upload_job.cancel"),
]

NOT_YET: set[str] = set()

NOT_SERVED_YET: set[Key] = {("dataset.add_private_data", "v1")}  # the one blocking call of 2022
