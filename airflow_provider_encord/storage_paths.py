"""Functions for paths on local disks and in object stores: atomic writes, locks, and clear errors.

A path is a `pathlib.Path` or Airflow's ``ObjectStoragePath``. On Airflow 2, a file that the latter opens is not an
iterator, so read it with `read` or `readline`.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import pathlib
import re
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, Protocol, Self, overload

from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError, UnavailableError
from airflow_provider_encord.client.malformed import NOT_JSON

try:
    import fcntl
except ImportError:  # on Windows, where only reading exports is supported
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

LOCK_SECONDS = 60.0
"""How long a process waits for the lock of a directory that another one holds."""
_LOCK_POLL_SECONDS = 0.05
_BLOCK = 2**20
_MOST_IN_MEMORY = 2**24
UNFINISHED = ".unfinished"
UNFINISHED_PATTERN = r"(\.[0-9a-f]{8})?\.unfinished"
"""A regular expression for the end of a file name while the file is being written."""
_VERSION_MARKS = ("ETag", "etag", "generation", "LastModified", "last_modified", "updated", "mtime", "ino")
_LASTING = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError, ValueError)
_TURNS = 10
_LASTING_CODES = (errno.ENAMETOOLONG, errno.ELOOP, errno.EROFS)


class BinaryWriter(Protocol):
    """A file open for writing."""

    def write(self, data: bytes, /) -> Any:
        """Write all bytes."""

    def close(self) -> None:
        """Finish the file. In an object store it becomes visible only now."""


class BinaryReader(Protocol):
    """A file open for reading."""

    def read(self, size: int = -1, /) -> bytes:
        """Read at most this many bytes. Returns no bytes at the end of the file."""

    def close(self) -> None:
        """Close the file."""


class StoragePath(Protocol):
    """A path on a local disk or in an object store."""

    @property
    def name(self) -> str:
        """The last part of the path."""

    @property
    def parent(self) -> Self:
        """The parent directory."""

    def __truediv__(self, part: str) -> Self: ...

    def exists(self) -> bool:
        """Whether it is a file, a directory, or the prefix of an object."""

    def is_dir(self) -> bool:
        """Whether it is a directory, or the prefix of an object."""

    def iterdir(self) -> Iterable[Self]:
        """The content of a directory."""

    def mkdir(self, *, parents: bool, exist_ok: bool) -> None:
        """Create a directory."""

    @overload
    def open(self, mode: Literal["wb"]) -> BinaryWriter:
        """Write a file."""

    @overload
    def open(self, mode: Literal["rb"]) -> BinaryReader:
        """Read a file."""

    def read_bytes(self) -> bytes:
        """Read a whole file."""

    def unlink(self) -> None:
        """Remove a file."""

    def rmdir(self) -> None:
        """Remove an empty directory."""

    def rename(self, target: Self) -> Any:
        """Move a file. An existing target is replaced."""


def is_local(path: StoragePath) -> bool:
    """Whether the path is on a disk of this machine."""
    return getattr(path, "protocol", "") in ("", "file", "local")


def write_whole(path: StoragePath, blocks: Iterable[bytes], *, mark: str = "") -> None:
    """Write a file atomically: readers see the complete file or the previous one. An existing file is replaced.

    In an object store, an object becomes visible only when it is complete. On a local disk, a file is visible as soon
    as it is opened; so a temporary file is written in the same directory and then renamed. A missing directory is
    created.

    :param mark: A part of the name of the temporary file, by which it can be found if this process is killed; see
        `is_unfinished`.
    """
    if is_local(path):
        with _replacing_on_disk(path, mark) as file:
            for block in blocks:
                file.write(block)
        return
    object_: Any = path.open("wb")
    try:
        for block in blocks:
            object_.write(block)
    finally:
        object_.close()


@contextlib.contextmanager
def replacing(path: StoragePath, *, mark: str = "") -> Iterator[BinaryWriter]:
    """Write a file whose content may turn out to be wrong: it appears only if the block ends without an error.

    An object store would make an object of what was written before an error. So the content is kept in memory, or if it
    is large in a temporary file, until it is complete.

    :param mark: See `write_whole`.
    """
    if is_local(path):
        with _replacing_on_disk(path, mark) as file:
            yield file
        return
    with tempfile.SpooledTemporaryFile(max_size=_MOST_IN_MEMORY) as spool:
        yield spool
        spool.seek(0)
        write_whole(path, iter(lambda: spool.read(_BLOCK), b""))


@contextlib.contextmanager
def _replacing_on_disk(path: StoragePath, mark: str) -> Iterator[Any]:
    first = _unfinished(path, mark)
    try:
        file = _opened(first)
        try:
            yield file
        finally:
            file.close()
        first.rename(plain(path))
    except BaseException:
        with contextlib.suppress(OSError):
            first.unlink()
        raise


@contextlib.contextmanager
def locked(directory: StoragePath) -> Iterator[None]:
    """Lock a directory against other processes that call this function, if its disk supports locks.

    Object stores and some network disks do not support locks; there, this does nothing. If a process dies, its lock
    ends. If it is suspended, it keeps the lock, so other processes wait at most `LOCK_SECONDS` and then continue
    without the lock.
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
        except OSError:  # this disk does not support locks
            return
        else:
            return
    log.warning("Another process has held the lock of %s for %.0f s; going on without it.", directory, LOCK_SECONDS)


def blocks_of(path: StoragePath, size: int = _BLOCK) -> Iterator[bytes]:
    """Read a file in blocks."""
    file = path.open("rb")
    try:
        while block := file.read(size):
            yield block
    finally:
        file.close()


def version_of(path: Any) -> str:
    """Return a text that identifies the content of a file without reading it. It changes when the file is written.

    :raises Exception: Any error of the disk or object store; use `storage_errors`.
    """
    size, version = size_and_version(path)
    return f"{size}|{version}"


def size_and_version(path: Any) -> tuple[int, str | None]:
    """Return the size of a file in bytes, and the version from its disk or object store; None if there is no version.

    :raises Exception: Any error of the disk or object store; use `storage_errors`.
    """
    if not hasattr(path, "fs"):
        stat = path.stat()
        written = getattr(stat, "st_mtime_ns", None)
        return stat.st_size, None if written is None else f"{written}|{stat.st_ino}"
    known = path.fs.info(path.path)
    marks = [str(known[name]) for name in _VERSION_MARKS if known.get(name) is not None]
    return int(known["size"]), "|".join(marks) or None


def require_regular(path: Any, argument: str) -> None:
    """Check that a path is a regular file or does not exist, before a file is written to it.

    :raises InvalidArgumentError: It is a directory, a device or a pipe.
    """
    with storage_errors(argument, path):
        if path.is_dir():
            raise InvalidArgumentError(f"{argument}: {path} is a directory. Pass a file in it, such as report.jsonl.")
        if is_local(path) and path.exists() and not path.is_file():
            raise InvalidArgumentError(f"{argument}: {path} is not a regular file. Pass a file that can be replaced.")


def require_writable(path: Any, argument: str) -> None:
    """Check that `write_whole` can write a file, before the work begins. Creates the directory.

    An object store is not checked, because the check would create an object.

    :raises InvalidArgumentError: The file cannot be written, or the path is not a regular file.
    """
    require_regular(path, argument)
    if is_local(path):
        with storage_errors(argument, path):
            first = _unfinished(path)
            _opened(first).close()
            first.unlink()


def require_replaceable(path: Any, argument: str, decode: Callable[[bytes], object], what: str) -> None:
    """Check that a JSON Lines file can be written, and that it replaces only a file of the same kind.

    An empty file may be replaced. The file is read line by line.

    :param decode: Decodes one line.
    :param what: Description of the expected file, for the message (``a report of a verification``).
    :raises InvalidArgumentError: The path has another file, or it cannot be written.
    """
    require_writable(path, argument)
    with storage_errors(argument, path):
        if not path.exists():
            return
        file = path.open("rb")
        try:
            for number, line in enumerate(iter(file.readline, b""), 1):
                _require_line(line, decode, f"{argument}: {path} is not {what}; line {number} has another format")
        finally:
            file.close()


def _require_line(line: bytes, decode: Callable[[bytes], object], problem: str) -> None:
    try:
        decode(line)
    except NOT_JSON:
        raise InvalidArgumentError(f"{problem}. The file was not changed. Pass another file.") from None


@contextlib.contextmanager
def storage_errors(argument: str, path: object) -> Iterator[None]:
    """Convert errors of a disk or object store to errors that name the argument and the fix.

    The original error text is shown only if it comes from the operating system. Other text may contain a signed URL.

    :param argument: Name of the argument for the path.
    :param path: The path, for the message.
    :raises InvalidArgumentError: The path is missing, has the wrong type, or access is denied.
    :raises UnavailableError: Any other error, such as a full disk, or an object store that cannot be reached.
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
            "Install the Airflow provider for it, or pass another path."
        ) from None
    except Exception as error:  # noqa: BLE001 - the drivers of object stores can raise any error
        if getattr(error, "errno", None) in _LASTING_CODES:
            raise _lasting(argument, path, error) from None
        raise UnavailableError(
            f"{argument}: {path} cannot be used now: {_reason(error)}. Check the disk, or the Airflow connection of "
            "the object store, and run the task again."
        ) from None


def _lasting(argument: str, path: object, error: Exception) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"{argument}: {path} cannot be used: {_reason(error)}. Check that its directory or bucket exists and that "
        "this worker has access to it, or pass another path."
    )


def plain(path: Any) -> Any:
    """Convert a local path to `pathlib.Path`: Airflow reports every file that its own paths open as a dataset."""
    return pathlib.Path(str(getattr(path, "path", path))) if hasattr(path, "protocol") else path


def is_unfinished(name: str, mark: str) -> bool:
    """Whether a file of this name is one that a process with this mark has not finished."""
    return re.search(rf"\.{re.escape(mark)}{UNFINISHED_PATTERN}\Z", name) is not None


def _unfinished(path: StoragePath, mark: str = "") -> Any:
    path = plain(path)
    marked = f".{mark}" if mark else ""
    # Unique, so that two processes that write the same file at the same moment use different temporary files.
    return path.parent / f"{path.name}{marked}.{secrets.token_hex(4)}{UNFINISHED}"


def _opened(path: Any) -> Any:
    """Open a new file on a disk, and create its directory. Try again if another attempt removes the empty directory."""
    for _ in range(_TURNS):
        try:
            return path.open("wb")
        except FileNotFoundError:  # nearly always, the directory is there already
            path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("wb")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or type(error).__name__)
