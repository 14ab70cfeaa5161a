"""Collections of storage items: creating one just once, and adding and removing many items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from airflow_provider_encord.client.api.core.listing import every_page
from airflow_provider_encord.client.api.curation import collections
from airflow_provider_encord.client.api.curation.collections import AddedTitles, CollectionRecord, FailedItems
from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.flows.chunks import in_parts
from airflow_provider_encord.client.flows.creation import Created, Existing, another_description, get_or_create

MOST_ITEMS = 1000
MOST_TITLES = 1000
MOST_TITLE_BYTES = 200_000
_AROUND_A_TITLE = 3  # bytes that Encord counts for each title


def create_collection_once(folder: str, name: str, *, description: str, if_exists: str) -> Flow[Created]:
    """Create a collection of a top-level folder, or reuse one with the same name; see `get_or_create`."""

    def find(name: str) -> Flow[Sequence[Existing]]:
        found = yield from all_collections(folder)
        return [_existing(match, description) for match in found if match.name == name]

    return (
        yield from get_or_create(
            "collection",
            name,
            find=find,
            create=lambda name: collections.create_collection(folder, name, description=description),
            id_of=lambda made: made,
            if_exists=if_exists,
        )
    )


def all_collections(folder: str | None) -> Flow[list[CollectionRecord]]:
    """Every collection that the user can see; of one top-level folder, if it is given."""
    return every_page(lambda page: collections.list_collections(folder=folder, page=page))


def change_items(items: Sequence[str], call: Callable[[Sequence[str]], Call[FailedItems]]) -> Flow[list[str]]:
    """Add or remove items. Large numbers are sent in several requests.

    :param call: Makes the call for some of the items.
    :return: The items that Encord did not add or remove.
    """
    parts = yield from in_parts(items, call, size=MOST_ITEMS)
    return [item for part in parts for item in part.failed_items]


def add_titles(collection: str, titles: Sequence[str]) -> Flow[AddedTitles]:
    """Add items by title. Titles given twice are sent once; large numbers are sent in several requests.

    :raises InvalidArgumentError: A title is longer than Encord allows in one request. Nothing was sent.
    """
    batches = list(_batches(list(dict.fromkeys(titles))))  # all of them first, because a title may be too long
    results: list[AddedTitles] = []
    for batch in batches:
        results += [(yield from collections.add_collection_titles(collection, batch))]
    return AddedTitles(
        requested=sum(result.requested for result in results),
        matched_titles=sum(result.matched_titles for result in results),
        items_added=sum(result.items_added for result in results),
        ambiguous_titles=[title for result in results for title in result.ambiguous_titles],
        unmatched_titles=[title for result in results for title in result.unmatched_titles],
        failed_items=[item for result in results for item in result.failed_items],
    )


def _batches(titles: Sequence[str]) -> Iterator[list[str]]:
    """Parts of the titles that Encord takes in one request, in order."""
    batch: list[str] = []
    size = 0
    for title in titles:
        weight = _weight(title)
        if batch and (len(batch) == MOST_TITLES or size + weight > MOST_TITLE_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(title)
        size += weight
    if batch:
        yield batch


def _weight(title: str) -> int:
    """The number of bytes that Encord counts for a title."""
    weight = len(title.encode()) + _AROUND_A_TITLE + title.count("'") + title.count("\\")
    if weight > MOST_TITLE_BYTES:
        raise InvalidArgumentError(
            f"titles: the title that begins with {title[:40]!r} has {weight} bytes; Encord takes {MOST_TITLE_BYTES} in "
            "one request. Add this item by its id."
        )
    return weight


def _existing(match: CollectionRecord, description: str) -> Existing:
    differs = another_description(description, match.description or "")
    return Existing(id=match.uuid, differs=differs, created_at=match.created_at)
