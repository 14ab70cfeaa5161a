"""Which files a user means: paths, patterns, directories, here or in an object store.

A string with a scheme (``s3://...``) becomes a path through the function that the caller passes in, as only Airflow can
find the credentials for it; other strings are paths of this machine. From there on both are the same: they are asked
only for what `pathlib.Path` and Airflow's ``ObjectStoragePath`` share.

A path with pattern characters (``a[1].png``) is taken literally if a file of that name exists.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import pathlib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from airflow_provider_encord.client.api.data_items import IMAGE, TEXT, Kind
from airflow_provider_encord.client.errors import InvalidArgumentError, UnavailableError
from airflow_provider_encord.sources.keys import keys_below, require_key, require_name, require_target
from airflow_provider_encord.sources.kinds import kind_of, media_type
from airflow_provider_encord.storage_paths import size_and_version, storage_errors

log = logging.getLogger(__name__)

LONGEST_TITLE = 300  # characters (protocol, section 7.11)
_PATTERN_CHARACTERS = "*?["


class SourcePath(Protocol):
    """What is used of a path, here or in an object store."""

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
    """A file that is to be in Encord, or several that are to be one unit there.

    :param path: None of a unit of several files.
    :param uri: Where it is; unescaped, as ``ObjectStoragePath`` takes it. Of several files, that of the first.
    :param title: Its name, which becomes the title of the data unit.
    :param size: In bytes, of all files together.
    :param media_type: As in ``"image/png"``; None if the name stands for none.
    :param parts: The files of an image group or DICOM series, in order; empty for a file by itself.
    :param create_video: Make an image sequence of a group, which plays like a video.
    :param client_metadata: The user's own data about it.
    :param version: Changes when the file is written, such as its time or entity tag; None if the store has none.
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
    version: str | None = dataclasses.field(default=None, repr=False, compare=False)

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """What is sent: its parts, or the file itself."""
        return self.parts or (self,)

    @property
    def file_type(self) -> str:
        """What a dataset calls the unit."""
        return "IMG_GROUP" if self.parts and self.kind == IMAGE else self.kind.file_type

    @property
    def item_type(self) -> str:
        """What a storage folder calls the unit."""
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
    """The files that `source` means, in its order, those of a pattern or directory ordered by name; each once.

    :param source: One or several of: a path, a pattern (``*``, ``?``, ``[...]``, ``**`` for any depth), a directory
        (all files in it and below it whose names stand for a kind other than text, without hidden ones; links to
        directories are not followed), a URI
        of any of these, or path objects.
    :param open_uri: Makes a path object of a URI, or raises an error that says why it cannot.
    :param kind: What all of them are, whatever their names; None goes by the names.
    :param leave_out: Whether a file, by its URI, is one of ours and no data, such as a report. None leaves out none.
    :raises InvalidArgumentError: Something is missing, or of an unknown kind, or its name is too long, or there is
        nothing at all. The message names the file.
    """
    found: dict[str, SourceFile] = {}
    versions: set[tuple[str, str | None]] = set()
    real: dict[str, str] = {}
    for one in _each(source):
        with storage_errors("source", one):
            paths = _expand(_as_path(one, open_uri), kind)
            if leave_out is not None:
                paths = [path for path in paths if not leave_out(uri_of(path))]
            files = [_source_file(path, kind) for path in paths]
        for file in files:
            identity = _identity(file, real)
            # Where a disk takes a name composed and decomposed, its two spellings have one version.
            alike = composed(identity), file.version
            if identity not in found and (file.version is None or alike not in versions):
                found[identity] = file
                versions.add(alike)
    if not found:
        raise InvalidArgumentError("source: it is empty; name at least one file, pattern or directory.")
    return list(found.values())


def _each(source: Source | Iterable[Source]) -> Sequence[Source]:
    if isinstance(source, str) or hasattr(source, "is_dir"):
        return [source]  # type: ignore[list-item]
    if not isinstance(source, Iterable):
        raise InvalidArgumentError(f"source: {type(source).__name__} is neither a path, nor a URI, nor a list of them.")
    return list(source)


def _as_path(one: Source, open_uri: OpenUri) -> Any:
    if not isinstance(one, str):
        if not hasattr(one, "is_dir"):
            raise InvalidArgumentError(f"source: {type(one).__name__} is neither a path nor a URI.")
        return one
    if not one.strip():
        raise InvalidArgumentError("source: an empty text is not a path; a template may have rendered to nothing.")
    if "://" not in one:
        return pathlib.Path(one).expanduser()
    return open_uri(one)


def _expand(path: Any, kind: Kind | None) -> list[Any]:
    if path.is_dir():
        return _directory(path, kind)
    if path.exists():
        return [path]
    if not _is_pattern(str(path)):
        raise InvalidArgumentError(f"source: there is no file or directory {path}.")
    found = sorted((one for one in _matches(path) if one.is_file()), key=str)
    if not found:
        raise InvalidArgumentError(f"source: no file matches {path}.")
    return found


def _is_pattern(text: str) -> bool:
    return any(character in text for character in _PATTERN_CHARACTERS)


def _matches(path: Any) -> Iterator[Any]:
    """What matches a pattern: the directory before its first pattern character is searched."""
    directory = path
    parts: list[str] = []
    while _is_pattern(str(directory)):
        parts.insert(0, directory.name)
        directory = directory.parent
    if parts[-1] == "**":
        parts.append("*")  # pathlib means directories only, object stores mean everything
    matches: Iterator[Any] = directory.glob("/".join(parts))
    return matches


def _directory(directory: Any, kind: Kind | None) -> list[Any]:
    keys = keys_below(directory, "source")
    # Texts stand in many directories without being data, such as a README: these are to be named.
    fitting = [key for key in keys if kind or kind_of(key.rpartition("/")[2]) not in (None, TEXT)]
    if not fitting:
        raise InvalidArgumentError(
            f"source: no file in the directory {directory} has a suffix that stands for a kind, such as .png or .mp4 "
            f"({len(keys)} other files). Name their kind with the argument kind."
        )
    if len(fitting) < len(keys):
        log.info("%d files in %s are left out: their names stand for no kind.", len(keys) - len(fitting), directory)
    return [require_key(directory, key, "source") for key in fitting]


def _source_file(path: Any, kind: Kind | None) -> SourceFile:
    if _is_of_disk(path):
        require_target(pathlib.Path(getattr(path, "path", path)), "source")
    title, uri = require_name(path.name, "source"), uri_of(path)
    kind = kind or kind_of(title)
    if kind is None:
        raise InvalidArgumentError(
            f"source: {uri} has a name that stands for no kind. Name the kind with the argument kind, rename the "
            "file, or leave it out with a narrower pattern, such as *.png."
        )
    if len(title) > LONGEST_TITLE:
        raise InvalidArgumentError(
            f"source: the name of {uri} has {len(title)} characters, and Encord takes {LONGEST_TITLE}. Rename the file."
        )
    try:
        size, version = size_and_version(path)
    except FileNotFoundError:
        raise UnavailableError(f"source: {uri} vanished while the files were listed; run the task again.") from None
    return SourceFile(
        path=path, uri=uri, title=title, size=size, kind=kind, media_type=media_type(title), version=version
    )


def composed(name: str) -> str:
    """A name in the form in which names are compared: disks of macOS give back names decomposed."""
    return unicodedata.normalize("NFC", name)


def uri_of(path: Any) -> str:
    """The URI of a file: the same for all spellings of the path of a local file that does not go through a link."""
    if not _is_of_disk(path):
        return str(path)
    local = pathlib.Path(getattr(path, "path", path)).absolute()
    if ".." in local.parts:
        local = pathlib.Path(os.path.realpath(local.parent)) / local.name
    return f"file://{local}"


def _identity(file: SourceFile, real: dict[str, str]) -> str:
    """The same for all paths by which a file is reached under its name.

    :param real: The directories that were looked at, without links.
    """
    if not file.uri.startswith("file://"):
        return file.uri
    directory, _, name = file.uri.removeprefix("file://").rpartition("/")
    if directory not in real:
        real[directory] = os.path.realpath(directory or "/")
    return f"file://{real[directory]}/{name}"


def _is_of_disk(path: Any) -> bool:
    return isinstance(path, pathlib.Path) or getattr(path, "protocol", "") in ("file", "local")
