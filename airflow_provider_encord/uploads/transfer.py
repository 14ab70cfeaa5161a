"""Sending the bytes of the files of a task to Encord's object store, with their checksums."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from airflow_provider_encord.client.api.core.data_items import Unit
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.errors import EncordError, RefusedError
from airflow_provider_encord.client.flows.upload_target import UploadTarget
from airflow_provider_encord.client.flows.uploads import StoredObject, put_files, unit_of, unsendable
from airflow_provider_encord.sources.files import SourceFile
from airflow_provider_encord.uploads.content import Content, joined_checksum
from airflow_provider_encord.uploads.outcome import FileOutcome, failed


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
        stored = [
            StoredObject(key=key, placeholder=placeholder)
            for key, placeholder in zip(self.objects, self.placeholders, strict=True)
        ]
        return unit_of(self.file, stored)


def unfit(file: SourceFile) -> FileOutcome | None:
    """The failed outcome of a file that cannot be sent; None if it can."""
    why = unsendable((part.uri, part.size) for part in file.files)
    return None if why is None else failed(file, why, retryable=False)


def send_files(target: UploadTarget, files: Sequence[SourceFile]) -> Flow[tuple[list[StoredFile], list[FileOutcome]]]:
    """Send files of one kind. All files of a group must be sent, or the group fails.

    :return: The files that were sent, in order, and the outcomes of those that failed.
    :raises EncordError: Encord returned no URLs at all.
    """
    parts = [part for file in files for part in file.files]
    contents = [Content(part) for part in parts]
    results = yield from put_files(target, parts, [content.open for content in contents])
    sent: list[StoredFile] = []
    failures: list[FileOutcome] = []
    first = 0
    for file in files:
        its = slice(first, first + len(file.files))
        first += len(file.files)
        lost = next((result for result in results[its] if isinstance(result, EncordError)), None)
        if lost is not None:
            failures.append(failed(file, str(lost), retryable=lost.retryable or type(lost) is RefusedError))
            continue
        stored = [result for result in results[its] if isinstance(result, StoredObject)]
        sent.append(
            StoredFile(
                file=file,
                objects=tuple(object_.key for object_ in stored),
                placeholders=tuple(object_.placeholder for object_ in stored),
                sha256=joined_checksum([content.sha256 for content in contents[its]]),
            )
        )
    return sent, failures
