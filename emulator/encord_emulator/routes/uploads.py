"""Rows of the table: uploads."""

from __future__ import annotations

from ..requests.operations import Operation
from ..uploads import deidentification, uploads
from .rows import CHANGES, DATA_EITHER, DATA_WRITE, DATASET, READS, v1, v2

# fmt: off
OPERATIONS: tuple[Operation, ...] = (
    v2(READS, "upload.presigned_urls", "GET presigned-urls", uploads.presigned_urls, uploads.PresignedQuery),
    v1(READS, "upload.signed_image_urls", "signedimagesurl GET", uploads.signed_urls_of_many, DATASET,
        uid=list[str], key=DATA_WRITE),
    v1(READS, "upload.signed_dicom_urls", "signeddicomsurl GET", uploads.signed_urls_of_many, DATASET,
        uid=list[str], key=DATA_WRITE),
    v1(READS, "upload.signed_video_url", "signedvideourl GET", uploads.signed_url_of_one, DATASET,
        uid=str, key=DATA_WRITE),
    v1(READS, "upload.signed_audio_url", "signedaudiourl GET", uploads.signed_url_of_one, DATASET,
        uid=str, key=DATA_WRITE),
    v2(CHANGES, "dicom_deidentification.start", "POST dicom-deidentification", deidentification.start,
        body=deidentification.StartBody),
    v2(READS, "dicom_deidentification.result", "GET dicom-deidentification/{job}", deidentification.poll,
        deidentification.PollQuery),
    v1(CHANGES, "upload.start", "datasetdatalongpolling POST", uploads.start, DATASET,
        uid=str, payload=uploads.StartRequest, key=DATA_WRITE),
    v1(READS, "upload.poll", "datasetdatalongpolling GET", uploads.poll, DATASET,
        uid=str, payload=uploads.PollRequest, key=DATA_EITHER),
    v1(CHANGES, "upload.register_image (2022)", "singleimage POST", uploads.register_image, DATASET,
        payload=uploads.SignedUrl, key=DATA_WRITE),
    v1(CHANGES, "upload.register_video (2022)", "video PUT", uploads.register_video, DATASET,
        uid=str, payload=uploads.SignedUrl, key=DATA_WRITE),
)
# fmt: on
