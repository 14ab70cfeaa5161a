"""Importing a CVAT export ("CVAT for images 1.1") as a new project.

The images are uploaded before, and a dataset with a backing folder is created for them; see `uploads` and `datasets`.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec

from airflow_provider_encord.client.api.core.reading import v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import Call, Request

REVIEW_MODES = ("unlabelled", "labelled", "reviewed")


class CvatImage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An image of the export.

    :param data_path: Path below the folder ``images`` of the export, as the annotations name it.
    :param data_link: The `SignedUrl.object_key` of the uploaded image.
    """

    data_path: str
    data_link: str
    title: str


class ImportIssue(msgspec.Struct, frozen=True, kw_only=True):
    """A problem of an import, and where it occurs."""

    issue_type: str
    instances: list[str] = []


class ImportIssues(msgspec.Struct, frozen=True, kw_only=True):
    """What an import reports."""

    errors: list[ImportIssue] = []
    warnings: list[ImportIssue] = []
    infos: list[ImportIssue] = []


class CvatImport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The state of an import.

    :param status: ``PENDING``, ``DONE`` or ``ERROR``.
    :param project_uuid: Id of the new project, once the import is done.
    """

    status: str
    project_uuid: str | None = None
    issues: ImportIssues | None = None


_JOB_ID = v2_reader(str)
_IMPORT = v2_reader(CvatImport)


@operation("cvat_import.start", "v2")
def start_cvat_import(
    dataset: str,
    annotations: bytes,
    images: Sequence[CvatImage],
    *,
    review_mode: str,
    boxes_to_polygons: bool = False,
) -> Call[str]:
    """Start an import. The response is the id of its job.

    :param annotations: Content of ``annotations.xml``.
    :param review_mode: One of `REVIEW_MODES`: how much of the work on the labels is done.
    :param boxes_to_polygons: Import bounding boxes as polygons.
    """
    body = {
        "annotationsBase64": base64.b64encode(annotations).decode(),
        "datasetUuid": dataset,
        "reviewMode": review_mode,
        "data": [msgspec.to_builtins(image) for image in images],
        "transformBoundingBoxesToPolygons": boxes_to_polygons,
    }
    request = Request("POST", "projects/cvat-import", json=body)
    return Call(request=request, changes=True, repeatable=False, read=_JOB_ID)


@operation("cvat_import.result", "v2")
def poll_cvat_import(job: str, *, timeout_seconds: int = 0) -> Call[CvatImport]:
    """Read the state of an import.

    :param timeout_seconds: Seconds that Encord may hold the request while the import runs, at most 60.
    """
    request = Request("GET", f"projects/cvat-import/{job}", {"timeoutSeconds": timeout_seconds})
    return Call(request=request, hold_seconds=timeout_seconds, read=_IMPORT)
