"""The keys below a directory or prefix, as the store has them."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator
from typing import Any

from airflow_provider_encord.client.errors import InvalidRequestError
from airflow_provider_encord.storage_paths import is_local, storage_errors


def keys_below(directory: Any, argument: str) -> Iterator[str]:
    """The keys of all files below a directory, sorted; those with a hidden part (``.git/...``) are left out.

    An object store is asked for its keys rather than walked: a walk turns ``a//b.png`` into ``a/b.png``, which is
    another object.

    :param directory: A path object.
    :raises InvalidRequestError: A link in a local directory leads to nothing, or a name is not UTF-8.
    """
    with storage_errors(argument, directory):
        found = _local(directory) if is_local(directory) else _stored(directory)
    for key in sorted(found):
        if not any(part.startswith(".") for part in key.split("/")):
            yield require_name(key, argument)


def require_name(name: str, argument: str) -> str:
    """The name of a file, if it can be sent.

    :raises InvalidRequestError: Its bytes are not UTF-8.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(name) if "\udc80" <= max(name) <= "\udfff" else name.encode("utf-8", "replace")
        raise InvalidRequestError(f"{argument}: the file name {shown!r} is not UTF-8. Rename the file.") from None
    return name


def require_target(path: pathlib.Path, argument: str) -> None:
    """Make sure that a link of a local directory leads to something.

    :raises InvalidRequestError: It does not.
    """
    if path.is_symlink() and not path.exists():
        raise InvalidRequestError(f"{argument}: {path} is a link to a file that does not exist. Remove the link.")


def _local(directory: Any) -> list[str]:
    root = pathlib.Path(getattr(directory, "path", directory))
    found: list[str] = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = pathlib.Path(folder, name)
            if not name.startswith("."):
                require_target(path, argument="source")
                found.append(path.relative_to(root).as_posix())
    return found


def _stored(directory: Any) -> list[str]:
    root = directory.path.rstrip("/")
    return [key[len(root) + 1 :] for key in directory.fs.find(directory.path) if key.startswith(f"{root}/")]
