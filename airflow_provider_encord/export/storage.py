"""What an export needs of a path: what `pathlib.Path` and Airflow's `ObjectStoragePath` both have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Protocol, Self

UNFINISHED = ".unfinished"


class BinaryWriter(Protocol):
    """A file open for writing."""

    def write(self, data: bytes, /) -> Any:
        """Write all of it."""

    def close(self) -> None:
        """Finish the file; on an object store it appears only now."""


class StoragePath(Protocol):
    """A path of a local disk or an object store."""

    @property
    def name(self) -> str:
        """The last part."""

    def __truediv__(self, part: str) -> Self: ...

    def exists(self) -> bool:
        """Whether there is a file, a directory, or anything below it."""

    def is_dir(self) -> bool:
        """Whether it is a directory, or the prefix of something."""

    def iterdir(self) -> Iterable[Self]:
        """What is in a directory."""

    def mkdir(self, *, parents: bool, exist_ok: bool) -> None:
        """Make a directory."""

    def open(self, mode: Literal["wb"]) -> BinaryWriter:
        """Write a file."""

    def read_bytes(self) -> bytes:
        """All of a file."""

    def unlink(self) -> None:
        """Remove a file."""

    def rename(self, target: Self) -> Any:
        """Move a file, over what is there."""


def is_local(path: StoragePath) -> bool:
    """Whether it is on a disk of this machine."""
    return getattr(path, "protocol", "") in ("", "file", "local")


def write_whole(directory: StoragePath, name: str, content: bytes) -> None:
    """Write a small file that nobody ever sees half.

    An object store shows an object only once it is whole. A local disk shows a file as soon as it is opened, so there
    it is written beside, and renamed.
    """
    first = directory / (name + UNFINISHED if is_local(directory) else name)
    file = first.open("wb")
    try:
        file.write(content)
    finally:
        file.close()
    if is_local(directory):
        first.rename(directory / name)
