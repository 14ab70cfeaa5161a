"""Sending the bytes of files to the object store behind Encord: ask for signed URLs, PUT.

With an SSH key one request gives URLs for all files. With an API key it names them, and a video needs one of its own.
A URL that the store refuses may have expired while it waited its turn, so such a file gets a second one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from airflow_provider_encord.client.api.uploads import VIDEO, SignedUrl, UploadedFile
from airflow_provider_encord.client.call import Flow, Together, Transfer
from airflow_provider_encord.client.errors import EncordError, RefusedError, UnexpectedAnswerError
from airflow_provider_encord.client.resources import wire_forms
from airflow_provider_encord.defaults import PARALLEL_UPLOADS
from airflow_provider_encord.ingest.content import Content
from airflow_provider_encord.ingest.outcome import Outcome, failed
from airflow_provider_encord.ingest.sources import SourceFile

MOST_BYTES = 5 << 30  # what S3 takes in one PUT
_TURNS = 2  # how many signed URLs a file gets


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where files go to, and as whom.

    :param dataset: Its id.
    :param folder: Id of the storage folder; None leaves it to a mirror dataset.
    :param credential: Kind of the client's credential.
    :param parallel: How many files are sent at once.
    """

    dataset: str
    credential: str
    folder: str | None = None
    parallel: int = PARALLEL_UPLOADS


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A file whose bytes are in the object store, though not yet in the dataset."""

    file: SourceFile
    object_url: str
    sha256: str | None

    @property
    def entry(self) -> UploadedFile:
        """The file as a job takes it."""
        return UploadedFile(kind=self.file.kind, object_url=self.object_url, title=self.file.title)


def unfit(file: SourceFile) -> Outcome | None:
    """Why a file is not sent at all; None if it can be."""
    if file.size == 0:
        return failed(file, f"{file.uri} is empty (0 bytes).", retryable=False)
    if file.size > MOST_BYTES:
        advice = "one request takes at most 5 GiB. Put it into a bucket and register it from there."
        return failed(file, f"{file.uri} has {file.size} bytes, and {advice}", retryable=False)
    return None


def send_files(target: Target, files: Sequence[SourceFile]) -> Flow[tuple[list[Sent], list[Outcome]]]:
    """Send files of one kind.

    :return: Those that arrived, in their order, and the outcomes of those that did not.
    :raises EncordError: Encord gives no URLs at all.
    """
    arrived: dict[int, Sent] = {}
    errors: dict[int, EncordError] = {}
    left = list(range(len(files)))
    for _ in range(_TURNS):
        results = yield from _send_once(target, [files[number] for number in left])
        for number, result in zip(left, results, strict=True):
            if isinstance(result, Sent):
                arrived[number] = result
            else:
                errors[number] = result
        left = [number for number in left if number not in arrived and type(errors[number]) is RefusedError]
        if not left:
            break
    failures = [
        failed(file, str(errors[number]), retryable=errors[number].retryable or type(errors[number]) is RefusedError)
        for number, file in enumerate(files)
        if number not in arrived
    ]
    return [arrived[number] for number in sorted(arrived)], failures


def _send_once(target: Target, files: Sequence[SourceFile]) -> Flow[list[Sent | EncordError]]:
    urls = yield from _signed_urls(target, files)
    contents = [Content(file) for file in files]
    transfers = {
        number: _transfer(file, content, url)
        for number, (file, content, url) in enumerate(zip(files, contents, urls, strict=True))
        if isinstance(url, SignedUrl)
    }
    results = yield from Together(list(transfers.values()), target.parallel)
    ended = dict(zip(transfers, results, strict=True))

    def outcome(number: int, url: SignedUrl | EncordError) -> Sent | EncordError:
        if isinstance(url, EncordError):
            return url
        error = ended[number]
        if isinstance(error, EncordError):
            return error
        return Sent(file=files[number], object_url=url.object_key, sha256=contents[number].sha256)

    return [outcome(number, url) for number, url in enumerate(urls)]


def _signed_urls(target: Target, files: Sequence[SourceFile]) -> Flow[list[SignedUrl | EncordError]]:
    titles = [file.title for file in files]
    urls = yield from wire_forms.UPLOAD_URLS.flow(
        target.credential, target.dataset, titles, files[0].kind, target.parallel
    )
    if len(urls) < len(files):
        raise UnexpectedAnswerError(f"Encord gave {len(urls)} upload URLs for {len(files)} files.")
    return list(urls[: len(files)])


def _transfer(file: SourceFile, content: Content, url: SignedUrl) -> Transfer:
    headers = {"Cache-Control": "max-age=86400"}
    content_type = "application/octet-stream" if file.kind == VIDEO else file.media_type
    if content_type:
        headers["Content-Type"] = content_type
    headers |= url.upload_headers or {}
    return Transfer(url=url.signed_url, open=content.open, size=file.size, headers=headers, title=file.title)
