"""The files of a source: the file itself, those of an export, or those of a directory."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.whole_shards import whole_shards
from airflow_provider_encord.fresh_listings import forget_listings_below
from airflow_provider_encord.storage_paths import StoragePath, is_local, storage_errors

_DEEPEST = 20  # directories in directories
_AT_ONCE = 8  # requests to an object store


def files_of(
    source: StoragePath, suffixes: Sequence[str], *, below: bool = False, exports: Sequence[str] = ()
) -> list[tuple[str, StoragePath]]:
    """The files of a source by their names in it, in order.

    :param suffixes: The suffixes of the files that are read. A file that is named itself may have any.
    :param exports: The formats of exports of this package that are read.
    :param below: Also read the directories in the directory.
    :raises InvalidArgumentError: There are no files, or the source is an incomplete export, or one of another format.
    """
    with storage_errors("source", source):
        forget_listings_below(source)
        if not source.is_dir():
            return [(source.name, source)]
    shards = whole_shards(source, "source", exports)
    if shards is not None:
        return [(shard.name, shard) for shard in shards]
    with storage_errors("source", source):
        found = sorted(_inside(source, "", tuple(suffixes), _DEEPEST if below else 0), key=lambda pair: pair[0])
    if not found:
        raise InvalidArgumentError(f"source: {source} contains no file with a suffix of {', '.join(suffixes)}.")
    return found


def _inside(
    directory: StoragePath, folder: str, suffixes: tuple[str, ...], deeper: int
) -> Iterator[tuple[str, StoragePath]]:
    for path in directory.iterdir():
        if path.name.endswith(suffixes):
            yield folder + path.name, path
        elif deeper and path.is_dir():
            yield from _inside(path, f"{folder}{path.name}/", suffixes, deeper - 1)


def contents_of(paths: Iterable[StoragePath]) -> Iterator[bytes]:
    """The contents of many small files, in order. Some are read ahead if they are in an object store.

    :raises InvalidArgumentError: A file cannot be read.
    :raises UnavailableError: The disk or the object store cannot be used now.
    """
    ahead: collections.deque[Future[bytes]] = collections.deque()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for path in paths:
            if is_local(path):
                yield _content(path)
                continue
            ahead.append(pool.submit(_content, path))
            if len(ahead) == _AT_ONCE:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _content(path: StoragePath) -> bytes:
    with storage_errors("source", path):
        return bytes(path.read_bytes())
