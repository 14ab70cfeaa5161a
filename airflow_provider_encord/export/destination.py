"""Where an export goes: a directory of its own, that it may clear.

What an earlier run of the same question left is replaced: first the manifest goes, so that nobody reads a mix, then all
else, also shards with higher numbers than the new export will have. Anything else is refused and left alone.
"""

from __future__ import annotations

import re

from airflow_provider_encord.client.errors import InvalidRequestError
from airflow_provider_encord.export.listing import Question
from airflow_provider_encord.export.listing_file import LEFT, LISTING
from airflow_provider_encord.export.manifest import MANIFEST, Manifest, ManifestError, read_manifest
from airflow_provider_encord.export.plan import PART_NAME, PLAN
from airflow_provider_encord.export.shards import SHARD_NAME
from airflow_provider_encord.storage_paths import UNFINISHED_PATTERN, StoragePath, storage_errors

_DIFFERENCES = {"project": "of another project", "branch": "of another branch", "filters": "with other filters"}
_WORK = re.compile(rf"({re.escape(PLAN)}|{PART_NAME.pattern})({UNFINISHED_PATTERN})?")
_BESIDE = "|".join(map(re.escape, (MANIFEST, LISTING, LEFT)))
OURS = re.compile(rf"{SHARD_NAME.pattern}|({_BESIDE})({UNFINISHED_PATTERN})?|{_WORK.pattern}")


def require_own(destination: StoragePath, question: Question) -> Manifest | None:
    """Check that an export of this question may be written there.

    :return: The manifest of the whole export that is there; None if there is none.
    :raises InvalidRequestError: It is a file, or holds other files, or an export of another question.
    """
    names = own_names(destination, OURS)
    return _same(destination, question) if MANIFEST in names else None


def own_names(destination: StoragePath, ours: re.Pattern[str]) -> list[str]:
    """The files that are there, none if there is no such directory.

    :param ours: What names of files of such an export look like.
    :raises InvalidRequestError: It is a file, or holds other files.
    """
    with storage_errors("destination", destination):
        if not destination.exists():
            return []
        if not destination.is_dir():
            raise InvalidRequestError(f"destination: {destination} is a file; an export needs a directory of its own.")
        names = sorted(path.name for path in destination.iterdir())
    foreign = [name for name in names if not ours.fullmatch(name)]
    if foreign:
        raise InvalidRequestError(
            f"destination: {destination} holds other things ({_some(foreign)}). An export needs a directory of its "
            "own: name an empty one, such as a subdirectory for each run."
        )
    return names


def prepare(destination: StoragePath, ours: re.Pattern[str]) -> None:
    """Remove what an earlier export left, its manifest first; or make the directory.

    :param ours: What names of files of such an export look like.
    :raises EncordError: It cannot be written.
    """
    with storage_errors("destination", destination):
        if destination.exists():
            _clear(destination, ours)
        destination.mkdir(parents=True, exist_ok=True)


def remove_plan(destination: StoragePath) -> None:
    """Remove what is not needed once there is a manifest."""
    with storage_errors("destination", destination):
        for path in list(destination.iterdir()):
            if _WORK.fullmatch(path.name):
                path.unlink()


def _clear(destination: StoragePath, ours: re.Pattern[str]) -> None:
    paths = {path.name: path for path in destination.iterdir() if ours.fullmatch(path.name)}
    if manifest := paths.pop(MANIFEST, None):
        manifest.unlink()
    for path in paths.values():
        path.unlink()


def _same(destination: StoragePath, question: Question) -> Manifest:
    try:
        with storage_errors("destination", destination):
            manifest = read_manifest(destination)
    except ManifestError as error:
        raise InvalidRequestError(
            f"destination: {destination} holds something else. {error.message} Name another directory, or empty this "
            "one."
        ) from None
    there = manifest.question
    if there == question:
        return manifest
    differing = [words for name, words in _DIFFERENCES.items() if getattr(there, name) != getattr(question, name)]
    raise InvalidRequestError(
        f"destination: {destination} holds an export {' and '.join(differing)} (project {there.project}, "
        f"branch {there.branch}). Name another directory, such as one for each run, or empty this one."
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
