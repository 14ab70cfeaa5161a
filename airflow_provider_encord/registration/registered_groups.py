"""Finding groups, series and scenes that are registered already.

Encord skips duplicate URLs only for single files. If a group is registered again, Encord creates a second group. So
groups are recognised here by title, type and the URLs of their files. An API key cannot read the URLs, and Encord does
not list the files of scenes; in these cases, only the title is compared. The log warns about groups that were
recognised by title only, and the report marks them.

An image group with the same files in another order counts as registered, too; the log and the report mention it. Encord
does not document whether it lists the files of a group in order. If it does not, comparing the order would make each
retry register the group again or fail.

Encord does not update the client metadata of existing groups and scenes, so `update_metadata` does it.
"""

from __future__ import annotations

import collections
import dataclasses
import logging
from collections.abc import Mapping, Sequence

from airflow_provider_encord.client.api.core.data_items import DicomSeries, ImageGroup, Scene, Unit
from airflow_provider_encord.client.api.core.listing import every_page
from airflow_provider_encord.client.api.datasets import list_data_rows
from airflow_provider_encord.client.api.storage_items import ItemFilter, get_item, list_child_items, list_items
from airflow_provider_encord.client.call import API_KEY, Flow, Pause
from airflow_provider_encord.item_metadata.update import REPLACE, Wanted, update_items
from airflow_provider_encord.registration.cloud import title_of, urls_of

log = logging.getLogger(__name__)

URLS, TITLE = "urls", "title"
_OTHER_ORDER = "Encord lists its files in another order."
_GROUPS, _SCENES = "groups", "scenes"
_ITEM_TYPES = {_GROUPS: ("imageGroup", "imageSequence", "dicomSeries"), _SCENES: ("scene",)}
_ROW_TYPES = {_GROUPS: ("IMG_GROUP", "DICOM"), _SCENES: ("SCENE",)}
_PAGE_SIZE = 1000
_LOOKS = (1.0, 2.0, 4.0)  # seconds between searches for the groups of a job whose response was lost


@dataclasses.dataclass(frozen=True, slots=True)
class Registered:
    """The registered group or scene of a unit.

    :param id: Id of the data unit; in folders, id of the storage item.
    :param matched_by: `URLS`, or `TITLE` if the URLs cannot be compared.
    :param item: Id of the storage item; None if Encord does not return it.
    :param note: How it differs, or what was not done and why.
    """

    id: str
    matched_by: str
    item: str | None = None
    note: str | None = None

    def with_note(self, note: str) -> Registered:
        """The same with one more note."""
        return dataclasses.replace(self, note=f"{self.note} {note}" if self.note else note)


class RegisteredGroups:
    """The groups and scenes of one folder or dataset. Each type is listed once, when it is first needed.

    :param credential: Kind of the client's credential.
    """

    def __init__(self, credential: str, *, dataset: str | None, folder: str | None):
        self._credential, self._dataset, self._folder = credential, dataset, folder
        self._known: dict[str, dict[str, list[_Known]]] = {}  # by sort and title

    def find(self, units: Sequence[Unit]) -> Flow[dict[int, Registered]]:
        """The units that are registered already, by position."""
        found: dict[int, Registered] = {}
        for any_order in (False, True):  # first those with the same order of files, which match exactly
            for number, unit in enumerate(units):
                if number not in found:
                    registered = yield from self._take(unit, any_order)
                    if registered is not None:
                        found[number] = registered
        _warn(
            "%d groups or scenes count as registered because of their title only, such as %r: their files cannot be "
            "compared. If they are different ones, give them other titles.",
            [units[number] for number, group in found.items() if group.matched_by == TITLE],
        )
        _warn(
            "%d image groups count as registered although Encord lists their files in another order, such as %r. If "
            "the order matters, delete them, or give the new ones another title.",
            [units[number] for number, group in found.items() if group.note == _OTHER_ORDER],
        )
        return found

    def _take(self, unit: Unit, any_order: bool) -> Flow[Registered | None]:
        """The registered group of a unit. It is not matched with another unit afterwards."""
        sort = _sort(unit)
        if sort is None:
            return None
        if sort not in self._known:
            self._known[sort] = yield from self._list(sort)
        same_title = self._known[sort].get(title_of(unit), [])
        for known in same_title:
            matched_by = yield from self._match(known, unit)
            if matched_by and (any_order or not known.in_another_order_than(unit)):
                same_title.remove(known)
                return known.registered(unit, matched_by)
        return None

    def update_metadata(self, units: Sequence[Unit], present: Mapping[int, Registered]) -> Flow[dict[int, Registered]]:
        """Update the client metadata of registered units. Units without client metadata keep the existing one.

        :param present: The registered units, by position.
        :return: The registered units; those that could not be updated have a note.
        """
        wanted = {
            group.item or "": units[number].client_metadata
            for number, group in present.items()
            if units[number].client_metadata
        }
        items = [item for item in wanted if item]
        reasons = dict.fromkeys(wanted, "Encord does not return its item")
        if self._credential == API_KEY:
            reasons = dict.fromkeys(wanted, "an API key cannot change items")
        elif items:
            outcome = yield from update_items(items, Wanted({item: wanted[item] or {} for item in items}), REPLACE)
            reasons = {**dict.fromkeys(wanted.keys() & {""}, "Encord does not return its item"), **outcome.failed}
            reasons |= dict.fromkeys(outcome.gone, "it was deleted meanwhile")
        noted = {
            number: group.with_note(f"Its metadata was not updated: {reasons[group.item or '']}.")
            for number, group in present.items()
            if units[number].client_metadata and (group.item or "") in reasons
        }
        if noted:
            first = next(iter(noted))
            log.warning(
                "upsert_metadata: the metadata of %d registered groups or scenes was not updated, such as %r. %s",
                len(noted),
                title_of(units[first])[:80],
                noted[first].note,
            )
        return {**present, **noted}

    def wait_for(self, units: Sequence[Unit]) -> Flow[None]:
        """Wait for the groups of a job that may have started, until all of them exist or no more are added.

        :param units: The units of the job. Without groups among them, it does not wait.
        """
        groups = [unit for unit in units if _sort(unit)]
        there, look = len((yield from self.find(groups))), 0
        while there < len(groups) and look < len(_LOOKS):
            yield Pause(_LOOKS[look])
            self._known = {}
            found = len((yield from self.find(groups)))
            look = 0 if found > there else look + 1
            there = found
        self._known = {}  # the next `find` can match each of them again

    def _list(self, sort: str) -> Flow[dict[str, list[_Known]]]:
        known: dict[str, list[_Known]] = collections.defaultdict(list)
        if self._dataset:
            rows = yield from list_data_rows(self._dataset, data_types=list(_ROW_TYPES[sort]))
            for row in rows:
                known[row.data_title].append(_Known(row.data_hash, row.backing_item_uuid, row.data_type))
            return known
        folder = str(self._folder)
        which = ItemFilter(item_types=_ITEM_TYPES[sort], page_size=_PAGE_SIZE, client_metadata=False)
        items = yield from every_page(lambda page: list_items(folder, which, page=page))
        for item in items:
            known[item.name].append(_Known(item.uuid, item.uuid, item.item_type))
        return known

    def _match(self, known: _Known, unit: Unit) -> Flow[str | None]:
        """How a unit with the same title is recognised; None if it is a different one."""
        if isinstance(unit, Scene):
            return TITLE
        if known.type not in _types(unit):
            return None
        if self._credential == API_KEY or not known.item:
            return TITLE
        if known.urls is None:
            folder = self._folder
            if self._dataset:
                item = yield from get_item(known.item)
                folder, known.type = item.parent, item.item_type  # a row does not distinguish groups and sequences
            children = yield from list_child_items(str(folder), known.item)
            known.urls = [child.url or "" for child in children]
        return URLS if known.type in _types(unit) and sorted(known.urls) == sorted(urls_of(unit)) else None


def _sort(unit: Unit) -> str | None:
    """The type to search for; None for single files, because Encord skips their duplicates."""
    if isinstance(unit, Scene):
        return _SCENES
    return _GROUPS if isinstance(unit, ImageGroup | DicomSeries) else None


def _types(unit: Unit) -> tuple[str, ...]:
    """The names of a group's type in folders and datasets."""
    if isinstance(unit, ImageGroup):
        return ("imageSequence" if unit.create_video else "imageGroup", "IMG_GROUP")
    return ("dicomSeries", "DICOM")


class _Known:
    """An existing group."""

    def __init__(self, id_: str, item: str | None, type_: str):
        self.id, self.item, self.type = id_, item, type_
        self.urls: list[str] | None = None

    def in_another_order_than(self, unit: Unit) -> bool:
        """Whether its files are known to be in another order. Encord sets the order of a series itself."""
        return isinstance(unit, ImageGroup) and self.urls is not None and self.urls != urls_of(unit)

    def registered(self, unit: Unit, matched_by: str) -> Registered:
        """The record of a unit that matches this group."""
        note = _OTHER_ORDER if self.in_another_order_than(unit) else None
        return Registered(self.id, matched_by, self.item, note)


def _warn(text: str, units: Sequence[Unit]) -> None:
    """:param text: With the number of units, and the title of the first."""
    if units:
        log.warning(text, len(units), title_of(units[0])[:80])
