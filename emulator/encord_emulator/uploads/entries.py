"""What a job is to register: the typed ``dataItems``, or the open ``files`` (for folders ``externalFiles``).

The first is strict and in camelCase throughout. The second is the documented upload JSON: lists in snake_case, entries
in camelCase, the files of a group numbered ``objectUrl_0``, ``objectUrl_1``, ...; unknown keys are let be.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import msgspec

from ..wire.errors import Reason, RefusalError
from ..wire.shapes import StrictCamel, convert
from .jobs import Unit
from .registration import KINDS, SINGLE

_LISTS = {
    "images": "images",
    "videos": "videos",
    "image_groups": "imageGroups",
    "dicom_series": "dicomSeries",
    "audio": "audio",
    "nifti": "nifti",
    "text": "text",
    "pdf": "pdf",
    "pdfs": "pdf",
    "time_series": "timeSeries",
}
"""Lists of the open form, with the kind that they hold."""
_SWITCHES = {"skip_duplicate_urls", "upsert_metadata"}
_Object = dict[str, Any]


class Entries(NamedTuple):
    """The units to register, and what to do about those that are there."""

    units: list[Unit]
    skip_duplicates: bool
    upsert_metadata: bool


class SingleEntry(StrictCamel, frozen=True):
    """One file."""

    object_url: str
    title: str | None = None
    client_metadata: _Object | None = None
    placeholder_item_uuid: str | None = None
    image_metadata: _Object | None = None
    video_metadata: _Object | None = None
    audio_metadata: _Object | None = None
    text_metadata: _Object | None = None
    pdf_metadata: _Object | None = None
    settings: _Object | None = None
    external_file_type: Literal["IMAGE", "VIDEO", "AUDIO", "NIFTI", "PLAIN_TEXT", "PDF", "TIMESERIES"] | None = None


class GroupImage(StrictCamel, frozen=True):
    url: str
    title: str | None = None
    image_metadata: _Object | None = None
    placeholder_item_uuid: str | None = None


class GroupEntry(StrictCamel, frozen=True):
    images: list[GroupImage]
    title: str | None = None
    client_metadata: _Object | None = None
    create_video: bool = False
    cluster_by_resolution: bool = False
    external_file_type: Literal["IMG_GROUP"] | None = None


class GroupOfItemsEntry(StrictCamel, frozen=True):
    image_items: list[str]
    title: str | None = None
    client_metadata: _Object | None = None
    create_video: bool = False
    video_url_prefix: str | None = None
    external_file_type: Literal["IMG_GROUP_FROM_ITEMS"] | None = None


class DicomFile(StrictCamel, frozen=True):
    url: str
    title: str | None = None
    dicom_metadata: _Object | None = None
    placeholder_item_uuid: str | None = None


class DicomEntry(StrictCamel, frozen=True):
    dicom_files: list[DicomFile]
    title: str | None = None
    client_metadata: _Object | None = None
    external_file_type: Literal["DICOM"] | None = None


class SceneEntry(StrictCamel, frozen=True):
    title: str
    scene: _Object
    client_metadata: _Object | None = None
    placeholder_item_uuid: str | None = None
    external_file_type: Literal["SCENE"] | None = None


class DataItems(StrictCamel, frozen=True):
    images: list[SingleEntry] = msgspec.field(default_factory=list)
    videos: list[SingleEntry] = msgspec.field(default_factory=list)
    image_groups: list[GroupEntry] = msgspec.field(default_factory=list)
    image_groups_from_items: list[GroupOfItemsEntry] = msgspec.field(default_factory=list)
    dicom_series: list[DicomEntry] = msgspec.field(default_factory=list)
    audio: list[SingleEntry] = msgspec.field(default_factory=list)
    time_series: list[SingleEntry] = msgspec.field(default_factory=list)
    nifti: list[SingleEntry] = msgspec.field(default_factory=list)
    text: list[SingleEntry] = msgspec.field(default_factory=list)
    pdf: list[SingleEntry] = msgspec.field(default_factory=list)
    scenes: list[SceneEntry] = msgspec.field(default_factory=list)
    skip_duplicate_urls: bool = False
    upsert_metadata: bool = False


def read(typed: _Object | None, manifest: _Object | None, name: str) -> Entries:
    """The units of a job, which gives one of the two forms.

    :param name: What the open form is called here: ``files`` or ``externalFiles``.
    :raises RefusalError: Both, or none, or an entry that lacks what it is about.
    """
    if (typed is None) == (manifest is None):
        raise RefusalError(Reason.INVALID, f"give either dataItems or {name}")
    return _typed(typed) if typed is not None else _manifest(manifest or {}, name)


def _typed(items: _Object) -> Entries:
    read: DataItems = convert(DataItems, items, "dataItems")
    if read.upsert_metadata and not read.skip_duplicate_urls:
        raise RefusalError(Reason.INVALID, "dataItems.upsertMetadata: works with skipDuplicateUrls only")
    units = [(kind, entry) for kind in KINDS for entry in items.get(kind, [])]
    return Entries(units, read.skip_duplicate_urls, read.upsert_metadata)


def _manifest(files: _Object, where: str) -> Entries:
    units: list[Unit] = []
    for name, value in files.items():
        if name in _SWITCHES:
            continue
        if name in _LISTS and not isinstance(value, list):
            raise RefusalError(Reason.INVALID, f"{where}.{name}: must be a list")
        if name not in _LISTS and isinstance(value, list) and value:
            raise RefusalError(Reason.INVALID, f"{where}.{name}: the emulator knows no such kind of data")
        if name in _LISTS:
            units += [(_LISTS[name], _manifest_entry(f"{where}.{name}", _LISTS[name], entry)) for entry in value]
    skip, upsert = (files.get(name) is True for name in ("skip_duplicate_urls", "upsert_metadata"))
    return Entries(units, skip, upsert)


def _manifest_entry(where: str, kind: str, entry: Any) -> _Object:
    if not isinstance(entry, dict):
        raise RefusalError(Reason.INVALID, f"{where}: each entry must be an object")
    if kind not in SINGLE:
        return {**entry, _FILES[kind]: list(_numbered_urls(entry))}
    if not isinstance(entry.get("objectUrl"), str):
        raise RefusalError(Reason.INVALID, f"{where}: each entry needs objectUrl")
    return entry


_FILES = {"imageGroups": "images", "dicomSeries": "dicomFiles"}


def _numbered_urls(entry: _Object) -> Iterator[_Object]:
    position = 0
    while isinstance(entry.get(f"objectUrl_{position}"), str):
        yield {"url": entry[f"objectUrl_{position}"]}
        position += 1
