"""The items of a collection, as a filter for label rows.

Encord cannot filter label rows by collection. So the items are read page by page, also those that the user cannot see,
and compared with the item that each listed row says it is backed by.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from airflow_provider_encord.client.api.label_row_stamps import LabelRowItemStamp
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import ApiKey
from airflow_provider_encord.client.errors import (
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    UnexpectedResponseError,
    UnsupportedByCredentialError,
)
from airflow_provider_encord.client.identifiers import require_id


def known_collection(client: EncordClient, collection_id: str | None) -> str | None:
    """Check the id of a collection before anything is requested; None stays None.

    :raises UnsupportedByCredentialError: The credential is an API key.
    """
    if collection_id is None:
        return None
    if isinstance(client.credential, ApiKey):
        raise UnsupportedByCredentialError(
            "collection_id: an API key cannot read collections. Use a connection with an SSH key, or pass the data "
            "units of the collection as data_hashes."
        )
    return require_id(collection_id, "collection_id")


def items_of(client: EncordClient, collection_id: str) -> frozenset[bytes]:
    """The ids of the items in a collection, in 16 bytes each, because a collection may have millions of items.

    :raises InvalidArgumentError: The collection does not exist.
    :raises UnexpectedResponseError: The id of an item is not a UUID.
    """
    collection = client.collection(collection_id)
    try:
        collection.get()  # for a collection that does not exist, Encord may list no items
        return frozenset(_bytes(item.uuid) for item in collection.all_items())
    except (NotFoundError, PermissionDeniedError) as error:
        raise InvalidArgumentError(
            f"collection_id: the collection {collection_id} does not exist, or the user of the connection has no "
            f"access to it. Correct the id, or leave collection_id out. Encord: {error}"
        ) from None


def rows_of(stamps: Sequence[LabelRowItemStamp], items: Collection[bytes]) -> list[LabelRowItemStamp]:
    """The rows whose item is in the collection.

    :raises UnexpectedResponseError: No row says which item it has.
    """
    if stamps and not any(stamp.backing_item_uuid for stamp in stamps):
        raise UnexpectedResponseError(
            "collection_id: Encord lists label rows without the ids of their items, so they cannot be compared with a "
            "collection. Pass data_hashes instead."
        )
    return [stamp for stamp in stamps if stamp.backing_item_uuid and _bytes(stamp.backing_item_uuid) in items]


def _bytes(item: str) -> bytes:
    try:
        return uuid.UUID(item).bytes
    except ValueError:
        raise UnexpectedResponseError(
            f"collection_id: Encord lists an item whose id is no UUID: {item[:50]!r}."
        ) from None
