"""What recordings of uploads and registrations need: jobs that ended as the recorded ones did."""

from __future__ import annotations

import base64
import tempfile
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.sdk import media
from tests.wire.preparations.storage import EMPTY_LISTS, JOB, make_folders, start_upload

_JOB = f"{JOB}-0000-4000-8000-000000000001"


def _fails(world: Any) -> bool:
    last = world.recording.exchanges[-1].response.get("json") or {}
    return "ERROR" in str(last.get("response", last))


def _dataset_job(world: Any) -> None:
    dataset = world.ids["bbbbbbbb-0000-4000-8000-000000000001"]
    url = world.user.v2("GET", "/v2/public/presigned-urls?count=1&uploadItemType=image")["results"][0]
    if not _fails(world):
        parts = urllib.parse.urlsplit(url["signedUrl"])
        world.user.server.send("PUT", f"{parts.path}?{parts.query}", {}, media.jpeg(64, 48))
    images = [{"objectUrl": url["objectKey"], "title": "cat.jpg"}]
    items = {**{name: [] for name in EMPTY_LISTS}, "images": images, "skipDuplicateUrls": False}
    wanted = {"dataItems": items, "ignoreErrors": False}
    started = world.user.v1("datasetdatalongpolling", "POST", dataset, wanted, dataset=dataset)
    world.ids[_JOB] = started["process_hash"]


def _folder_job(world: Any) -> None:
    make_folders(world)
    if not _fails(world):
        world.ids[_JOB] = start_upload(world, ["cat.jpg"])
        return
    folder = world.ids["dddddddd-0000-4000-8000-000000000001"]
    items = {**{name: [] for name in EMPTY_LISTS}, "images": [{"objectUrl": "missing", "title": "cat.jpg"}]}
    body = {"dataItems": items, "ignoreErrors": False, "fileName": "files.json"}
    world.ids[_JOB] = str(world.user.v2("POST", f"/v2/public/storage/folders/{folder}/data-upload-jobs", body))


def _deidentification(world: Any) -> None:
    """A job for one file of a bucket. The folder of files goes with the world."""
    world.files = tempfile.TemporaryDirectory()
    Path(world.files.name, "a.dcm").write_bytes(media.dicom("1.2.3"))
    url = "https://s3.eu-west-1.amazonaws.com/bucket"
    bucket = {"integration": "studies", "url": url, "directory": world.files.name}
    integration = world.user.server.control("POST", "buckets", bucket)["integrationUuid"]
    wanted = {"integrationUuid": integration, "dicomUrls": [f"{url}/a.dcm"]}
    world.ids[_JOB] = world.user.v2("POST", "/v2/public/dicom-deidentification", wanted)


def _cvat_import(world: Any) -> None:
    """An import of one image, on which somebody drew a box."""
    url = world.user.v2("GET", "/v2/public/presigned-urls?count=1&uploadItemType=image")["results"][0]
    parts = urllib.parse.urlsplit(url["signedUrl"])
    world.user.server.send("PUT", f"{parts.path}?{parts.query}", {}, media.jpeg(64, 48))
    wanted = {"title": "From CVAT", "createBackingFolder": True, "legacyCall": False}
    dataset = world.user.v2("POST", "/v2/public/datasets", wanted)["datasetUuid"]
    annotations = b'<annotations><meta/><image name="cat.jpg"><box label="car"/></image></annotations>'
    body = {
        "annotationsBase64": base64.b64encode(annotations).decode(),
        "datasetUuid": dataset,
        "reviewMode": "labelled",
        "data": [{"dataPath": "cat.jpg", "dataLink": url["objectKey"], "title": "cat.jpg"}],
        "transformBoundingBoxesToPolygons": False,
    }
    world.ids[_JOB] = world.user.v2("POST", "/v2/public/projects/cvat-import", body)


PREPARATIONS: dict[str, Callable[[Any], None]] = {
    "dataset.add_private_data result": _dataset_job,
    "storage.add_private_data start": make_folders,
    "storage.add_private_data result": _folder_job,
    "storage.upload_job.cancel": _folder_job,
    "cvat_import.result": _cvat_import,
    "dicom_deidentification.result": _deidentification,
    "storage.upload_image": make_folders,
    "storage.upload_audio": make_folders,
    "storage.upload_pdf": make_folders,
    "storage.upload_text": make_folders,
    "storage.create_image_group": make_folders,
}
