"""Combining files into units: the images of an image group, the files of a DICOM series.

DICOM files are always part of a series. Without a rule, the DICOM files of a directory form one series.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from airflow_provider_encord.attempts import fingerprint
from airflow_provider_encord.client.api.core.data_items import DICOM, IMAGE
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.sources.files import LONGEST_TITLE, SourceFile, composed

DIRECTORY = "directory"
_PART = "group"  # name of the group in a pattern
GroupBy: TypeAlias = str | Mapping[str, Sequence[str]]


def group_files(
    files: Sequence[SourceFile], group_by: GroupBy | None, *, create_video: bool = False
) -> list[SourceFile]:
    """Combine files into units.

    :param group_by: ``"directory"``: the images (or DICOM files) of a directory form one unit with the name of the
        directory. A regular expression with a named group ``group``: files with the same matched text form a unit; the
        last part of this text between slashes is the title. A mapping from the title of a unit to the names or URIs of
        its files, in order; other files stay single. None: only DICOM series are created, by directory.
    :param create_video: Create image sequences, which play like videos.
    :raises InvalidArgumentError: The pattern or mapping is not valid, or the files of a group have different kinds.
    """
    if isinstance(group_by, Mapping):
        return _named(files, group_by, create_video)
    if group_by is None:
        return _gather(files, lambda file: _directory(file) if file.kind == DICOM else None, create_video)
    if group_by == DIRECTORY:
        return _gather(files, lambda file: _directory(file) if file.kind in (DICOM, IMAGE) else None, create_video)
    pattern = _pattern(group_by)

    def text(file: SourceFile) -> str | None:
        found = pattern.search(file.uri)
        return found[_PART] if found else (_directory(file) if file.kind == DICOM else None)

    return _gather(files, text, create_video)


def _pattern(text: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise InvalidArgumentError(f"group_by: {text[:80]!r} is not a regular expression: {error}.") from None
    if _PART not in pattern.groupindex:
        raise InvalidArgumentError(
            f"group_by: {text[:80]!r} is neither 'directory' nor a pattern with a named group, such as "
            r"r'(?P<group>scene-\d+)/'."
        )
    return pattern


def _directory(file: SourceFile) -> str:
    return file.uri.rpartition("/")[0]


def _gather(
    files: Sequence[SourceFile], key: Callable[[SourceFile], str | None], create_video: bool
) -> list[SourceFile]:
    groups: dict[str, list[SourceFile]] = collections.defaultdict(list)
    for file in files:
        name = key(file)
        groups[file.uri if name is None else f"group {name}"].append(file)
    made = []
    for name, members in groups.items():
        title = _last_part(name.removeprefix("group "))
        made.append(members[0] if name == members[0].uri else _unit(title, members, create_video))
    return made


def _last_part(name: str) -> str:
    """The last non-empty part of a directory's URI, or of the text that a pattern matched."""
    path = name.partition("://")[2] if "://" in name else name
    return path.rstrip("/").rpartition("/")[2]


def _named(files: Sequence[SourceFile], groups: Mapping[str, Sequence[str]], create_video: bool) -> list[SourceFile]:
    by_name: dict[str, list[SourceFile]] = collections.defaultdict(list)
    alike: dict[str, list[SourceFile]] = collections.defaultdict(list)  # by names as they are compared
    for file in files:
        for name in (file.uri, file.title):
            by_name[name].append(file)
            alike[composed(name)].append(file)
    made, taken = [], set()
    for title, names in groups.items():
        members = [_one(by_name if name in by_name else alike, name, title) for name in _names(names, title)]
        if twice := [member.uri for member in members if member in taken]:
            raise InvalidArgumentError(f"group_by: {twice[0]} is in more than one group.")
        taken.update(members)
        made.append(_unit(str(title), members, create_video))
    alone = [file for file in files if file not in taken]
    return made + _gather(alone, lambda file: _directory(file) if file.kind == DICOM else None, create_video)


def _names(names: object, title: object) -> list[str]:
    listed = list(names) if isinstance(names, Iterable) and not isinstance(names, str | bytes | Mapping) else []
    if not listed or not all(isinstance(name, str) for name in listed):
        raise InvalidArgumentError(
            f"group_by: the group {str(title)[:80]!r} is not a list of file names, or it is empty."
        )
    return listed


def _one(by_name: Mapping[str, Sequence[SourceFile]], name: str, title: object) -> SourceFile:
    found = by_name.get(name) or by_name.get(composed(name), [])
    if len(set(found)) == 1:
        return found[0]
    what = "no file of source has this name" if not found else f"{len(set(found))} files have this name. Use URIs"
    raise InvalidArgumentError(f"group_by: {name[:200]!r} of the group {str(title)[:80]!r}: {what}.")


def _unit(title: str, members: Sequence[SourceFile], create_video: bool) -> SourceFile:
    kinds = {member.kind for member in members}
    if len(kinds) > 1 or kinds - {IMAGE, DICOM}:
        names = ", ".join(sorted(kind.item_type for kind in kinds))
        raise InvalidArgumentError(
            f"group_by: the group {title[:80]!r} has files of kind {names}. A group must contain only images, or only "
            "DICOM files."
        )
    if not title.strip():
        raise InvalidArgumentError(
            f"group_by: the group of {members[0].uri} has an empty title. Change the pattern or the dictionary, so "
            "that each group has a name."
        )
    if len(title) > LONGEST_TITLE:
        raise InvalidArgumentError(f"group_by: the title {title[:40]!r}... has more than {LONGEST_TITLE} characters.")
    return SourceFile(
        path=None,
        uri=members[0].uri,
        title=title,
        size=sum(member.size for member in members),
        kind=members[0].kind,
        media_type=members[0].media_type,
        parts=tuple(members),
        create_video=create_video and members[0].kind == IMAGE,
        version=_version(members),
    )


def _version(members: Sequence[SourceFile]) -> str | None:
    versions = [member.version for member in members]
    return None if None in versions else fingerprint(versions=versions)
