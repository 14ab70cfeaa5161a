"""Finding the files of `source`: paths, patterns and directories, on this machine or in an object store.

A string with a scheme (``s3://...``) is converted to a path by a function that the caller passes, because only Airflow
knows its credentials. Other strings are paths on this machine. Both kinds of path are used only through methods that
`pathlib.Path` and Airflow's ``ObjectStoragePath`` share.

A path with pattern characters (``a[1].png``) is not a pattern if a file with that name exists.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import pathlib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from airflow_provider_encord.client.api.core.data_items import (
    IMAGE,
    SCENE,
    TEXT,
    TIME_SERIES,
    Kind,
    scene_format,
    why_no_scene,
)
from airflow_provider_encord.client.errors import InvalidArgumentError, UnavailableError
from airflow_provider_encord.fresh_listings import forget_listing, forget_listings_below
from airflow_provider_encord.sources.keys import keys_below, require_key, require_name, require_target
from airflow_provider_encord.sources.kinds import kind_of, media_type
from airflow_provider_encord.storage_paths import size_and_version, storage_errors

log = logging.getLogger(__name__)

LONGEST_TITLE = 300  # characters (protocol, section 7.11)
_PATTERN_CHARACTERS = "*?["


class SourcePath(Protocol):
    """The methods of a path that are used, on this machine or in an object store."""

    @property
    def name(self) -> str: ...
    def open(self, mode: str) -> Any: ...
    def stat(self) -> Any: ...
    def exists(self) -> bool: ...
    def is_dir(self) -> bool: ...
    def is_file(self) -> bool: ...


Source: TypeAlias = str | SourcePath
OpenUri: TypeAlias = Callable[[str], Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file to upload, or several files that form one unit.

    :param path: Path of the file; None for a unit of several files.
    :param uri: URI of the file (unescaped, as in ``ObjectStoragePath``); for several files, that of the first.
    :param title: Name of the file, which becomes the title of the data unit.
    :param size: Total size in bytes.
    :param media_type: Media type, such as ``"image/png"``; None if it is not known.
    :param parts: The files of an image group or DICOM series, in order; empty for a single file.
    :param create_video: Create an image sequence from the group, which plays like a video.
    :param client_metadata: Client metadata of the unit.
    :param details: Known properties of the file; see `UploadedFile`.
    :param version: A value that changes when the file is written, such as its time or entity tag; None if the store has
        none.
    """

    path: Any = dataclasses.field(repr=False, compare=False)
    uri: str
    title: str
    size: int
    kind: Kind
    media_type: str | None = None
    parts: tuple[SourceFile, ...] = dataclasses.field(default=(), repr=False)
    create_video: bool = False
    client_metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False, compare=False)
    details: Mapping[str, Any] | None = dataclasses.field(default=None, repr=False, compare=False)
    version: str | None = dataclasses.field(default=None, repr=False, compare=False)

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """The files to send: the parts, or the file itself."""
        return self.parts or (self,)

    @property
    def file_type(self) -> str:
        """The type of the unit with the name that datasets use."""
        if self.kind == TIME_SERIES:
            return "TIME_SERIES"  # its entry in a job says TIMESERIES
        return "IMG_GROUP" if self.parts and self.kind == IMAGE else self.kind.file_type

    @property
    def item_type(self) -> str:
        """The type of the unit with the name that storage folders use."""
        if not self.parts:
            return self.kind.item_type
        if self.kind != IMAGE:
            return "dicomSeries"
        return "imageSequence" if self.create_video else "imageGroup"


def find_files(
    source: Source | Iterable[Source],
    open_uri: OpenUri,
    *,
    kind: Kind | None = None,
    leave_out: Callable[[str], bool] | None = None,
) -> list[SourceFile]:
    """The files of `source`, in order, without duplicates. Files of a pattern or directory are ordered by name.

    :param source: One or several of: a path; a pattern (``*``, ``?``, ``[...]``, ``**`` for any depth); a directory
        (all files in and below it whose suffix has a known kind other than text, without hidden files; links to
        directories are not followed); a URI of any of these; or path objects.
    :param open_uri: Makes a path object from a URI, or raises an error that says why it cannot.
    :param kind: Kind of all files, regardless of their names; None to use the suffixes.
    :param leave_out: Returns for a URI whether the file is not data but written by this provider, such as a report;
        None leaves out no files.
    :raises InvalidArgumentError: A file is missing, has an unknown kind or a name that is too long, or there are no
        files. The message names the file.
    """
    found: dict[str, SourceFile] = {}
    versions: set[tuple[str, str | None]] = set()
    real: dict[str, str] = {}
    for entry in _each(source):
        with storage_errors("source", entry):
            paths = _expand(_as_path(entry, open_uri), kind)
            if leave_out is not None:
                paths = [path for path in paths if not leave_out(uri_of(path))]
            files = [_source_file(path, kind) for path in paths]
        for file in files:
            identity = _identity(file, real)
            # If a disk accepts the composed and the decomposed form of a name, both have the same version.
            alike = composed(identity), file.version
            if identity not in found and (file.version is None or alike not in versions):
                found[identity] = file
                versions.add(alike)
    if not found:
        raise InvalidArgumentError("source: it is empty. Pass at least one file, pattern or directory.")
    return list(found.values())


def _each(source: Source | Iterable[Source]) -> Sequence[Source]:
    if isinstance(source, str) or hasattr(source, "is_dir"):
        return [source]  # type: ignore[list-item]
    if not isinstance(source, Iterable):
        raise InvalidArgumentError(f"source: {type(source).__name__} is neither a path, nor a URI, nor a list of them.")
    return list(source)


def _as_path(entry: Source, open_uri: OpenUri) -> Any:
    if not isinstance(entry, str):
        if not hasattr(entry, "is_dir"):
            raise InvalidArgumentError(f"source: {type(entry).__name__} is neither a path nor a URI.")
        return entry
    if not entry.strip():
        raise InvalidArgumentError("source: it contains an empty string. Check the rendered template.")
    if "://" not in entry:
        return pathlib.Path(entry).expanduser()
    return open_uri(entry)


def _expand(path: Any, kind: Kind | None) -> list[Any]:
    forget_listing(path)
    if path.is_dir():
        return _directory(path, kind)
    if path.exists():
        return [path]
    if not _is_pattern(str(path)):
        raise InvalidArgumentError(f"source: the file or directory {path} does not exist.")
    found = sorted((match for match in _matches(path) if match.is_file()), key=str)
    if not found:
        raise InvalidArgumentError(f"source: no file matches {path}.")
    return found


def _is_pattern(text: str) -> bool:
    return any(character in text for character in _PATTERN_CHARACTERS)


def _matches(path: Any) -> Iterator[Any]:
    """The paths that match a pattern. Searches the directory before the first pattern character."""
    directory = path
    parts: list[str] = []
    while _is_pattern(str(directory)):
        parts.insert(0, directory.name)
        directory = directory.parent
    if parts[-1] == "**":
        parts.append("*")  # in pathlib, this matches only directories; in object stores, everything
    forget_listings_below(directory)
    matches: Iterator[Any] = directory.glob("/".join(parts))
    return matches


def _directory(directory: Any, kind: Kind | None) -> list[Any]:
    keys = keys_below(directory, "source")
    # Many directories contain texts that are not data, such as a README. So texts must be named explicitly.
    fitting = [key for key in keys if kind or kind_of(key.rpartition("/")[2]) not in (None, TEXT)]
    if not fitting:
        raise InvalidArgumentError(
            f"source: no file in the directory {directory} has a suffix of a known kind, such as .png or .mp4 "
            f"({len(keys)} other files). Set the argument kind."
        )
    if len(fitting) < len(keys):
        log.info("Skipping %d files in %s without a suffix of a known kind.", len(keys) - len(fitting), directory)
    return [require_key(directory, key, "source") for key in fitting]


def _source_file(path: Any, kind: Kind | None) -> SourceFile:
    if _is_of_disk(path):
        require_target(pathlib.Path(getattr(path, "path", path)), "source")
    title, uri = require_name(path.name, "source"), uri_of(path)
    kind = kind or kind_of(title)
    if kind is None:
        raise InvalidArgumentError(
            f"source: {uri} has no suffix of a known kind. Set the argument kind, rename the file, or use a narrower "
            "pattern, such as *.png."
        )
    if kind == SCENE and scene_format(title) is None:
        raise InvalidArgumentError(f"source: {why_no_scene(uri)}")
    if len(title) > LONGEST_TITLE:
        raise InvalidArgumentError(
            f"source: the name of {uri} has {len(title)} characters, but Encord accepts at most {LONGEST_TITLE}. "
            "Rename the file."
        )
    try:
        size, version = size_and_version(path)
    except FileNotFoundError:
        raise UnavailableError(f"source: {uri} was deleted while the files were listed. Run the task again.") from None
    return SourceFile(
        path=path, uri=uri, title=title, size=size, kind=kind, media_type=media_type(title), version=version
    )


def composed(name: str) -> str:
    """A name in composed Unicode form (NFC), for comparisons. Disks of macOS return names decomposed."""
    return unicodedata.normalize("NFC", name)


def uri_of(path: Any) -> str:
    """The URI of a file. It is the same for all spellings of a local path, except through links."""
    if not _is_of_disk(path):
        return str(path)
    local = pathlib.Path(getattr(path, "path", path)).absolute()
    if ".." in local.parts:
        local = pathlib.Path(os.path.realpath(local.parent)) / local.name
    return f"file://{local}"


def _identity(file: SourceFile, real: dict[str, str]) -> str:
    """A text that is the same for all paths to a file with its name.

    :param real: Cache of the real paths of directories, without links.
    """
    if not file.uri.startswith("file://"):
        return file.uri
    directory, _, name = file.uri.removeprefix("file://").rpartition("/")
    if directory not in real:
        real[directory] = os.path.realpath(directory or "/")
    return f"file://{real[directory]}/{name}"


def _is_of_disk(path: Any) -> bool:
    return isinstance(path, pathlib.Path) or getattr(path, "protocol", "") in ("file", "local")
