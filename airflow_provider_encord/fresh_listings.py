"""What is in a directory now, of which other processes write some, also if many threads of this process ask.

A path of Airflow lists an object store with a file system of its own for each thread, which answers from what it listed
before. These functions use the one file system that Airflow attached, and let it forget first.
"""

from __future__ import annotations

import os
from typing import Any

from airflow_provider_encord.storage_paths import is_local, plain


def names_now(directory: Any) -> list[str]:
    """The names in a directory, sorted, also those that other processes have just written; nothing if it is missing.

    :raises Exception: Any error of the disk or object store; use `storage_errors`.
    """
    if is_local(directory):
        place = plain(directory)
        return sorted(path.name for path in place.iterdir()) if place.exists() else []
    files = directory.fs
    files.invalidate_cache(directory.path)
    try:
        return sorted(str(path).rpartition("/")[2] for path in files.ls(directory.path, detail=False))
    except FileNotFoundError:
        return []


def names_below_now(root: Any) -> dict[str, list[str]]:
    """The names in each directory of a directory, as `names_now`; an object store is asked for all of them at once.

    :raises Exception: Any error of the disk or object store; use `storage_errors`.
    """
    if is_local(root):
        place = plain(root)
        directories = [entry for entry in os.scandir(place) if entry.is_dir()] if place.exists() else []
        return {entry.name: sorted(file.name for file in os.scandir(entry.path)) for entry in directories}
    found: dict[str, list[str]] = {}
    above = root.path.strip("/") + "/"
    root.fs.invalidate_cache()
    for path in sorted(map(str, root.fs.find(root.path))):
        directory, _, name = path.strip("/").removeprefix(above).partition("/")
        found.setdefault(directory, []).append(name)
    return found


def bytes_now(path: Any) -> bytes:
    """The content of a file that `names_now` has named.

    :raises Exception: Any error of the disk or object store; use `storage_errors`.
    """
    return bytes(plain(path).read_bytes() if is_local(path) else path.fs.cat_file(path.path))
