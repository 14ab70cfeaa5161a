"""Objects of a prefix, listed once and written to manifests, so that several registrations share the work.

The name of a manifest has its number and the beginning of its SHA-256. So the same objects give the same files, which
are not written again; no process writes other content under a name that a registration may be reading; and a file is
known as ours by its content before it is removed.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.attempts import CLAIM_FILE, Claim, Owner, remove, remove_unfinished
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.registration.cloud import CloudObject, list_prefix
from airflow_provider_encord.registration.cloud_source import CloudSource, without_connection
from airflow_provider_encord.sources.keys import keys_below
from airflow_provider_encord.sources.kinds import name_of_kind
from airflow_provider_encord.storage_paths import UNFINISHED_PATTERN, blocks_of, storage_errors, write_whole

_MANIFEST = re.compile(r"objects-\d{5,}-(?P<digest>[0-9a-f]{16})\.jsonl")
_UNFINISHED = re.compile(rf"({_MANIFEST.pattern}|{re.escape(CLAIM_FILE)}){UNFINISHED_PATTERN}")
_ARGUMENT = "destination"
_NAMED = 3


def partition_objects(
    source: CloudSource, destination: Any, owner: Owner, *, objects_per_manifest: int, most: int
) -> list[str]:
    """Write the objects of a prefix to manifests.

    :param source: Its path is a directory. Its jobs are not looked at.
    :param destination: A directory of its own, a path object; made if it is missing. Manifests that are there and that
        the objects do not give any more are removed.
    :param owner: Who writes.
    :param objects_per_manifest: Objects in a manifest, at most; larger if that makes too many manifests.
    :param most: Manifests, at most.
    :return: URIs of the manifests, in the order of the objects.
    :raises InvalidArgumentError: The destination holds other files, or the source has no objects.
    :raises UnavailableError: Another task writes into the destination now.
    """
    _require_directory(source.path)
    source.require_elsewhere(destination, _ARGUMENT)
    _require_no_other_files(destination)
    keys = keys_below(source.path, "source")

    def objects() -> Iterator[CloudObject]:
        prefix = source.url_prefix or without_connection(str(source.path))
        return list_prefix(source.path, prefix, kind=source.kind, keys=keys)

    size = max(objects_per_manifest, math.ceil(sum(1 for _ in objects()) / most))
    claim = Claim(destination / CLAIM_FILE, owner, _ARGUMENT)
    claim.take()
    try:
        names = [_name(number, some) for number, some in enumerate(batches(objects(), size))]
        others = _others(destination, names)
        for name, some in zip(names, batches(objects(), size), strict=True):
            _write(destination / name, claim, some)
        _remove(destination, claim, others)
    finally:
        claim.release()
    return [str(destination / name) for name in names]


def _require_directory(path: Any) -> None:
    with storage_errors("source", path):
        if not path.is_dir():
            raise InvalidArgumentError(
                f"source: {path} is not a directory with objects. Name the directory or prefix that is to be listed."
            )


def batches(objects: Iterable[CloudObject], size: int) -> Iterator[list[CloudObject]]:
    """Batches of objects, in their order."""
    iterator = iter(objects)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def lines_of_manifest(objects: Iterable[CloudObject]) -> Iterator[bytes]:
    """Objects as lines that `cloud.read_manifest` takes."""
    for listed in objects:
        yield msgspec.json.encode({"url": listed.url, "kind": name_of_kind(listed.kind), "title": listed.title}) + b"\n"


def _name(number: int, objects: Sequence[CloudObject]) -> str:
    digest = hashlib.sha256()
    for line in lines_of_manifest(objects):
        digest.update(line)
    return f"objects-{number:05d}-{digest.hexdigest()[:16]}.jsonl"


def _write(path: Any, claim: Claim, objects: Sequence[CloudObject]) -> None:
    """Write a manifest, unless it is there as it has to be."""
    claim.check()
    with storage_errors(_ARGUMENT, path):
        if not (path.exists() and _is_whole(path)):
            write_whole(path, lines_of_manifest(objects))


def _others(directory: Any, names: Sequence[str]) -> list[Any]:
    """Manifests of earlier runs, other than these.

    :raises InvalidArgumentError: The content of one does not match its name.
    """
    with storage_errors(_ARGUMENT, directory):
        new = {*names}
        others = [path for path in directory.iterdir() if _MANIFEST.fullmatch(path.name) and path.name not in new]
        foreign = [path.name for path in others if not _is_whole(path)]
    if foreign:
        raise _holds_others(directory, foreign)
    return others


def _remove(directory: Any, claim: Claim, manifests: Sequence[Any]) -> None:
    """Remove manifests of earlier runs, and what killed attempts were writing."""
    with storage_errors(_ARGUMENT, directory):
        for path in manifests:
            claim.check()
            remove(path)
        claim.check()
        remove_unfinished(directory)


def _is_whole(path: Any) -> bool:
    """Whether the content of a manifest is the one that its name stands for."""
    digest = hashlib.sha256()
    for block in blocks_of(path):
        digest.update(block)
    matched = _MANIFEST.fullmatch(path.name)
    return matched is not None and digest.hexdigest().startswith(matched["digest"])


def _require_no_other_files(directory: Any) -> None:
    with storage_errors(_ARGUMENT, directory):
        if not directory.exists():
            return
        if not directory.is_dir():
            raise InvalidArgumentError(f"{_ARGUMENT}: {directory} is a file. Name a directory for the manifests.")
        names = sorted(path.name for path in directory.iterdir())
    ours = (_MANIFEST, _UNFINISHED)
    foreign = [name for name in names if name != CLAIM_FILE and not any(our.fullmatch(name) for our in ours)]
    if foreign:
        raise _holds_others(directory, foreign)


def _holds_others(directory: Any, names: Sequence[str]) -> InvalidArgumentError:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return InvalidArgumentError(
        f"{_ARGUMENT}: {directory} holds other files ({', '.join(names[:_NAMED])}{more}). Manifests need a directory "
        "of their own: name an empty one, such as a subdirectory for each run."
    )
