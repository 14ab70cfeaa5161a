"""Joining what a source names separately: the images of a group, the frames of a video, two spellings of a name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.forms.names import Spot
from airflow_provider_encord.prelabels.sources import Prelabel

Key = TypeVar("Key")


class Units(Generic[Key]):
    """The data units of a source.

    :param keys: What the source names.
    :param find: Finds it in the project; raises `WrongLabelsError`.
    :param place: Where it is in the source, for messages and the report.
    """

    def __init__(self, keys: Iterable[Key], find: Callable[[Key], Spot], place: Callable[[Key], str]):
        self._place = place
        self._parts: dict[str, list[tuple[Key, Spot]]] = {}
        self.wrong: list[Prelabel] = []
        """Lines about keys that are not found."""
        for key in keys:
            try:
                spot = find(key)
            except WrongLabelsError as error:
                self.wrong.append(Prelabel(place=place(key), content={}, problem=str(error)))
            else:
                self._parts.setdefault(spot.row.data_hash, []).append((key, spot))

    def __iter__(self) -> Iterator[tuple[str, list[tuple[Key, Spot]]]]:
        """The place of the first key of each data unit, and all its keys."""
        for parts in self._parts.values():
            yield self._place(parts[0][0]), parts
