"""Storage items of which some may not be readable any more: those that Encord refuses do not cost the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from airflow_provider_encord.client.api.storage_items import StorageItemRecord
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import AuthenticationError, RefusedError

T = TypeVar("T")
Readable: TypeAlias = tuple[dict[str, T], dict[str, RefusedError]]
"""What was read by id, and why the others could not be read."""


def unreadable(error: RefusedError) -> str:
    """Why an item could not be read, as a message."""
    return f"its storage item could not be read: {error.message}"


def readable_items(client: EncordClient, wanted: Sequence[str], *, sign_urls: bool) -> Readable[StorageItemRecord]:
    """Read storage items by id.

    :raises EncordError: The key is not accepted, or Encord could not be reached.
    """
    return each_readable(wanted, lambda some: {item.uuid: item for item in client.items(some, sign_urls=sign_urls)})


def each_readable(wanted: Sequence[str], read: Callable[[list[str]], dict[str, T]]) -> Readable[T]:
    """Read by id what can be read. Encord refuses a whole request because of one id, so requests are halved.

    :param read: Reads some of them.
    """
    if not wanted:
        return {}, {}
    try:
        return read(list(wanted)), {}
    except AuthenticationError:
        raise
    except RefusedError as error:
        if len(wanted) == 1:
            return {}, {wanted[0]: error}
    middle = len(wanted) // 2
    (found, problems), (more, others) = each_readable(wanted[:middle], read), each_readable(wanted[middle:], read)
    return found | more, problems | others
