"""Evidence from earlier reports: the file from which each data row (or storage item) was created.

Matching by title and size is unreliable: many cameras use the same file names, and BMP, WAV and raw files often have
the same size. A report contains the source, the version of the file from its store, and the checksum of the uploaded
bytes. So a row in a report is compared by content, never by name.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Sequence

from airflow_provider_encord.sources.files import SourceFile, composed
from airflow_provider_encord.uploads.content import checksum_of
from airflow_provider_encord.uploads.report import UploadLine


class Evidence:
    """Lines of reports about one dataset or folder.

    :param lines: The lines in the order of writing. The last line about a row is used.
    :param checksum: Reads a file and returns its SHA-256.
    :param exists: Returns whether a file still exists at a URI.
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
        """Lines that this attempt has learned about earlier versions of files. They are kept like lines of a report."""
        self._checksum = checksum
        self._checksums: dict[SourceFile, str] = {}

    def learn(self, line: UploadLine) -> None:
        """Add a line about a row that an earlier attempt created from a file that was deleted or changed since."""
        if self._add(line):
            self.learned.append(line)

    def _add(self, line: UploadLine) -> bool:
        if not line.id or not line.sha256:  # a line without a checksum was itself matched by name
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
        """The rows that were created from a source."""
        return self._keys_of_source.get(composed(source), ())

    def content_of(self, key: str) -> tuple[int, str, str]:
        """Size, kind and SHA-256 of the file from which a row was created."""
        line = self._by_key[key]
        return line.size, line.kind, str(line.sha256)

    def source_exists(self, key: str) -> bool:
        """Whether the source of a row still exists. If so, another file with the same content is a copy."""
        return self._exists(self._by_key[key].source)

    @property
    def checksums(self) -> dict[str, str]:
        """The SHA-256 of the source of each row, by the row's id."""
        return {key: str(line.sha256) for key, line in self._by_key.items()}

    def is_unchanged(self, file: SourceFile, key: str, *, read: bool = False) -> bool:
        """Whether a row was created from the present version of this file.

        The file is read only if its version in the store does not show that it is unchanged.

        :param read: Read the file in any case.
        """
        line = self._by_key[key]
        if line.size != file.size or line.kind != file.item_type:
            return False
        same_source = composed(line.source) == composed(file.uri)
        if not read and same_source and line.version is not None and line.version == file.version:
            return True
        return line.sha256 == self.checksum(file)

    def checksum(self, file: SourceFile) -> str:
        """The SHA-256 of a file, which is read at most once.

        :raises EncordError: It cannot be read.
        """
        if file not in self._checksums:
            self._checksums[file] = self._checksum(file)
        return self._checksums[file]
