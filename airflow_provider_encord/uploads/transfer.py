"""Sending the bytes of files to Encord's object store: request signed URLs, then send each file with PUT.

With an SSH key, one request returns the URLs for all files. With an API key, the request names the files, and each
video needs a separate request. If the store refuses a URL, the URL may have expired before its turn, so the file gets a
second one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from airflow_provider_encord.client.api.core.data_items import DICOM, DicomSeries, ImageGroup, Part, Unit, UploadedFile
from airflow_provider_encord.client.api.uploads import SignedUrl
from airflow_provider_encord.client.call import Flow, Gather, Transfer
from airflow_provider_encord.client.errors import EncordError, RefusedError, UnexpectedResponseError
from airflow_provider_encord.sources.files import SourceFile
from airflow_provider_encord.uploads.content import Content, joined_checksum
from airflow_provider_encord.uploads.outcome import FileOutcome, failed
from airflow_provider_encord.uploads.places import UploadTarget

MOST_BYTES = 5 << 30  # the limit of S3 for one PUT request
_TURNS = 2  # how many signed URLs a file can get


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file whose bytes are in the object store but not registered yet.

    :param objects: Object keys in the store, one for each of its files.
    :param placeholders: Placeholder ids of a folder, one for each of its files.
    """

    file: SourceFile
    objects: tuple[str, ...]
    placeholders: tuple[str | None, ...] = (None,)
    sha256: str | None = None

    @property
    def entry(self) -> Unit:
        """The unit in the form that a job takes."""
        file = self.file
        if not file.parts:
            return UploadedFile(
                kind=file.kind,
                object_url=self.objects[0],
                title=file.title,
                client_metadata=file.client_metadata,
                placeholder=self.placeholders[0],
            )
        parts = [
            Part(url=url, title=part.title, placeholder=placeholder)
            for part, url, placeholder in zip(file.parts, self.objects, self.placeholders, strict=True)
        ]
        if file.kind == DICOM:
            return DicomSeries(parts=parts, title=file.title, client_metadata=file.client_metadata)
        return ImageGroup(
            parts=parts, title=file.title, client_metadata=file.client_metadata, create_video=file.create_video
        )


def unfit(file: SourceFile) -> FileOutcome | None:
    """The failed outcome of a file that cannot be sent; None if it can."""
    for one in file.files:
        if one.size == 0:
            return failed(file, f"{one.uri} is empty (0 bytes). Leave it out, or write it again.", retryable=False)
        if one.size > MOST_BYTES:
            advice = "an upload can have at most 5 GiB. Put the file into a bucket and register it from there."
            return failed(file, f"{one.uri} has {one.size} bytes, but {advice}", retryable=False)
    return None


def send_files(target: UploadTarget, files: Sequence[SourceFile]) -> Flow[tuple[list[StoredFile], list[FileOutcome]]]:
    """Send files of one kind. All files of a group must be sent, or the group fails.

    :return: The files that were sent, in order, and the outcomes of those that failed.
    :raises EncordError: Encord returned no URLs at all.
    """
    parts = [part for file in files for part in file.files]
    arrived: dict[int, _Arrived] = {}
    errors: dict[int, EncordError] = {}
    left = list(range(len(parts)))
    for _ in range(_TURNS):
        results = yield from _send_once(target, [parts[number] for number in left])
        for number, result in zip(left, results, strict=True):
            if isinstance(result, _Arrived):
                arrived[number] = result
            else:
                errors[number] = result
        left = [number for number in left if number not in arrived and type(errors[number]) is RefusedError]
        if not left:
            break
    sent: list[StoredFile] = []
    failures: list[FileOutcome] = []
    first = 0
    for file in files:
        numbers = range(first, first + len(file.files))
        first += len(file.files)
        lost = next((errors[number] for number in numbers if number not in arrived), None)
        if lost is None:
            sent.append(_together(file, [arrived[number] for number in numbers]))
        else:
            failures.append(failed(file, str(lost), retryable=lost.retryable or type(lost) is RefusedError))
    return sent, failures


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Arrived:
    """A single file in the object store."""

    object_url: str
    placeholder: str | None
    sha256: str | None


def _together(file: SourceFile, arrived: Sequence[_Arrived]) -> StoredFile:
    return StoredFile(
        file=file,
        objects=tuple(one.object_url for one in arrived),
        placeholders=tuple(one.placeholder for one in arrived),
        sha256=joined_checksum([one.sha256 for one in arrived]),
    )


def _send_once(target: UploadTarget, files: Sequence[SourceFile]) -> Flow[list[_Arrived | EncordError]]:
    urls = yield from _signed_urls(target, files)
    contents = [Content(file) for file in files]
    transfers = {
        number: _transfer(file, content, url)
        for number, (file, content, url) in enumerate(zip(files, contents, urls, strict=True))
        if isinstance(url, SignedUrl)
    }
    results = yield from Gather(list(transfers.values()), target.parallel)
    ended = dict(zip(transfers, results, strict=True))

    def outcome(number: int, url: SignedUrl | EncordError) -> _Arrived | EncordError:
        if isinstance(url, EncordError):
            return url
        error = ended[number]
        if isinstance(error, EncordError):
            return error
        return _Arrived(object_url=url.object_key, placeholder=target.placeholder(url), sha256=contents[number].sha256)

    return [outcome(number, url) for number, url in enumerate(urls)]


def _signed_urls(target: UploadTarget, files: Sequence[SourceFile]) -> Flow[list[SignedUrl | EncordError]]:
    urls = yield from target.urls([file.title for file in files], files[0].kind)
    if len(urls) < len(files):
        raise UnexpectedResponseError(f"Encord returned {len(urls)} upload URLs for {len(files)} files.")
    return urls


def _transfer(file: SourceFile, content: Content, url: SignedUrl) -> Transfer:
    headers = {"Cache-Control": "max-age=86400"}
    content_type = file.kind.content_type or file.media_type
    if content_type:
        headers["Content-Type"] = content_type
    headers |= url.upload_headers or {}
    return Transfer(url=url.signed_url, open=content.open, size=file.size, headers=headers, title=file.title)
