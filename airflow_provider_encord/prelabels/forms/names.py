"""Finding the data unit, or the frame of one, that a source names like a file.

Sources name files: ``cam1/a.jpg`` in COCO, ``a`` for the labels ``a.txt`` of YOLO. A name matches a title (or the other
value of `match_by`) if they are equal; if one is the other with folders in front; or if one of them has no suffix and
is otherwise equal. An equal title is preferred, then the longest. Two different suffixes or folders never match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from airflow_provider_encord.client.api.labels import GroupImage, LabelRowMetadata
from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.matching import value_of_row

_NUMBERED = re.compile(r"(.+)_(\d{1,9})")
_VIDEO = "VIDEO"


class Spot(msgspec.Struct, frozen=True, gc=False):
    """A data unit, or a frame of it.

    :param frame: The frame, for an image of an image group and a frame of a video; None for the whole data unit.
    :param width: Width of the image in pixels; None if it is not known.
    """

    row: LabelRowMetadata
    frame: int | None
    width: float | None
    height: float | None


class Spots:
    """The data units of a project by name.

    :param match_by: See `matching.Matching`.
    """

    def __init__(self, match_by: str, rows: Sequence[LabelRowMetadata]):
        self.match_by = match_by
        self._by_hash = {row.data_hash: row for row in rows}
        self._by_name: dict[str, list[tuple[str, Spot]]] = {}
        self._by_stem: dict[str, list[tuple[str, Spot]]] = {}
        for row in rows:
            for title, spot in _spots(row, match_by):
                title = title.replace("\\", "/")
                name = _last(title)
                self._by_name.setdefault(name, []).append((title, spot))
                self._by_stem.setdefault(_without_suffix(name), []).append((_without_suffix(title), spot))

    def find(self, name: str, *, numbered: bool = False) -> Spot:
        """Find the data unit or frame with a name.

        :param numbered: If no data unit has the name, read ``street_12`` as the twelfth frame of the video
            ``street``, as YOLO's predictions do.
        :raises WrongLabelsError: No data unit matches, or several do.
        """
        name = without_query(name)
        wanted = name.replace("\\", "/").removeprefix("./")
        found = self._best(wanted)
        if not found and numbered and (parts := _NUMBERED.fullmatch(wanted)):
            videos = [spot for spot in self._best(parts[1]) if spot.row.data_type.upper() == _VIDEO]
            found = [msgspec.structs.replace(spot, frame=int(parts[2]) - 1) for spot in videos]
        if len(found) == 1:
            return found[0]
        problem = (
            f"{len(found)} data units have it; name it with its folder, or match by data_hash"
            if found
            else ("no data unit has it")
        )
        raise WrongLabelsError(f"{self.match_by} {name[:80]!r}: {problem}.")

    def of_hash(self, data_hash: str) -> Spot | None:
        """The data unit with a data hash, whatever `match_by` is; None if the project does not have it."""
        row = self._by_hash.get(data_hash)
        return None if row is None else Spot(row, None, row.width, row.height)

    def _best(self, name: str) -> list[Spot]:
        last, stem = _last(name), _without_suffix(name)
        for candidates in (
            _related(self._by_name.get(last, ()), name),
            [*_related(self._by_stem.get(last, ()), name), *_related(self._by_name.get(_last(stem), ()), stem)],
        ):
            if candidates:
                longest = max(len(title) for title, _ in candidates)
                equal = [spot for title, spot in candidates if title in (name, stem)]
                return equal or [spot for title, spot in candidates if len(title) == longest]
        return []


def _spots(row: LabelRowMetadata, match_by: str) -> Iterator[tuple[str, Spot]]:
    value = value_of_row(row, match_by)
    if isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value), Spot(row, None, row.width, row.height)
    for frame, image in images_of(row):
        named = {"data_hash": image.image_hash, "title": image.title}.get(match_by)
        if named is not None:
            yield named, Spot(row, frame, image.width, image.height)


def without_query(name: str) -> str:
    """A name without the query of a URL, which may hold a signature."""
    return re.split(r"[?#]", name, maxsplit=1)[0] if "://" in name else name


def images_of(row: LabelRowMetadata) -> Iterator[tuple[int, GroupImage]]:
    """The images of an image group by their frame."""
    for place, image in enumerate(row.images_data or ()):
        yield place if image.index is None else image.index, image


def _related(candidates: Sequence[tuple[str, Spot]], name: str) -> list[tuple[str, Spot]]:
    """The candidates that are the name, or one of the two is the other with folders in front."""
    return [
        (title, spot)
        for title, spot in candidates
        if title == name or title.endswith(f"/{name}") or name.endswith(f"/{title}")
    ]


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _without_suffix(name: str) -> str:
    folder, slash, last = name.rpartition("/")
    stem, dot, _ = last.rpartition(".")
    return folder + slash + (stem if stem and dot else last)
