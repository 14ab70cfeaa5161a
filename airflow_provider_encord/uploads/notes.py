"""Jobs that run at Encord, noted where the next attempt finds them: a worker may be killed between any two steps.

A note exists from before a job is started until its outcomes are known. With the job's id, the next attempt waits for
it. Without an id, it is not known whether the job started: its rows are looked for, and then the same objects are
registered again with duplicate URLs skipped, so that nothing is doubled. The bytes are never sent twice.
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
    """A file that was sent; the fields are those of `StoredFile` and `SourceFile`."""

    source: str
    title: str
    size: int
    objects: list[str]
    placeholders: list[str | None]
    sha256: str | None = None
    version: str | None = None
    kind: str | None = None


class JobCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A job that was about to start, or has.

    :param target: Id of the dataset or folder.
    :param job: Its id; None if it was only about to start.
    :param files: What it makes data of.
    :param known: Ids of rows with the same titles that were there before.
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
    """The notes of one task.

    :param read: Gives what was written last; None if nothing was.
    :param write: Keeps it, whole or not at all, also if this process dies right after. None: nothing is kept, and the
        notes serve this attempt alone.
    :param erase: Deletes what was written, when no job runs any more.
    :param check: Makes sure that the place of the notes still belongs to this attempt, and keeps it a while longer.
    :param hold: Keeps it for so many seconds.
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
        """Whether another try will find the notes."""
        return self.write is not None

    @property
    def unfinished(self) -> bool:
        """Whether a job still runs, or may."""
        return bool(self._open)

    def left(self, target: str) -> list[JobCheckpoint]:
        """The notes that an earlier try left about this dataset or folder.

        :raises InvalidArgumentError: What is there are no notes, or of a newer version.
        """
        content = self.read()
        if not content:
            return []
        try:
            notes = _DECODER.decode(content)
        except NOT_JSON as error:
            raise InvalidArgumentError(
                f"report: the notes of an earlier try beside it cannot be read: {error}."
            ) from None
        if notes.schema_version > SCHEMA_VERSION:
            raise InvalidArgumentError(
                f"report: the notes beside it have schema_version {notes.schema_version}, and this version of the "
                f"provider reads up to {SCHEMA_VERSION}. Update it, or name another report."
            )
        self._open = [note for note in notes.notes if note.target == target]
        return list(self._open)

    def open(self, target: str, sent: Sequence[StoredFile], known: Iterable[str]) -> JobCheckpoint:
        """Note that a job is about to start."""
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
        """Note the id of its job."""
        named = msgspec.structs.replace(note, job=job)
        self._open[self._open.index(note)] = named
        self._save()
        return named

    def close(self, note: JobCheckpoint) -> None:
        """Forget it: its outcomes are known, or it did not start."""
        if note in self._open:
            self._open.remove(note)
            self._save()

    def _save(self) -> None:
        if not self._open and self.erase is not None:
            self.erase()
        elif self.write is not None:
            self.write(msgspec.json.encode(_Notes(schema_version=SCHEMA_VERSION, notes=self._open)))


def sent_again(note: JobCheckpoint, files: Sequence[SourceFile]) -> list[StoredFile]:
    """The files of a note that are among those of this attempt.

    A file that is no longer named, or was written again since, is left out.
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
    """The files of a note that are not as they were then: written again since, or gone.

    Encord may have made data of them all the same. Groups that are gone are left out.
    """
    by_source = {file.uri: file for file in files}
    sent = []
    for one in note.files:
        now = by_source.get(one.source)
        if now is not None and _same_version(now, one):
            continue
        kind = KINDS.get(one.kind or "")
        if now is not None:
            then = dataclasses.replace(now, path=None, title=one.title, size=one.size, version=one.version)
        elif kind is not None and len(one.objects) == 1:
            then = SourceFile(path=None, uri=one.source, title=one.title, size=one.size, kind=kind, version=one.version)
        else:
            continue
        sent.append(StoredFile(file=then, objects=tuple(one.objects), sha256=one.sha256))
    return sent


def _same_version(file: SourceFile, noted: NotedFile) -> bool:
    return file.size == noted.size and (noted.version is None or noted.version == file.version)
