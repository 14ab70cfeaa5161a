"""The kinds of file that an upload job registers, and their entries in ``dataItems`` (protocol, section 7.11).

Encord has up to five names for one kind. A video is called ``video`` in requests for URLs, ``signedvideourl`` in
requests with an API key, ``videos`` as a list, ``VIDEO`` in its entry and ``videoMetadata`` in its details. Image
groups and DICOM series consist of several files; in their parts, the URL is called ``url``, elsewhere ``objectUrl``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of file, and its names in Encord's API.

    :param upload_type: Name in requests for upload URLs of a dataset; None if Encord has no such URLs. Such files must
        be uploaded into a folder and linked.
    :param url_query: The v1 query that returns upload URLs with an API key.
    :param many_urls: Whether this query takes a list of names or one name.
    :param list_name: Name of its list in ``dataItems``.
    :param file_type: ``externalFileType`` of its entry.
    :param item_type: Name in requests for upload URLs of a storage folder.
    :param details_name: Field of its entry for the details of the file; None if it has no such field.
    :param content_type: MIME type to send with the bytes; None to derive it from the file name.
    """

    upload_type: str | None
    url_query: str
    many_urls: bool
    list_name: str
    file_type: str
    item_type: str
    details_name: str | None = None
    content_type: str | None = "application/octet-stream"


def _file_kind(name: str, list_name: str, file_type: str, **more: Any) -> Kind:
    """A kind with upload URLs from ``signedimagesurl`` for API keys: all kinds except four (protocol, section 7.9)."""
    usual = {"upload_type": None, "url_query": "signedimagesurl", "many_urls": True, "item_type": name}
    return Kind(list_name=list_name, file_type=file_type, **(usual | more))


IMAGE = _file_kind("image", "images", "IMAGE", upload_type="image", details_name="imageMetadata", content_type=None)
VIDEO = _file_kind(
    "video",
    "videos",
    "VIDEO",
    upload_type="video",
    url_query="signedvideourl",
    many_urls=False,
    details_name="videoMetadata",
)
AUDIO = _file_kind(
    "audio",
    "audio",
    "AUDIO",
    upload_type="audio",
    url_query="signedaudiourl",
    many_urls=False,
    details_name="audioMetadata",
)
DICOM = _file_kind(
    "dicomFile",
    "dicomSeries",
    "DICOM",
    upload_type="dicomFile",
    url_query="signeddicomsurl",
    details_name="dicomMetadata",
    content_type="application/dicom",
)
NIFTI = _file_kind("nifti", "nifti", "NIFTI", content_type="application/nifti")
TEXT = _file_kind("plainText", "text", "PLAIN_TEXT", details_name="textMetadata", content_type=None)
PDF = _file_kind("pdf", "pdf", "PDF", details_name="pdfMetadata", content_type="application/pdf")
TIME_SERIES = _file_kind("timeseries", "timeSeries", "TIMESERIES", content_type=None)
SCENE = _file_kind("scene", "scenes", "SCENE", upload_type="scene")
SCENE_FORMATS = ("bag", "db3", "e57", "las", "laz", "mcap", "pcd", "ply")
"""Formats of scenes that are one file; they are the suffixes of their names."""
KINDS = (IMAGE, VIDEO, AUDIO, DICOM, NIFTI, TEXT, PDF, TIME_SERIES, SCENE)


def scene_format(name: str) -> str | None:
    """The format of a scene that is one file, from its name; None if the suffix is none of `SCENE_FORMATS`."""
    _, dot, suffix = name.rpartition(".")
    return suffix.lower() if dot and suffix.lower() in SCENE_FORMATS else None


def why_no_scene(name: str) -> str:
    """What to say about the file of a scene whose name has no format."""
    known = ", ".join(f".{suffix}" for suffix in SCENE_FORMATS)
    return f"{name} is not the file of a scene: its suffix must be one of {known}. Rename it, or leave it out."


class UploadedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that consists of a single file. For DICOM files use `DicomSeries`, for scenes use `Scene`.

    :param object_url: The `SignedUrl.object_key` of the uploaded file, or its URL in the user's own bucket.
    :param title: Title of the unit; None to use the end of the URL.
    :param client_metadata: Client metadata of the unit.
    :param placeholder: The `SignedUrl.item_uuid`; for storage folders. Time series have none.
    :param details: Known properties of the file, with Encord's names: ``{"fps": 25, "duration": 2.0, ...}``. With them,
        Encord does not have to read the file. For time series: their settings.
    """

    kind: Kind
    object_url: str
    title: str | None = None
    client_metadata: Mapping[str, Any] = {}
    placeholder: str | None = None
    details: Mapping[str, Any] | None = None

    def entry(self) -> tuple[str, dict[str, Any]]:
        """The name of its list in ``dataItems``, and its entry there."""
        if self.kind in (DICOM, SCENE):
            better = "DicomSeries" if self.kind == DICOM else "Scene"
            raise ValueError(f"kind: a file of list {self.kind.list_name} is registered as {better}.")
        details_name = "settings" if self.kind == TIME_SERIES else self.kind.details_name
        if self.details is not None and details_name is None:
            raise ValueError(
                f"details: Encord does not accept details for files of list {self.kind.list_name}. Leave them out."
            )
        placeholder = None if self.kind == TIME_SERIES else self.placeholder
        stated = _present(title=self.title, placeholderItemUuid=placeholder)
        details = {} if self.details is None else {str(details_name): dict(self.details)}
        return self.kind.list_name, {
            "objectUrl": self.object_url,
            **stated,
            **details,
            **_end(self, self.kind.file_type),
        }


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A file of an image group or of a DICOM series.

    :param url: URL of the file; see `UploadedFile.object_url`.
    """

    url: str
    title: str | None = None
    placeholder: str | None = None
    details: Mapping[str, Any] | None = None

    def entry(self, kind: Kind) -> dict[str, Any]:
        details = {} if self.details is None else {str(kind.details_name): dict(self.details)}
        return {"url": self.url, **_present(title=self.title, placeholderItemUuid=self.placeholder), **details}


class ImageGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Images that form one unit, in this order.

    :param create_video: Create an image sequence, which plays like a video.
    :param cluster_by_resolution: Create one group per image size. Only older SDKs send it; None leaves it out.
    """

    parts: Sequence[Part]
    title: str | None = None
    client_metadata: Mapping[str, Any] = {}
    create_video: bool = False
    cluster_by_resolution: bool | None = None

    def entry(self) -> tuple[str, dict[str, Any]]:
        stated = _present(title=self.title, clusterByResolution=self.cluster_by_resolution)
        images = [part.entry(IMAGE) for part in self.parts]
        return "imageGroups", {
            "images": images,
            **stated,
            "createVideo": self.create_video,
            **_end(self, "IMG_GROUP"),
        }


class ImageGroupFromItems(msgspec.Struct, frozen=True, kw_only=True):
    """Images that are in storage already and form one new unit.

    :param items: Ids of the images' storage items, in order.
    :param video_url_prefix: Place in the user's bucket for the video, if one is created.
    """

    items: Sequence[str]
    title: str | None = None
    client_metadata: Mapping[str, Any] = {}
    create_video: bool = False
    video_url_prefix: str | None = None

    def entry(self) -> tuple[str, dict[str, Any]]:
        stated = _present(title=self.title, videoUrlPrefix=self.video_url_prefix)
        return "imageGroupsFromItems", {
            "imageItems": list(self.items),
            **stated,
            "createVideo": self.create_video,
            **_end(self, "IMG_GROUP_FROM_ITEMS"),
        }


class DicomSeries(msgspec.Struct, frozen=True, kw_only=True):
    """DICOM files that form one unit."""

    parts: Sequence[Part]
    title: str | None = None
    client_metadata: Mapping[str, Any] = {}

    def entry(self) -> tuple[str, dict[str, Any]]:
        files = [part.entry(DICOM) for part in self.parts]
        return "dicomSeries", {"dicomFiles": files, **_present(title=self.title), **_end(self, "DICOM")}


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """A scene of several sensors.

    :param scene: The contents in Encord's format, which are sent unchanged.
    """

    title: str
    scene: Mapping[str, Any]
    client_metadata: Mapping[str, Any] = {}

    def entry(self) -> tuple[str, dict[str, Any]]:
        return "scenes", {"title": self.title, "scene": dict(self.scene), **_end(self, "SCENE")}


Unit: TypeAlias = UploadedFile | ImageGroup | ImageGroupFromItems | DicomSeries | Scene

_ITEM_LISTS = (
    "videos",
    "imageGroups",
    "dicomSeries",
    "images",
    "imageGroupsFromItems",
    "audio",
    "timeSeries",
    "nifti",
    "text",
    "pdf",
    "scenes",
)
NEWER_ITEM_LISTS = ("timeSeries", "text", "pdf", "scenes")  # SDK 0.1.145 does not send these


def data_items(
    units: Sequence[Unit],
    *,
    skip_duplicate_urls: bool = False,
    upsert_metadata: bool = False,
    without: Sequence[str] = (),
) -> dict[str, Any]:
    """The ``dataItems`` of a job: all lists, including the empty ones (protocol, section 7.11).

    :param skip_duplicate_urls: Skip files whose URL the folder has already.
    :param upsert_metadata: Update the client metadata of the skipped files; requires `skip_duplicate_urls`.
    :param without: Lists to leave out, as older SDKs do.
    :raises ValueError: An argument contradicts another. The message names it.
    """
    if upsert_metadata and not skip_duplicate_urls:
        raise ValueError("upsert_metadata: it requires skip_duplicate_urls. Set both of them, or neither.")
    lists: dict[str, Any] = {name: [] for name in _ITEM_LISTS if name not in without}
    for unit in units:
        name, entry = unit.entry()
        lists[name].append(entry)
    return {**lists, "skipDuplicateUrls": skip_duplicate_urls, "upsertMetadata": upsert_metadata}


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _end(unit: Unit, file_type: str) -> dict[str, Any]:
    return {"clientMetadata": dict(unit.client_metadata), "externalFileType": file_type}
