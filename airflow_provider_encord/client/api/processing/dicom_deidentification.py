"""De-identification of DICOM files in a bucket: Encord writes redacted copies beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.reading import v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import Call, Request

PIXEL_MODES = ("redactAllText", "redactNoText", "redactSensitiveText")


class SaveCondition(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A condition that a file must meet so that its copy is saved.

    :param dicom_tag: The tag, such as ``x00080060``.
    :param condition_type: ``notSubstr``: the tag must not contain `value`. ``in``: it must be one of `value`, a list.
    """

    value: str | list[str]
    condition_type: str
    dicom_tag: str


class Deidentification(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a job.

    :param status: ``PENDING``, ``DONE`` or ``ERROR``. Encord gives no reason for an error.
    :param urls: The redacted copies, once the job is done.
    """

    status: str
    urls: list[str] | None = None


_JOB_ID = v2_reader(str)
_JOB = v2_reader(Deidentification)


@operation("dicom_deidentification.start", "v2")
def start_deidentification(
    integration: str,
    urls: Sequence[str],
    *,
    redact_tags: bool = True,
    redact_pixels: str = "redactNoText",
    save_conditions: Sequence[SaveCondition] = (),
    upload_dir: str | None = None,
) -> Call[str]:
    """Start a job. The response is its id.

    :param integration: Id of the cloud integration that reads and writes the bucket.
    :param redact_tags: Redact the tags of the files.
    :param redact_pixels: One of `PIXEL_MODES`: which text in the images is redacted.
    :param upload_dir: Folder for the copies; None for the folder of each file.
    """
    body: dict[str, Any] = {
        "integrationUuid": integration,
        "dicomUrls": list(urls),
        "redactDicomTags": redact_tags,
        "redactPixelsMode": redact_pixels,
    }
    if save_conditions:
        body["saveConditions"] = [msgspec.to_builtins(condition) for condition in save_conditions]
    if upload_dir is not None:
        body["uploadDir"] = upload_dir
    request = Request("POST", "dicom-deidentification", json=body)
    return Call(request=request, changes=True, repeatable=False, read=_JOB_ID)


@operation("dicom_deidentification.result", "v2")
def poll_deidentification(job: str, *, timeout_seconds: int = 0) -> Call[Deidentification]:
    """Read the state of a job.

    :param timeout_seconds: Seconds that Encord may hold the request while the job runs, at most 60.
    """
    request = Request("GET", f"dicom-deidentification/{job}", {"timeoutSeconds": timeout_seconds})
    return Call(request=request, hold_seconds=timeout_seconds, read=_JOB)
