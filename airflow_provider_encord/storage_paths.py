"""Local disks and object stores: what their paths share, files that appear whole or not at all, and named errors.

A path is a `pathlib.Path` or Airflow's ``ObjectStoragePath``. What the latter opens is, on Airflow 2, no
iterator, so read it with its methods.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import pathlib
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, Protocol, Self, overload

from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError, UnavailableError
from airflow_provider_encord.client.malformed import NOT_JSON

try:
    import fcntl
except ImportError:  # on Windows, where exports can be read
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

LOCK_SECONDS = 60.0
"""How long a process waits for the lock of a directory that another one holds."""
_LOCK_POLL_SECONDS = 0.05
UNFINISHED = ".unfinished"
UNFINISHED_PATTERN = r"(\.[0-9a-f]{8})?\.unfinished"
"""A regular expression: what the name of a file ends in while it is being written."""
_VERSION_MARKS = ("ETag", "etag", "generation", "LastModified", "last_modified", "updated", "mtime", "ino")
_LASTING = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError, ValueError)
_TURNS = 10
_LASTING_CODES = (errno.ENAMETOOLONG, errno.ELOOP, errno.EROFS)


class BinaryWriter(Protocol):
    """A file open for writing."""

    def write(self, data: bytes, /) -> Any:
        """Write all of it."""

    def close(self) -> None:
        """Finish the file; on an object store it appears only now."""


class BinaryReader(Protocol):
    """A file open for reading."""

    def read(self, size: int = -1, /) -> bytes:
        """So many bytes at most; none at the end."""

    def close(self) -> None:
        """Finish."""


class StoragePath(Protocol):
    """A path of a local disk or an object store."""

    @property
    def name(self) -> str:
        """The last part."""

    @property
    def parent(self) -> Self:
        """The directory that it is in."""

    def __truediv__(self, part: str) -> Self: ...

    def exists(self) -> bool:
        """Whether there is a file, a directory, or anything below it."""

    def is_dir(self) -> bool:
        """Whether it is a directory, or the prefix of something."""

    def iterdir(self) -> Iterable[Self]:
        """What is in a directory."""

    def mkdir(self, *, parents: bool, exist_ok: bool) -> None:
        """Make a directory."""

    @overload
    def open(self, mode: Literal["wb"]) -> BinaryWriter:
        """Write a file."""

    @overload
    def open(self, mode: Literal["rb"]) -> BinaryReader:
        """Read a file."""

    def read_bytes(self) -> bytes:
        """All of a file."""

    def unlink(self) -> None:
        """Remove a file."""

    def rmdir(self) -> None:
        """Remove an empty directory."""

    def rename(self, target: Self) -> Any:
        """Move a file, over what is there."""


def is_local(path: StoragePath) -> bool:
    """Whether it is on a disk of this machine."""
    return getattr(path, "protocol", "") in ("", "file", "local")


def write_whole(path: StoragePath, blocks: Iterable[bytes]) -> None:
    """Write a file that appears whole or not at all, over what is there.

    An object store shows an object only once it is whole. A local disk shows a file as soon as it is opened, so there
    it is written beside, and renamed. Its directory is made if it is missing; object stores have none.
    """
    first: Any = _unfinished(path) if is_local(path) else path
    try:
        file = _opened(first) if is_local(path) else first.open("wb")
        try:
            for block in blocks:
                file.write(block)
        finally:
            file.close()
        if is_local(path):
            first.rename(plain(path))
    except BaseException:
        if is_local(path):
            with contextlib.suppress(OSError):
                first.unlink()
        raise


@contextlib.contextmanager
def locked(directory: StoragePath) -> Iterator[None]:
    """Keep out others that do this with the same directory at the same moment, where its disk has such a lock.

    An object store has none, and some network disks have none: there, this does nothing. A process that dies loses the
    lock. One that is stopped keeps it, so others wait for `LOCK_SECONDS` at most, and then go on without it.
    """
    handle = None
    if is_local(directory) and fcntl is not None:
        with contextlib.suppress(OSError):
            handle = os.open(plain(directory), os.O_RDONLY)
    if handle is None:
        yield
        return
    try:
        _lock(handle, directory)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, directory: StoragePath) -> None:
    deadline = time.monotonic() + LOCK_SECONDS
    while time.monotonic() < deadline:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_POLL_SECONDS)  # `flock` itself waits without an end, also for a process that is stopped
        except OSError:  # not on this disk
            return
        else:
            return
    log.warning("Another process has held the lock of %s for %.0f s; going on without it.", directory, LOCK_SECONDS)


def blocks_of(path: StoragePath, size: int = 2**20) -> Iterator[bytes]:
    """A file, block by block."""
    file = path.open("rb")
    try:
        while block := file.read(size):
            yield block
    finally:
        file.close()


def version_of(path: Any) -> str:
    """Identify the content of a file without reading it: equal while the file is not written again.

    :raises Exception: Whatever its disk or store raises; use `storage_errors`.
    """
    size, version = size_and_version(path)
    return f"{size}|{version}"


def size_and_version(path: Any) -> tuple[int, str | None]:
    """The size of a file in bytes, and its version as its disk or store states it; None if it states none.

    :raises Exception: Whatever its disk or store raises; use `storage_errors`.
    """
    if not hasattr(path, "fs"):
        stat = path.stat()
        written = getattr(stat, "st_mtime_ns", None)
        return stat.st_size, None if written is None else f"{written}|{stat.st_ino}"
    known = path.fs.info(path.path)
    marks = [str(known[name]) for name in _VERSION_MARKS if known.get(name) is not None]
    return int(known["size"]), "|".join(marks) or None


def require_regular(path: Any, argument: str) -> None:
    """Make sure that what is at a place where a file is to be written is a file, or nothing.

    :raises InvalidArgumentError: It is a directory, a device or a pipe.
    """
    with storage_errors(argument, path):
        if path.is_dir():
            raise InvalidArgumentError(f"{argument}: {path} is a directory; name a file in it, such as report.jsonl.")
        if is_local(path) and path.exists() and not path.is_file():
            raise InvalidArgumentError(f"{argument}: {path} is not a regular file. Name a file that can be replaced.")


def require_writable(path: Any, argument: str) -> None:
    """Make sure that `write_whole` can write a file, before the work whose result it is to hold. Makes its directory.

    An object store is not tried: it would have to be left an object.

    :raises InvalidArgumentError: It cannot, or something else than a file is there.
    """
    require_regular(path, argument)
    if is_local(path):
        with storage_errors(argument, path):
            first = _unfinished(path)
            _opened(first).close()
            first.unlink()


def require_replaceable(path: Any, argument: str, decode: Callable[[bytes], object], what: str) -> None:
    """Make sure that a file of lines can be written, and that what it replaces is nothing, or of the same sort.

    An empty file may be replaced. The file is read line by line.

    :param decode: Decodes one line of JSON.
    :param what: What the file has to be, for the message (``a report of a verification``).
    :raises InvalidArgumentError: Something else is there, or nothing can be written.
    """
    require_writable(path, argument)
    with storage_errors(argument, path):
        if not path.exists():
            return
        file = path.open("rb")
        try:
            for number, line in enumerate(iter(file.readline, b""), 1):
                _require_line(line, decode, f"{argument}: {path} is not {what}: line {number} is something else")
        finally:
            file.close()


def _require_line(line: bytes, decode: Callable[[bytes], object], problem: str) -> None:
    try:
        decode(line)
    except NOT_JSON:
        raise InvalidArgumentError(f"{problem}. The file was not changed. Name another file.") from None


@contextlib.contextmanager
def storage_errors(argument: str, path: object) -> Iterator[None]:
    """Turn what a disk or a store raises into errors that name the argument and the fix.

    Their own text is left out, unless it is the operating system's: it may quote a signed URL.

    :param argument: The argument that the path comes from.
    :raises InvalidArgumentError: It is missing, of the wrong sort, or may not be used.
    :raises UnavailableError: Anything else, such as a full disk or a store that is not reached.
    """
    try:
        yield
    except EncordError:
        raise
    except _LASTING as error:
        raise _lasting(argument, path, error) from None
    except ImportError as error:
        raise InvalidArgumentError(
            f"{argument}: {path} cannot be used: the module {error.name or 'for its file system'} is not installed. "
            "Install the Airflow provider for it, or give another path."
        ) from None
    except Exception as error:  # noqa: BLE001 - drivers of object stores raise what they like
        if getattr(error, "errno", None) in _LASTING_CODES:
            raise _lasting(argument, path, error) from None
        raise UnavailableError(
            f"{argument}: {path} cannot be used now: {_reason(error)}. Check the disk or the connection of the object "
            "store, and run the task again."
        ) from None


def _lasting(argument: str, path: object, error: Exception) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"{argument}: {path} cannot be used: {_reason(error)}. Check that its directory or bucket is there and that "
        "this worker may use it, or give another path."
    )


def plain(path: Any) -> Any:
    """A path of a disk, as `pathlib` has it: Airflow's own report each file that they open as a data set."""
    return pathlib.Path(str(getattr(path, "path", path))) if hasattr(path, "protocol") else path


def _unfinished(path: StoragePath) -> Any:
    path = plain(path)
    # Unique, so that two processes that write one file at the same moment do not write into each other's.
    return path.parent / f"{path.name}.{secrets.token_hex(4)}{UNFINISHED}"


def _opened(path: Any) -> Any:
    """A new file of a disk, open; its directory is made, also if another attempt removes it when it is empty."""
    left = _TURNS
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return path.open("wb")
        except FileNotFoundError:
            left -= 1
            if not left:
                raise


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or type(error).__name__)
