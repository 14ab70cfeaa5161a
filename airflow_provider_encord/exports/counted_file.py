"""Writing a file in large blocks, with its size and SHA-256."""

from __future__ import annotations

import hashlib

from airflow_provider_encord.storage_paths import BinaryWriter, StoragePath, storage_errors

_WRITE_BYTES = 2**20  # Airflow notes lineage at each write, which costs more than the write of a small row


class CountedFile:
    """A file that is being written.

    :param directory: Directory of the file; it must exist.
    """

    def __init__(self, directory: StoragePath, name: str):
        self._directory = directory
        with storage_errors("destination", directory):
            self._file: BinaryWriter = (directory / name).open("wb")
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._digest = hashlib.sha256()
        self.bytes = 0

    def write(self, data: bytes, /) -> int:
        """Append data."""
        if not isinstance(data, bytes):
            data = bytes(data)  # an encoder may use its buffer again
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes >= _WRITE_BYTES:
            self._flush()
        return len(data)

    def close(self) -> None:
        """Write the rest and close the file."""
        try:
            self._flush()
        finally:
            with storage_errors("destination", self._directory):
                self._file.close()

    def abandon(self) -> None:
        """Close the file without writing the rest, after a failure."""
        self._file.close()

    @property
    def sha256(self) -> str:
        """SHA-256 of the written data as hexadecimal digits; final after `close`."""
        return self._digest.hexdigest()

    def _flush(self) -> None:
        block = b"".join(self._waiting)
        self._waiting, self._waiting_bytes = [], 0
        self._digest.update(block)
        self.bytes += len(block)
        with storage_errors("destination", self._directory):
            self._file.write(block)
