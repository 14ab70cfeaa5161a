"""Listing the objects of a prefix once and writing them to manifests, so that several registrations can share the work.

The name of a manifest contains its number and the beginning of its SHA-256. So the same objects give the same files,
and these are not written again. No process writes other content to a file that a registration may be reading. And
before a file is removed, its content shows that it is one of these manifests.
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
from airflow_provider_encord.fresh_listings import entries_now
from airflow_provider_encord.registration.cloud import CloudObject, list_prefix
from airflow_provider_encord.registration.cloud_source import CloudSource, without_connection
from airflow_provider_encord.sources.keys import keys_below
from airflow_provider_encord.sources.kinds import kind_named, name_of_kind
from airflow_provider_encord.storage_paths import UNFINISHED_PATTERN, blocks_of, storage_errors, write_whole

_MANIFEST = re.compile(r"objects-\d{5,}-(?P<digest>[0-9a-f]{16})\.jsonl")
_UNFINISHED = re.compile(rf"({_MANIFEST.pattern}|{re.escape(CLAIM_FILE)}){UNFINISHED_PATTERN}")
_ARGUMENT = "destination"
_NAMED = 3


def partition_objects(
    path: Any,
    destination: Any,
    owner: Owner,
    *,
    url_prefix: str | None,
    kind: str | None,
    objects_per_manifest: int,
    most: int,
) -> list[str]:
    """Write the objects of a prefix to manifests.

    :param path: Path object of the directory to list.
    :param destination: Path object of a directory that contains only these manifests; created if it is missing. Old
        manifests that do not match the objects any more are removed.
    :param owner: The task that writes the manifests.
    :param url_prefix: URL of the directory, as Encord reads it; None for its URI.
    :param kind: Name of the kind of all objects; None if the suffix of each name decides.
    :param objects_per_manifest: Maximum number of objects in a manifest; increased if there would be too many
        manifests.
    :param most: Maximum number of manifests.
    :return: URIs of the manifests, in the order of the objects.
    :raises InvalidArgumentError: The destination contains other files, or the source has no objects.
    :raises UnavailableError: Another task is writing to the destination.
    """
    source = CloudSource(
        path=path,
        url_prefix=url_prefix,
        kind=None if kind is None else kind_named(kind),
        units_per_job=objects_per_manifest,
    )
    _require_directory(path)
    source.require_elsewhere(destination, _ARGUMENT)
    _require_no_other_files(destination)
    keys = keys_below(path, "source")

    def objects() -> Iterator[CloudObject]:
        prefix = url_prefix or without_connection(str(path))
        return list_prefix(path, prefix, kind=source.kind, keys=keys)

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
                f"source: {path} is not a directory with objects. Pass the directory or prefix to list."
            )


def batches(objects: Iterable[CloudObject], size: int) -> Iterator[list[CloudObject]]:
    """Batches of objects, in their order."""
    iterator = iter(objects)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def lines_of_manifest(objects: Iterable[CloudObject]) -> Iterator[bytes]:
    """Objects as lines that `cloud.read_manifest` can read."""
    for listed in objects:
        yield msgspec.json.encode({"url": listed.url, "kind": name_of_kind(listed.kind), "title": listed.title}) + b"\n"


def _name(number: int, objects: Sequence[CloudObject]) -> str:
    digest = hashlib.sha256()
    for line in lines_of_manifest(objects):
        digest.update(line)
    return f"objects-{number:05d}-{digest.hexdigest()[:16]}.jsonl"


def _write(path: Any, claim: Claim, objects: Sequence[CloudObject]) -> None:
    """Write a manifest, unless it exists already with the right content."""
    claim.check()
    with storage_errors(_ARGUMENT, path):
        if not (path.exists() and _is_whole(path)):
            write_whole(path, lines_of_manifest(objects))


def _others(directory: Any, names: Sequence[str]) -> list[Any]:
    """Manifests of earlier runs, other than these.

    :raises InvalidArgumentError: The content of a manifest does not match its name.
    """
    with storage_errors(_ARGUMENT, directory):
        new = {*names}
        others = [path for path in entries_now(directory) if _MANIFEST.fullmatch(path.name) and path.name not in new]
        foreign = [path.name for path in others if not _is_whole(path)]
    if foreign:
        raise _holds_others(directory, foreign)
    return others


def _remove(directory: Any, claim: Claim, manifests: Sequence[Any]) -> None:
    """Remove manifests of earlier runs, and unfinished files of killed attempts."""
    with storage_errors(_ARGUMENT, directory):
        for path in manifests:
            claim.check()
            remove(path)
        claim.check()
        remove_unfinished(directory)


def _is_whole(path: Any) -> bool:
    """Whether the content of a manifest matches its name."""
    digest = hashlib.sha256()
    for block in blocks_of(path):
        digest.update(block)
    matched = _MANIFEST.fullmatch(path.name)
    return matched is not None and digest.hexdigest().startswith(matched["digest"])


def _require_no_other_files(directory: Any) -> None:
    with storage_errors(_ARGUMENT, directory):
        try:
            names = sorted(path.name for path in entries_now(directory))
        except NotADirectoryError:
            raise InvalidArgumentError(
                f"{_ARGUMENT}: {directory} is a file. Pass a directory for the manifests."
            ) from None
    ours = (_MANIFEST, _UNFINISHED)
    foreign = [name for name in names if name != CLAIM_FILE and not any(our.fullmatch(name) for our in ours)]
    if foreign:
        raise _holds_others(directory, foreign)


def _holds_others(directory: Any, names: Sequence[str]) -> InvalidArgumentError:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return InvalidArgumentError(
        f"{_ARGUMENT}: {directory} contains other files ({', '.join(names[:_NAMED])}{more}). Manifests need their own "
        "directory. Use an empty one, such as a subdirectory for each run."
    )
