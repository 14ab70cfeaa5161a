"""Reading pulled files, and checking that they are the ones that were pulled."""

from __future__ import annotations

import collections
import concurrent.futures
import hashlib
from collections.abc import Generator, Iterable, Iterator
from typing import Any

from airflow_provider_encord.client.errors import RefusedError
from airflow_provider_encord.media.fetching import path_at
from airflow_provider_encord.storage_paths import blocks_of, storage_errors
from airflow_provider_encord.training.samples import File


class PulledFiles:
    """Reads files.

    :param media: Path object of the directory of the media.
    :param max_concurrency: How many files are read at once.
    """

    def __init__(self, media: Any, max_concurrency: int):
        self._media, self._most = media, max_concurrency

    def blocks(self, file: File) -> Iterator[bytes]:
        """The content of a file, block by block.

        :raises RefusedError: It is not the file that was pulled. This is known only after the last block.
        :raises EncordError: It cannot be read.
        """
        source, digest = path_at(self._media, file.path), hashlib.sha256()
        with storage_errors("media", source):
            for block in blocks_of(source):
                digest.update(block)
                yield block
        if file.sha256 is not None and digest.hexdigest() != file.sha256:
            raise RefusedError(
                f"media: {source} is not the file that was pulled: its SHA-256 differs from the one in the report. "
                "Pull the media again."
            )

    def contents(self, files: Iterable[File]) -> Generator[bytes]:
        """The contents of files, in order. The next ones are read while one is used.

        :raises EncordError: See `blocks`.
        """
        waiting: collections.deque[concurrent.futures.Future[bytes]] = collections.deque()
        pool = concurrent.futures.ThreadPoolExecutor(max_workers=self._most)
        try:
            for file in files:
                waiting.append(pool.submit(self._content, file))
                if len(waiting) > self._most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _content(self, file: File) -> bytes:
        return b"".join(self.blocks(file))
