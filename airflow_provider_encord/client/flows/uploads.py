"""Uploading local files into datasets and storage folders, from the bytes to the result of the upload job.

A unit is one file, or all files of an image group or DICOM series. It is added completely or not at all. If the
response to the start of a job is lost, the start is not repeated; the caller must check which units exist, as
`uploads.registration` does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, Protocol, TypeAlias, TypeVar

from airflow_provider_encord.client.api import folder_uploads, uploads
from airflow_provider_encord.client.api.core.data_items import (
    DICOM,
    IMAGE,
    DicomSeries,
    ImageGroup,
    Kind,
    Part,
    Unit,
    UploadedFile,
)
from airflow_provider_encord.client.api.uploads import (
    LONGEST_HOLD,
    MOST_URLS_PER_REQUEST,
    PENDING,
    SignedUrl,
    UploadJob,
)
from airflow_provider_encord.client.call import Call, Flow, Gather, Now, Pause, Transfer
from airflow_provider_encord.client.errors import (
    EncordError,
    InvalidArgumentError,
    TransientError,
    UnexpectedResponseError,
)
from airflow_provider_encord.client.flows import api_versions
from airflow_provider_encord.client.flows.chunks import chunks

FORGIVEN = 10  # failed polls in a row that are tolerated; the transport has retried each of them
_PAUSE_AFTER_FAILURE = 10.0  # seconds
_QUICK_POLL = 1.0  # seconds; a response that comes sooner means that Encord did not hold the request
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0  # seconds between polls that Encord does not hold
_PARALLEL = 4


class _Ends(Protocol):
    """The state of a job of any kind."""

    @property
    def ended(self) -> bool: ...


J = TypeVar("J", bound=_Ends)

AskForUrls: TypeAlias = Callable[[Sequence[str], Kind], Flow[Sequence[SignedUrl | EncordError]]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LocalFile:
    """A local file to upload.

    :param open: Opens the file; called again for each attempt.
    :param size: Size in bytes.
    :param content_type: MIME type. It is sent for kinds of file that have several types (images, text, time series).
    """

    title: str
    size: int
    open: Callable[[], BinaryIO]
    content_type: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LocalUnit:
    """The local files of one unit: a single file, an image group (`IMAGE`, grouped), or a DICOM series (`DICOM`).

    :param grouped: Images only: create an image group, even from a single image.
    :param create_video: Image groups only: create an image sequence, which plays like a video.
    """

    kind: Kind
    files: Sequence[LocalFile]
    title: str
    client_metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    grouped: bool = False
    create_video: bool = False

    def __post_init__(self) -> None:
        alone = self.kind != DICOM and not self.grouped
        if not self.files or (alone and len(self.files) != 1):
            raise InvalidArgumentError(
                f"files: {self.title!r} has {len(self.files)} files. An image group or DICOM series needs one or more "
                "files; any other unit needs exactly one."
            )
        if self.grouped and self.kind != IMAGE:
            raise InvalidArgumentError("grouped: only images can be grouped. Leave it out, or set kind to IMAGE.")

    def registered(self, urls: Sequence[SignedUrl]) -> Unit:
        """Convert the unit to the form that a job takes, with the URLs of its uploaded files."""
        if self.kind != DICOM and not self.grouped:
            (url,) = urls
            return UploadedFile(
                kind=self.kind,
                object_url=url.object_key,
                title=self.title,
                client_metadata=self.client_metadata,
                placeholder=url.item_uuid,
            )
        parts = [
            Part(url=url.object_key, title=file.title, placeholder=url.item_uuid)
            for file, url in zip(self.files, urls, strict=True)
        ]
        if self.kind == DICOM:
            return DicomSeries(parts=parts, title=self.title, client_metadata=self.client_metadata)
        return ImageGroup(
            parts=parts, title=self.title, client_metadata=self.client_metadata, create_video=self.create_video
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """The outcome of an upload.

    :param job: Id of the job; None if no unit was uploaded.
    :param state: State of the job. It is ``PENDING`` if the time-out was over first; the job then continues at Encord.
    :param not_sent: Title and error of each unit whose bytes were not uploaded. The job does not contain these units.
    """

    job: str | None
    state: UploadJob | None
    not_sent: list[tuple[str, EncordError]]


def upload_to_dataset(
    credential: str,
    dataset: str,
    units: Sequence[LocalUnit],
    *,
    timeout: float,
    folder: str | None = None,
    ignore_errors: bool = False,
    parallel: int = _PARALLEL,
) -> Flow[Uploaded]:
    """Upload units into a dataset.

    :param credential: Kind of the client's credential.
    :param timeout: Seconds to wait for the job.
    :param folder: Id of the storage folder for the items; required unless the dataset is a mirror dataset.
    """

    def ask(titles: Sequence[str], kind: Kind) -> Flow[Sequence[SignedUrl | EncordError]]:
        # A dataset's job takes no placeholder ids, although its URLs come with item ids (protocol, section 7.9).
        urls = yield from api_versions.UPLOAD_URLS.flow(credential, dataset, titles, kind, parallel)
        return [url if isinstance(url, EncordError) else _without_placeholder(url) for url in urls]

    def start(sent: Sequence[Unit]) -> Call[str]:
        items = uploads.data_items(sent)
        return uploads.start_upload(dataset, items, ignore_errors=ignore_errors, folder=folder)

    def poll(job: str, hold: int) -> Call[UploadJob]:
        return uploads.poll_upload(dataset, job, timeout_seconds=hold)

    return (yield from _upload(units, ask, start, poll, timeout, parallel))


def upload_to_folder(
    folder: str, units: Sequence[LocalUnit], *, timeout: float, ignore_errors: bool = False, parallel: int = _PARALLEL
) -> Flow[Uploaded]:
    """Upload units into a storage folder; for the arguments, see `upload_to_dataset`."""

    def ask(titles: Sequence[str], kind: Kind) -> Flow[Sequence[SignedUrl | EncordError]]:
        return (yield from folder_uploads.folder_signed_urls(folder, len(titles), kind))

    def start(sent: Sequence[Unit]) -> Call[str]:
        return folder_uploads.start_folder_upload(folder, items=uploads.data_items(sent), ignore_errors=ignore_errors)

    def poll(job: str, hold: int) -> Call[UploadJob]:
        return folder_uploads.poll_folder_upload(folder, job, timeout_seconds=hold)

    return (yield from _upload(units, ask, start, poll, timeout, parallel))


def follow_job(poll: Callable[[int], Call[J]], *, timeout: float) -> Flow[J]:
    """Poll a job until it ends or the time-out is over.

    Up to `FORGIVEN` failed polls in a row are tolerated: transient errors and responses that cannot be read.

    :param poll: Makes the call; takes the seconds that Encord may hold the request.
    :param timeout: Seconds; 0 polls once.
    :return: The last known state; check its `ended`.
    :raises TransientError: Encord has not returned the state of the job by the end of the time-out.
    """
    deadline = (yield from Now()) + timeout
    failures, pause = 0, _FIRST_PAUSE
    while True:
        asked = yield from Now()
        hold = max(0, min(LONGEST_HOLD, int(deadline - asked)))
        try:
            state = yield from poll(hold)
        except (TransientError, UnexpectedResponseError) as error:  # a single unreadable response must not end the wait
            failures += 1
            wait = _QUICK_POLL
            if isinstance(error, TransientError):
                wait = max(_PAUSE_AFTER_FAILURE, error.retry_after or 0)
            if failures > FORGIVEN or (yield from Now()) + wait >= deadline:
                raise
            yield from Pause(wait)
            continue
        failures = 0
        now = yield from Now()
        if state.ended or now >= deadline:
            return state
        if now - asked < _QUICK_POLL:
            yield from Pause(min(pause, deadline - now))
            pause = min(2 * pause, _LONGEST_PAUSE)


def _upload(
    units: Sequence[LocalUnit],
    ask: AskForUrls,
    start: Callable[[Sequence[Unit]], Call[str]],
    poll: Callable[[str, int], Call[UploadJob]],
    timeout: float,
    parallel: int,
) -> Flow[Uploaded]:
    results = yield from _send(units, ask, parallel)
    sent = [result for result in results if not isinstance(result, EncordError)]
    lost = [(unit.title, one) for unit, one in zip(units, results, strict=True) if isinstance(one, EncordError)]
    if not sent:
        return Uploaded(job=None, state=None, not_sent=lost)
    job = yield from start(sent)
    try:
        state = yield from follow_job(lambda hold: poll(job, hold), timeout=timeout)
    except TransientError as error:  # the job continues: keep its id
        state = UploadJob(status=PENDING, errors=[str(error)])
    return Uploaded(job=job, state=state, not_sent=lost)


def _send(units: Sequence[LocalUnit], ask: AskForUrls, parallel: int) -> Flow[list[Unit | EncordError]]:
    """Upload the bytes of the units. Returns for each unit the form that a job takes, or the error of its upload."""
    places: dict[tuple[int, int], SignedUrl | EncordError] = {}
    for kind in dict.fromkeys(unit.kind for unit in units):
        slots = [
            (number, part) for number, unit in enumerate(units) if unit.kind == kind for part in range(len(unit.files))
        ]
        for some in chunks(slots, MOST_URLS_PER_REQUEST):
            places |= yield from _send_files(
                {slot: units[slot[0]].files[slot[1]] for slot in some}, kind, ask, parallel
            )
    return [
        _outcome(unit, [places[number, part] for part in range(len(unit.files))]) for number, unit in enumerate(units)
    ]


def _outcome(unit: LocalUnit, places: Sequence[SignedUrl | EncordError]) -> Unit | EncordError:
    error = next((place for place in places if isinstance(place, EncordError)), None)
    return error or unit.registered([place for place in places if isinstance(place, SignedUrl)])


def _send_files(
    files: Mapping[tuple[int, int], LocalFile], kind: Kind, ask: AskForUrls, parallel: int
) -> Flow[dict[tuple[int, int], SignedUrl | EncordError]]:
    urls = yield from ask([file.title for file in files.values()], kind)
    if len(urls) < len(files):
        raise UnexpectedResponseError(f"Encord returned {len(urls)} upload URLs for {len(files)} files.")
    places = dict(zip(files, urls, strict=False))
    transfers = {slot: _transfer(files[slot], kind, url) for slot, url in places.items() if isinstance(url, SignedUrl)}
    ended = yield from Gather(list(transfers.values()), parallel)
    return places | {
        slot: result for slot, result in zip(transfers, ended, strict=True) if isinstance(result, EncordError)
    }


def _transfer(file: LocalFile, kind: Kind, url: SignedUrl) -> Transfer:
    headers = {"Cache-Control": "max-age=86400"}
    content_type = kind.content_type or file.content_type
    if content_type:
        headers["Content-Type"] = content_type
    headers |= url.upload_headers or {}
    return Transfer(url=url.signed_url, open=file.open, size=file.size, headers=headers, title=file.title)


def _without_placeholder(url: SignedUrl) -> SignedUrl:
    return SignedUrl(object_key=url.object_key, signed_url=url.signed_url, upload_headers=url.upload_headers)
