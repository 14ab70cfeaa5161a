"""What earlier reports know: which file each data row (or storage item) was made of.

A title and a size are a guess: cameras number their frames alike, and BMP, WAV and raw files all have one size. A
report knows better. It names the source, the version of the file as its store states it, and the checksum of the bytes
that were sent; so a row that a report knows is compared by content, never by name.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Sequence

from airflow_provider_encord.sources.files import SourceFile, composed
from airflow_provider_encord.uploads.content import checksum_of
from airflow_provider_encord.uploads.report import UploadLine


class Evidence:
    """Lines of reports about one dataset or folder.

    :param lines: In the order in which they were written; the last one about a row holds.
    :param checksum: Gives the SHA-256 of a file, by reading it.
    :param exists: Whether there is still a file at a URI.
    """

    def __init__(
        self,
        lines: Iterable[UploadLine] = (),
        *,
        checksum: Callable[[SourceFile], str] = checksum_of,
        exists: Callable[[str], bool] = lambda _: False,
    ):
        self._exists = exists
        self._by_key: dict[str, UploadLine] = {}
        self._keys_of_source: dict[str, list[str]] = collections.defaultdict(list)
        for line in lines:
            self._add(line)
        self.learned: list[UploadLine] = []
        """What this attempt found out about files as they were before; to be kept like the lines of a report."""
        self._checksum = checksum
        self._checksums: dict[SourceFile, str] = {}

    def learn(self, line: UploadLine) -> None:
        """Take in what is known of a row that an earlier attempt made, of a file that is gone or changed by now."""
        if self._add(line):
            self.learned.append(line)

    def _add(self, line: UploadLine) -> bool:
        if not line.id or not line.sha256:  # without a checksum a line itself went by name
            return False
        earlier = self._by_key.get(line.id)
        if earlier is not None:
            self._keys_of_source[composed(earlier.source)].remove(line.id)
        self._by_key[line.id] = line
        self._keys_of_source[composed(line.source)].append(line.id)
        return True

    def knows(self, key: str) -> bool:
        """Whether the content of a row is known."""
        return key in self._by_key

    def keys_of(self, source: str) -> Sequence[str]:
        """The rows that were made of a source."""
        return self._keys_of_source.get(composed(source), ())

    def content_of(self, key: str) -> tuple[int, str, str]:
        """Size, kind and SHA-256 of what a row was made of."""
        line = self._by_key[key]
        return line.size, line.kind, str(line.sha256)

    def source_exists(self, key: str) -> bool:
        """Whether what a row was made of is still where it was: then another file of its content is a copy."""
        return self._exists(self._by_key[key].source)

    @property
    def checksums(self) -> dict[str, str]:
        """The SHA-256 of what each row was made of, by its id."""
        return {key: str(line.sha256) for key, line in self._by_key.items()}

    def is_unchanged(self, file: SourceFile, key: str, *, read: bool = False) -> bool:
        """Whether a row was made of this very file as it is now.

        The file is read only where its store does not show that it was not written since.

        :param read: Read it in any case.
        """
        line = self._by_key[key]
        if line.size != file.size or line.kind != file.item_type:
            return False
        same_source = composed(line.source) == composed(file.uri)
        if not read and same_source and line.version is not None and line.version == file.version:
            return True
        return line.sha256 == self.checksum(file)

    def checksum(self, file: SourceFile) -> str:
        """The SHA-256 of a file, read once at most.

        :raises EncordError: It cannot be read.
        """
        if file not in self._checksums:
            self._checksums[file] = self._checksum(file)
        return self._checksums[file]
