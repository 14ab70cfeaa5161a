"""Fetching one file: from its signed URL, or directly from the user's bucket."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from airflow_provider_encord.client.call import Download, Downloaded
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import RefusedError, SignedUrlRefusedError
from airflow_provider_encord.client.transport.files import NotWrittenError, ReceivedFile
from airflow_provider_encord.media.files import MediaFile, with_new_url
from airflow_provider_encord.media.layout import Layout, Placed
from airflow_provider_encord.media.report import BY_LENGTH, BY_MD5, BY_SIZE, OPERATION, MediaLine
from airflow_provider_encord.reports import CREATED, SCHEMA_VERSION, SKIPPED, Outcome
from airflow_provider_encord.storage_paths import (
    StoragePath,
    blocks_of,
    is_local,
    replacing,
    storage_errors,
    version_of,
)


class Buckets:
    """Which addresses of files can be read without Encord.

    :param paths: Path objects by the beginning of addresses, such as ``s3://bucket/``. The longest beginning counts.
    """

    def __init__(self, paths: Mapping[str, Any]):
        self._paths = sorted(paths.items(), key=lambda item: -len(item[0]))

    def path_of(self, url: str | None) -> Any:
        """The path of a file; None if its address has none of the beginnings."""
        for beginning, path in self._paths:
            if url is not None and url.startswith(beginning):
                return _object_at(path, url.removeprefix(beginning))
        return None


class _ExactObject:
    """An object of a bucket by its exact key, which may have empty parts. A path may join two slashes to one."""

    def __init__(self, bucket: Any, key: str):
        self._files, self._address = bucket.fs, f"{bucket.path.rstrip('/')}/{key}"

    def __str__(self) -> str:
        return str(self._address)

    def open(self, mode: str) -> Any:
        """Open the object."""
        return self._files.open(self._address, mode)


def _object_at(bucket: Any, key: str) -> Any:
    """The path of an object. On a disk, two slashes are one, so a key with empty parts has no path there.

    :raises RefusedError: The key does not name a file below the directory.
    """
    parts = key.split("/")
    if not is_local(bucket) and "" in parts[:-1] and parts[-1] and not {".", ".."} & {*parts}:
        return _ExactObject(bucket, key)
    return path_at(bucket, key)


class Fetcher:
    """Fetches files to their paths.

    :param destination: The directory for the files.
    :param verify_size: Refuse a file whose size is not the one that Encord states.
    :param mark: See `storage_paths.write_whole`.
    """

    def __init__(
        self,
        client: EncordClient,
        destination: Any,
        layout: Layout,
        buckets: Buckets,
        *,
        verify_size: bool,
        mark: str = "",
    ):
        self._client, self._destination, self._layout, self._buckets = client, destination, layout, buckets
        self._verify_size = verify_size
        self.mark = mark

    def path_of(self, file: Placed) -> str:
        """The path of a file, relative to the destination."""
        return self._layout.path_of(file)

    def fetch(self, file: MediaFile) -> MediaLine:
        """Fetch a file, unless Encord has none.

        :raises EncordError: It could not be fetched. Nothing was written.
        """
        if not self.is_available(file):
            return media_line(file, SKIPPED, error=f"Encord has no file for an item of the type {file.item_type}")
        relative = self.path_of(file)
        path = path_at(self._destination, relative)
        with storage_errors("destination", path):
            done = self.copy(file, path)
            version = version_of(path)
        return media_line(
            file,
            CREATED,
            path=relative,
            bytes=done.size,
            sha256=done.sha256,
            checked_by=self._checked_by(file, done),
            version=version,
            width=file.width,
            height=file.height,
        )

    def is_available(self, file: MediaFile) -> bool:
        """Whether there is an address to fetch the file from."""
        return file.signed_url is not None or self._buckets.path_of(file.url) is not None

    def copy(self, file: MediaFile, path: StoragePath) -> Downloaded:
        """Copy the bytes of a file, as a whole or not at all.

        :raises EncordError: They could not be copied.
        """
        bucket = self._buckets.path_of(file.url)
        if bucket is not None:
            return self._from_bucket(file, bucket, path)
        try:
            return self._from_signed_url(file, path)
        except SignedUrlRefusedError:
            again = with_new_url(self._client, file)
            if again is None:
                raise
            return self._from_signed_url(again, path)

    def _from_signed_url(self, file: MediaFile, path: StoragePath) -> Downloaded:
        url = file.signed_url or ""
        return self._client.download(
            Download(url, lambda: replacing(path, mark=self.mark), file.title, self._expected(file))
        )

    def _from_bucket(self, file: MediaFile, bucket: StoragePath, path: StoragePath) -> Downloaded:
        with storage_errors("bucket_paths", bucket), replacing(path, mark=self.mark) as writer:
            received = ReceivedFile(writer, self._expected(file))
            for block in blocks_of(bucket):
                try:
                    received.write(block)
                except NotWrittenError as error:
                    raise error.error from None
            return received.end(file.title, {})

    def _checked_by(self, file: MediaFile, done: Downloaded) -> str | None:
        if done.md5_matched:
            return BY_MD5
        if self._expected(file) is not None:
            return BY_SIZE
        return BY_LENGTH if done.length_known else None

    def _expected(self, file: MediaFile) -> int | None:
        return file.size if self._verify_size else None


def path_at(directory: Any, relative: str) -> Any:
    """A path below a directory.

    :param relative: With slashes; a part of it must not lead upwards.
    :raises RefusedError: It does.
    """
    for part in relative.split("/"):
        if part in ("", ".", "..") or os.sep in part:
            raise RefusedError(f"The path {relative[:200]!r} does not name a file below a directory.")
        directory = directory / part
    return directory


def media_line(file: MediaFile, outcome: Outcome, *, error: str | None = None, **about: Any) -> MediaLine:
    """A line about a file."""
    return MediaLine(
        schema_version=SCHEMA_VERSION,
        operation=OPERATION,
        source=file.title,
        id=file.item_id,
        outcome=outcome,
        error=error,
        data_hash=file.reference.data_hash,
        unit=file.unit,
        item_type=file.item_type,
        mime_type=about.pop("mime_type", file.mime_type),
        **about,
    )
