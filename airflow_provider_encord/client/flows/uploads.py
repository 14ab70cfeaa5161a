"""Uploading local files into datasets and storage folders, from the bytes to the result of the upload job.

A unit is one file, or all files of an image group or DICOM series. It is added completely or not at all. If the
response to the start of a job is lost, the start is not repeated; the caller must check which units exist, as
`uploads.registration` does.

With an SSH key, one request returns the URLs for all files. With an API key, the request names the files, and each
video needs a separate request. If the store refuses a URL, the URL may have expired before its turn, so the file gets a
second one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, BinaryIO, Protocol

from airflow_provider_encord.client.api.core.data_items import (
    DICOM,
    IMAGE,
    SCENE,
    DicomSeries,
    ImageGroup,
    Kind,
    Part,
    Scene,
    Unit,
    UploadedFile,
    scene_format,
    why_no_scene,
)
from airflow_provider_encord.client.api.uploads import MOST_URLS_PER_REQUEST, PENDING, SignedUrl, UploadJob
from airflow_provider_encord.client.call import Flow, Gather, Transfer
from airflow_provider_encord.client.errors import (
    EncordError,
    InvalidArgumentError,
    RefusedError,
    TransientError,
    UnexpectedResponseError,
)
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.client.flows.jobs import follow_job
from airflow_provider_encord.client.flows.upload_target import UploadTarget

MOST_BYTES = 5 << 30  # the limit of S3 for one PUT request
_TURNS = 2  # how many signed URLs a file can get


class FileToSend(Protocol):
    """What is sent of a file; `LocalFile` is one."""

    @property
    def title(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def media_type(self) -> str | None: ...
    @property
    def details(self) -> Mapping[str, Any] | None: ...


class UnitToSend(FileToSend, Protocol):
    """What is sent of a unit; `LocalFile` is one."""

    @property
    def parts(self) -> Sequence[FileToSend]: ...
    @property
    def create_video(self) -> bool: ...
    @property
    def client_metadata(self) -> Mapping[str, Any]: ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LocalFile:
    """A local file to upload, or several files that form one unit: an image group, or a DICOM series.

    :param title: Name of the file, which becomes the title of the data unit.
    :param size: Size in bytes; for several files, leave it out.
    :param open: Opens the file; called again for each attempt. For several files, leave it out.
    :param media_type: MIME type. It is sent for kinds of file that have several types (images, text, time series).
    :param parts: The files of an image group (`IMAGE`) or DICOM series (`DICOM`), in order; empty for a single file. A
        group may have a single image.
    :param create_video: Create an image sequence from the group, which plays like a video.
    :param client_metadata: Client metadata of the unit.
    :param details: Known properties of the file; see `UploadedFile`.
    :raises InvalidArgumentError: The file cannot be opened, or its parts do not form a unit.
    """

    title: str
    kind: Kind
    size: int = 0
    open: Callable[[], BinaryIO] | None = None
    media_type: str | None = None
    parts: Sequence[LocalFile] = ()
    create_video: bool = False
    client_metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    details: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        kinds = {self.kind, *(part.kind for part in self.parts)}
        if self.parts and (kinds not in ({IMAGE}, {DICOM}) or any(part.parts for part in self.parts)):
            raise InvalidArgumentError(
                f"parts: the parts of {self.title!r} do not form a unit. Only images form a group, and only DICOM "
                "files a series. Set kind of the unit and of all parts to IMAGE, or to DICOM, without parts in parts."
            )
        if not self.parts and self.open is None:
            raise InvalidArgumentError(f"open: {self.title!r} cannot be read. Pass a function that opens the file.")
        if self.kind == SCENE and scene_format(self.title) is None:
            raise InvalidArgumentError(f"title: {why_no_scene(self.title)}")

    @property
    def files(self) -> Sequence[LocalFile]:
        """The files to send: the parts, or the file itself."""
        return self.parts or (self,)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """The bytes of one file in Encord's object store.

    :param key: `SignedUrl.object_key`.
    :param placeholder: Placeholder id of a folder; None for a dataset.
    """

    key: str
    placeholder: str | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """The outcome of an upload.

    :param job: Id of the job; None if no unit was uploaded.
    :param state: State of the job. It is ``PENDING`` if the time-out was over first; the job then continues at Encord.
    :param not_sent: Title and error of each unit that was not uploaded. The job does not contain these units.
    """

    job: str | None
    state: UploadJob | None
    not_sent: list[tuple[str, EncordError]]


def upload(target: UploadTarget, units: Sequence[LocalFile], *, timeout: float) -> Flow[Uploaded]:
    """Upload units. One that fails does not stop the others.

    :param timeout: Seconds to wait for the job.
    :raises InvalidArgumentError: A DICOM file is not part of a series.
    :raises UnsupportedByCredentialError: The target does not accept files of this kind.
    :raises OutcomeUnknownError: The response to the start of the job was lost.
    """
    for unit in units:
        target.require_kind(unit.kind)
        if unit.kind == DICOM and not unit.parts:
            raise InvalidArgumentError(
                f"parts: {unit.title!r} is a DICOM file, but Encord registers series. Pass it as a part of a LocalFile."
            )
    reasons = [unsendable([(file.title, file.size) for file in unit.files]) for unit in units]
    not_sent: list[tuple[str, EncordError]] = [
        (unit.title, InvalidArgumentError(why)) for unit, why in zip(units, reasons, strict=True) if why is not None
    ]
    sent: list[Unit] = []
    fit = [unit for unit, why in zip(units, reasons, strict=True) if why is None]
    for unit, results in (yield from _put_units(target, fit)):
        lost = next((result for result in results if isinstance(result, EncordError)), None)
        if lost is None:
            sent.append(unit_of(unit, [result for result in results if isinstance(result, StoredObject)]))
        else:
            not_sent.append((unit.title, lost))
    if not sent:
        return Uploaded(job=None, state=None, not_sent=not_sent)
    job = yield from target.start(sent, skip_duplicate_urls=False)
    try:
        state = yield from follow_job(lambda hold: target.poll(job, hold), timeout=timeout)
    except TransientError as error:  # the job continues: keep its id
        state = UploadJob(status=PENDING, errors=[str(error)])
    return Uploaded(job=job, state=state, not_sent=not_sent)


def unsendable(files: Iterable[tuple[str, int]]) -> str | None:
    """Say why a unit cannot be sent; None if it can.

    :param files: Name and size of each of its files.
    """
    for name, size in files:
        if size == 0:
            return f"{name} is empty (0 bytes). Leave it out, or write it again."
        if size > MOST_BYTES:
            advice = "an upload can have at most 5 GiB. Put the file into a bucket and register it from there."
            return f"{name} has {size} bytes, but {advice}"
    return None


def put_files(
    target: UploadTarget, files: Sequence[FileToSend], opens: Sequence[Callable[[], BinaryIO]]
) -> Flow[list[StoredObject | EncordError]]:
    """Send the bytes of files of one kind to the object store.

    :param opens: For each file, a function that opens it; called again for each attempt.
    :return: For each file, where it is, or why it is not there.
    :raises EncordError: Encord returned no URLs at all.
    """
    results: list[StoredObject | EncordError] = []
    for some in chunks(range(len(files)), MOST_URLS_PER_REQUEST):
        results += yield from _put([files[number] for number in some], [opens[number] for number in some], target)
    return results


def unit_of(unit: UnitToSend, stored: Sequence[StoredObject]) -> Unit:
    """The unit in the form that a job takes.

    :param stored: The objects of its files, in order.
    """
    if not unit.parts:
        (only,) = stored
        if unit.kind == SCENE:
            scene = {"url": only.key, "format": scene_format(unit.title)}
            return Scene(title=unit.title, scene=scene, client_metadata=unit.client_metadata)
        return UploadedFile(
            kind=unit.kind,
            object_url=only.key,
            title=unit.title,
            client_metadata=unit.client_metadata,
            placeholder=only.placeholder,
            details=unit.details,
        )
    parts = [
        Part(url=object_.key, title=part.title, placeholder=object_.placeholder, details=part.details)
        for part, object_ in zip(unit.parts, stored, strict=True)
    ]
    if unit.kind == DICOM:
        return DicomSeries(parts=parts, title=unit.title, client_metadata=unit.client_metadata)
    return ImageGroup(
        parts=parts, title=unit.title, client_metadata=unit.client_metadata, create_video=unit.create_video
    )


def _put_units(
    target: UploadTarget, units: Sequence[LocalFile]
) -> Flow[list[tuple[LocalFile, list[StoredObject | EncordError]]]]:
    results: dict[int, list[StoredObject | EncordError]] = {number: [] for number in range(len(units))}
    for kind in dict.fromkeys(unit.kind for unit in units):
        files = [(number, file) for number, unit in enumerate(units) if unit.kind == kind for file in unit.files]
        opens = [file.open for _, file in files if file.open is not None]
        ended = yield from put_files(target, [file for _, file in files], opens)
        for (number, _), result in zip(files, ended, strict=True):
            results[number].append(result)
    return [(unit, results[number]) for number, unit in enumerate(units)]


def _put(
    files: Sequence[FileToSend], opens: Sequence[Callable[[], BinaryIO]], target: UploadTarget
) -> Flow[list[StoredObject | EncordError]]:
    results: dict[int, StoredObject | EncordError] = {}
    left = list(range(len(files)))
    for _ in range(_TURNS):
        results |= yield from _put_once(target, {number: (files[number], opens[number]) for number in left})
        left = [number for number in left if type(results[number]) is RefusedError]
        if not left:
            break
    return [results[number] for number in range(len(files))]


def _put_once(
    target: UploadTarget, files: Mapping[int, tuple[FileToSend, Callable[[], BinaryIO]]]
) -> Flow[dict[int, StoredObject | EncordError]]:
    """Send each file once, with a URL of its own."""
    first, _ = next(iter(files.values()))
    urls = yield from target.urls([file.title for file, _ in files.values()], first.kind)
    if len(urls) < len(files):
        raise UnexpectedResponseError(f"Encord returned {len(urls)} upload URLs for {len(files)} files.")
    results: dict[int, StoredObject | EncordError] = {}
    transfers: dict[int, Transfer] = {}
    for (number, (file, opening)), url in zip(files.items(), urls, strict=False):
        if isinstance(url, SignedUrl):
            results[number] = StoredObject(key=url.object_key, placeholder=target.placeholder(url))
            transfers[number] = _transfer(file, opening, url)
        else:
            results[number] = url
    ended = yield from Gather(list(transfers.values()), target.parallel)
    failures = {
        number: result for number, result in zip(transfers, ended, strict=True) if isinstance(result, EncordError)
    }
    return results | failures


def _transfer(file: FileToSend, opening: Callable[[], BinaryIO], url: SignedUrl) -> Transfer:
    headers = {"Cache-Control": "max-age=86400"}
    content_type = file.kind.content_type or file.media_type
    if content_type:
        headers["Content-Type"] = content_type
    headers |= url.upload_headers or {}
    return Transfer(url=url.signed_url, open=opening, size=file.size, headers=headers, title=file.title)
