"""Listing the keys below a directory or prefix, exactly as the store has them."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator
from typing import Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.fresh_listings import forget_listings_below
from airflow_provider_encord.storage_paths import is_local, storage_errors


def keys_below(directory: Any, argument: str) -> list[str]:
    """The sorted keys of all files below a directory, without those with a hidden part (``.git/...``).

    In an object store, the keys are listed directly, because walking the directories would turn ``a//b.png`` into
    ``a/b.png``, which is another object. On a disk, links to directories are not followed. Check each used key with
    `require_key`.

    :param directory: A path object.
    :raises EncordError: The directory cannot be read.
    """
    with storage_errors(argument, directory):
        found = list(_local(_root(directory), "")) if is_local(directory) else _stored(directory)
    return sorted(key for key in found if not any(part.startswith(".") for part in key.split("/")))


def require_key(directory: Any, key: str, argument: str) -> Any:
    """The path of a key below a directory, after a check that it can be sent.

    :raises InvalidArgumentError: The key is not UTF-8, or it is a link to a file that does not exist.
    """
    require_name(key, argument)
    if is_local(directory):
        require_target(_root(directory) / key, argument)
        return directory / key
    return type(directory)(f"{str(directory).rstrip('/')}/{key}")


def require_name(name: str, argument: str) -> str:
    """The name of a file, after a check that it can be sent.

    :raises InvalidArgumentError: The name is not UTF-8.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(name) if "\udc80" <= max(name) <= "\udfff" else name.encode("utf-8", "replace")
        raise InvalidArgumentError(f"{argument}: the file name {shown!r} is not UTF-8. Rename the file.") from None
    return name


def require_target(path: pathlib.Path, argument: str) -> None:
    """Check that the target of a link in a local directory exists.

    :raises InvalidArgumentError: It does not exist.
    """
    if path.is_symlink() and not path.exists():
        raise InvalidArgumentError(f"{argument}: {path} is a link to a file that does not exist. Remove the link.")


def _root(directory: Any) -> pathlib.Path:
    return pathlib.Path(getattr(directory, "path", directory))


def _local(directory: pathlib.Path, prefix: str) -> Iterator[str]:
    """The keys below a local directory. A directory that cannot be read is an error."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if not entry.is_dir():
                yield f"{prefix}{entry.name}"
            elif not entry.is_symlink():
                yield from _local(directory / entry.name, f"{prefix}{entry.name}/")


def _stored(directory: Any) -> list[str]:
    forget_listings_below(directory)
    root = directory.path.rstrip("/")
    return [key[len(root) + 1 :] for key in directory.fs.find(directory.path) if key.startswith(f"{root}/")]
