"""Groups and series that are registered already.

Encord skips duplicate URLs of single files only, so a group that is registered again becomes a second group. It is
recognised by its title and the URLs of its files, in order, as far as the credential can read them; with an API key,
which cannot, by its title alone.
"""

from __future__ import annotations

import collections
from collections.abc import Sequence

from airflow_provider_encord.client.api.data_items import DicomSeries, ImageGroup, Unit
from airflow_provider_encord.client.api.datasets import list_data_rows
from airflow_provider_encord.client.api.listing import every_page
from airflow_provider_encord.client.api.storage_items import ItemFilter, get_item, list_child_items, list_items
from airflow_provider_encord.client.call import API_KEY, Flow, Pause
from airflow_provider_encord.ingest.cloud import title_of, urls_of

_ITEM_TYPES = ("imageGroup", "imageSequence", "dicomSeries")
_ROW_TYPES = ("IMG_GROUP", "DICOM")
_PAGE_SIZE = 1000
_LOOKS = (1.0, 2.0, 4.0)  # seconds between looks for the groups of a job whose answer was lost


class RegisteredGroups:
    """The groups of one folder or dataset; they are listed once, when the first group is to be registered.

    :param credential: Kind of the client's credential.
    """

    def __init__(self, credential: str, *, dataset: str | None, folder: str | None):
        self._credential, self._dataset, self._folder = credential, dataset, folder
        self._known: dict[str, list[_Known]] | None = None

    def find(self, units: Sequence[Unit]) -> Flow[dict[int, str]]:
        """The positions of those units that are registered, with the id of each: data unit, or in folders item."""
        found: dict[int, str] = {}
        for number, unit in enumerate(units):
            if not isinstance(unit, ImageGroup | DicomSeries):
                continue
            if self._known is None:
                self._known = yield from self._list()
            same_title = self._known.get(title_of(unit), [])
            for known in same_title:
                if (yield from self._has_files(known, urls_of(unit))):
                    found[number] = known.id
                    same_title.remove(known)  # each stands for one unit
                    break
        return found

    def wait_for(self, units: Sequence[Unit]) -> Flow[None]:
        """Wait for the groups that a job makes, if it was started: until all are there, or no more come.

        :param units: What the job was sent. Without a group among them there is nothing to wait for.
        """
        groups = [unit for unit in units if isinstance(unit, ImageGroup | DicomSeries)]
        there = look = 0
        while there < len(groups) and look < len(_LOOKS):
            yield Pause(_LOOKS[look])
            self._known = None
            found = len((yield from self.find(groups)))
            look = 0 if found > there else look + 1
            there = found
        self._known = None  # the next `find` takes each of them once more

    def _list(self) -> Flow[dict[str, list[_Known]]]:
        known: dict[str, list[_Known]] = collections.defaultdict(list)
        if self._dataset:
            rows = yield from list_data_rows(self._dataset, data_types=list(_ROW_TYPES))
            for row in rows:
                known[row.data_title].append(_Known(row.data_hash, row.backing_item_uuid))
            return known
        folder = str(self._folder)
        which = ItemFilter(item_types=_ITEM_TYPES, page_size=_PAGE_SIZE, client_metadata=False)
        items = yield from every_page(lambda page: list_items(folder, which, page=page))
        for item in items:
            known[item.name].append(_Known(item.uuid, item.uuid))
        return known

    def _has_files(self, known: _Known, urls: Sequence[str]) -> Flow[bool]:
        if self._credential == API_KEY or not known.item:
            return True
        if known.urls is None:
            folder = self._folder or (yield from get_item(known.item)).parent
            children = yield from list_child_items(folder, known.item)
            known.urls = [child.url or "" for child in children]
        # The order of a series is Encord's own.
        return sorted(known.urls) == sorted(urls)


class _Known:
    """A group that is there."""

    def __init__(self, id_: str, item: str | None):
        self.id, self.item = id_, item
        self.urls: list[str] | None = None
