"""Recorded requests of getting data into a dataset or a folder."""

from __future__ import annotations

from typing import Any

from airflow_provider_encord.client.api.uploads import IMAGE, NEWER_ITEM_LISTS, VIDEO, Kind, UploadedFile, data_items
from tests.wire.subjects.reading import Arguments, Key, Read, given, parameter, payload_of, resource_of, uid_of


def _kind(**wanted: str) -> Kind:
    ((name, value),) = wanted.items()
    return next(kind for kind in (IMAGE, VIDEO) if getattr(kind, name) == value)


def _signed_urls(request: dict[str, Any]) -> Arguments:
    return given(int(parameter(request, "count") or 0), _kind(upload_type=parameter(request, "uploadItemType") or ""))


def _signed_urls_v1(request: dict[str, Any]) -> Arguments:
    uid = uid_of(request)
    titles = uid if isinstance(uid, list) else [uid]
    return given(resource_of(request), titles, _kind(url_query=request["json"]["query_type"]))


def _upload_start(request: dict[str, Any]) -> Arguments:
    payload = payload_of(request)
    items = payload["dataItems"]
    files = [
        UploadedFile(kind=kind, object_url=one["objectUrl"], title=one["title"], client_metadata=one["clientMetadata"])
        for kind in (IMAGE, VIDEO)
        for one in items[kind.list_name]
    ]
    without = [name for name in NEWER_ITEM_LISTS if name not in items]
    ours = data_items(files, skip_duplicate_urls=items["skipDuplicateUrls"], without=without)
    return given(uid_of(request), ours, ignore_errors=payload["ignoreErrors"], folder=payload.get("folderUuid"))


def _poll(request: dict[str, Any]) -> Arguments:
    payload = payload_of(request)
    return given(uid_of(request), payload["process_hash"], timeout_seconds=payload["timeout_seconds"])


ARGUMENTS: dict[Key, Read] = {
    ("upload.signed_urls", "v2"): _signed_urls,
    ("upload.signed_urls", "v1"): _signed_urls_v1,
    ("upload.start", "v1"): _upload_start,
    ("dataset.add_private_data result", "v1"): _poll,
}

V1_SHAPES: dict[tuple[str, str], str] = {
    ("signedimagesurl", "GET"): "upload.signed_urls",
    ("signedvideourl", "GET"): "upload.signed_urls",
    ("datasetdatalongpolling", "GET"): "dataset.add_private_data result",
}

V2_SHAPES: list[tuple[str, str, str]] = [
    ("GET", "presigned-urls", "upload.signed_urls"),
]

NOT_YET: set[str] = {
    "dataset.add_private_data",
    "dataset.add_private_data start",
    "dataset.create_dicom_series",
    "dataset.create_image_group",
    "storage.add_private_data result",
    "storage.add_private_data start",
    "storage.create_image_group",
    "storage.upload_audio",
    "storage.upload_image",
    "storage.upload_job.cancel",
    "storage.upload_pdf",
    "storage.upload_text",
}

NOT_SERVED_YET: set[Key] = {
    ("dataset.add_private_data", "v1"),
    ("dataset.add_private_data result", "v1"),
    ("dataset.add_private_data start", "v1"),
    ("dataset.create_dicom_series", "v1"),
    ("dataset.create_dicom_series", "v2"),
    ("storage.add_private_data result", "v2"),
    ("storage.add_private_data start", "v2"),
    ("storage.create_image_group", "v2"),
    ("storage.upload_audio", "v2"),
    ("storage.upload_image", "v2"),
    ("storage.upload_job.cancel", "v2"),
    ("storage.upload_pdf", "v2"),
    ("storage.upload_text", "v2"),
}
