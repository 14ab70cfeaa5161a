"""What is in a directory or file now, if other processes write there, too.

An object store is asked again, though its file system may remember an earlier answer.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any, TypeVar

from airflow_provider_encord.storage_paths import is_local, plain, size_and_version, storage_errors

T = TypeVar("T")


def forget_listing(path: Any) -> None:
    """Let the next look at a directory of an object store, and at its files, ask the store itself.

    Its file system may answer from an earlier listing, which does not show what other processes did since: a file
    that is there counts as missing, and one that was written again has its former size. A path of Airflow 3.3 without
    a connection has two file systems: the attached one, and for each thread one of the path that it wraps, which lists.
    """
    for store in _stores(path):
        store.invalidate_cache(path.path)


def forget_listings_below(path: Any) -> None:
    """Do the same for the directories in a directory, at any depth."""
    for store in _stores(path):
        store.invalidate_cache()


def _stores(path: Any) -> list[Any]:
    """The file systems of a path in an object store."""
    stores: list[Any] = []
    for place in (path, getattr(path, "__wrapped__", path)):
        # Airflow 3.3 opens paths of schemes for which it has no file system to attach.
        with contextlib.suppress(AttributeError, ValueError):
            stores.append(place.fs)
    return stores


def entries_now(directory: Any) -> list[Any]:
    """The entries of a directory that other processes change, too; none if it does not exist.

    In an object store, a directory ends when another process removes its last file, perhaps at this moment.

    :raises Exception: Any error of the disk or object store; use `storage_errors`.
    """
    forget_listing(directory)
    if not directory.exists():
        return []
    try:
        return list(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        forget_listing(directory)
        if directory.exists():
            raise
        return []


def content_now(path: Any, argument: str) -> bytes | None:
    """The content of a file that other processes write, too; None if it does not exist."""
    return _now(path, argument, path.read_bytes)


def size_now(path: Any, argument: str) -> int | None:
    """The size in bytes of a file that other processes write, too; None if it does not exist."""
    return _now(path, argument, lambda: size_and_version(path)[0])


def _now(path: Any, argument: str, look: Callable[[], T]) -> T | None:
    with storage_errors(argument, path):
        forget_listing(path.parent)
        try:
            return look()
        except (FileNotFoundError, NotADirectoryError):
            return None


def names_below_now(root: Any) -> dict[str, list[str]]:
    """The names in each directory of a directory, sorted, also those that other processes have just written.

    An object store is asked for all of them at once.

    :raises Exception: Any error of the disk or object store; use `storage_errors`.
    """
    if is_local(root):
        place = plain(root)
        directories = [entry for entry in os.scandir(place) if entry.is_dir()] if place.exists() else []
        return {entry.name: sorted(file.name for file in os.scandir(entry.path)) for entry in directories}
    found: dict[str, list[str]] = {}
    above = root.path.strip("/") + "/"
    forget_listings_below(root)
    for path in sorted(map(str, root.fs.find(root.path))):
        directory, _, name = path.strip("/").removeprefix(above).partition("/")
        found.setdefault(directory, []).append(name)
    return found
