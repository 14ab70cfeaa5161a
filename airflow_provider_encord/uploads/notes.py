"""Checkpoints of jobs that run at Encord, stored so that the next attempt finds them if a worker is killed.

A checkpoint is written before a job is started and deleted when its outcomes are known. If it contains the job's id,
the next attempt waits for the job. Without an id, it is not known whether the job started. Then its rows are searched,
and the same objects are registered again with duplicate URLs skipped, so that nothing is registered twice. The bytes
are never sent twice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.sources.files import SourceFile
from airflow_provider_encord.sources.kinds import NAMES as KINDS
from airflow_provider_encord.sources.kinds import name_of_kind
from airflow_provider_encord.uploads.transfer import StoredFile

SCHEMA_VERSION = 1


class NotedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was sent. For the fields, see `StoredFile` and `SourceFile`."""

    source: str
    title: str
    size: int
    objects: list[str]
    placeholders: list[str | None]
    sha256: str | None = None
    version: str | None = None
    kind: str | None = None


class JobCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A job that has started or was about to start.

    :param target: Id of the dataset or folder.
    :param job: Id of the job; None if the job was only about to start.
    :param files: The files of the job.
    :param known: Ids of rows with the same titles that existed before.
    """

    target: str
    job: str | None
    files: list[NotedFile]
    known: list[str] = []


class _Notes(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int
    notes: list[JobCheckpoint]


_DECODER = msgspec.json.Decoder(_Notes)


@dataclasses.dataclass
class JobCheckpoints:
    """The checkpoints of one task.

    :param read: Returns the content that was written last; None without any.
    :param write: Stores the content atomically, so that it is kept even if this process dies right after. None stores
        nothing; the checkpoints then exist only in this attempt.
    :param erase: Deletes the stored content, when no job runs any more.
    :param check: Checks that this attempt still owns the place of the checkpoints, and extends the claim.
    :param hold: Extends the claim by a number of seconds.
    """

    read: Callable[[], bytes | None] = lambda: None
    write: Callable[[bytes], None] | None = None
    erase: Callable[[], None] | None = None
    check: Callable[[], None] = lambda: None
    hold: Callable[[float], None] = lambda _: None

    def __post_init__(self) -> None:
        self._open: list[JobCheckpoint] = []

    @property
    def lasting(self) -> bool:
        """Whether another attempt will find the checkpoints."""
        return self.write is not None

    @property
    def unfinished(self) -> bool:
        """Whether a job still runs or may still run."""
        return bool(self._open)

    def left(self, target: str) -> list[JobCheckpoint]:
        """The checkpoints of earlier attempts for this dataset or folder.

        :raises InvalidArgumentError: The stored content is not a checkpoint, or has a newer version.
        """
        content = self.read()
        if not content:
            return []
        try:
            notes = _DECODER.decode(content)
        except NOT_JSON as error:
            raise InvalidArgumentError(
                f"report: the checkpoints of an earlier attempt, stored next to it, cannot be read: {error}."
            ) from None
        if notes.schema_version > SCHEMA_VERSION:
            raise InvalidArgumentError(
                f"report: the checkpoints next to it have schema_version {notes.schema_version}, but this version of "
                f"the provider reads only up to {SCHEMA_VERSION}. Upgrade the provider, or use another report."
            )
        self._open = [note for note in notes.notes if note.target == target]
        return list(self._open)

    def open(self, target: str, sent: Sequence[StoredFile], known: Iterable[str]) -> JobCheckpoint:
        """Store that a job is about to start."""
        files = [
            NotedFile(
                source=item.file.uri,
                title=item.file.title,
                size=item.file.size,
                objects=list(item.objects),
                placeholders=list(item.placeholders),
                sha256=item.sha256,
                version=item.file.version,
                kind=name_of_kind(item.file.kind),
            )
            for item in sent
        ]
        note = JobCheckpoint(target=target, job=None, files=files, known=sorted(known))
        self._open.append(note)
        self._save()
        return note

    def started(self, note: JobCheckpoint, job: str) -> JobCheckpoint:
        """Store the id of the started job."""
        named = msgspec.structs.replace(note, job=job)
        self._open[self._open.index(note)] = named
        self._save()
        return named

    def close(self, note: JobCheckpoint) -> None:
        """Delete a checkpoint, because the outcomes of its job are known or the job did not start."""
        if note in self._open:
            self._open.remove(note)
            self._save()

    def _save(self) -> None:
        if not self._open and self.erase is not None:
            self.erase()
        elif self.write is not None:
            self.write(msgspec.json.encode(_Notes(schema_version=SCHEMA_VERSION, notes=self._open)))


def sent_again(note: JobCheckpoint, files: Sequence[SourceFile]) -> list[StoredFile]:
    """The files of a checkpoint that are also files of this attempt.

    Files that are not part of the source any more, or were changed since, are left out.
    """
    by_source = {file.uri: file for file in files}
    return [
        StoredFile(
            file=by_source[file.source],
            objects=tuple(file.objects),
            placeholders=tuple(file.placeholders),
            sha256=file.sha256,
        )
        for file in note.files
        if file.source in by_source and _same_version(by_source[file.source], file)
    ]


def sent_before(note: JobCheckpoint, files: Sequence[SourceFile]) -> list[StoredFile]:
    """The files of a checkpoint that were changed or deleted since.

    Encord may still have created data from them. Deleted groups are left out.
    """
    by_source = {file.uri: file for file in files}
    sent = []
    for noted in note.files:
        now = by_source.get(noted.source)
        if now is not None and _same_version(now, noted):
            continue
        kind = KINDS.get(noted.kind or "")
        if now is not None:
            then = dataclasses.replace(now, path=None, title=noted.title, size=noted.size, version=noted.version)
        elif kind is not None and len(noted.objects) == 1:
            then = SourceFile(
                path=None, uri=noted.source, title=noted.title, size=noted.size, kind=kind, version=noted.version
            )
        else:
            continue
        sent.append(StoredFile(file=then, objects=tuple(noted.objects), sha256=noted.sha256))
    return sent


def _same_version(file: SourceFile, noted: NotedFile) -> bool:
    return file.size == noted.size and (noted.version is None or noted.version == file.version)
