"""Telling Encord that files in a bucket have moved, or that another cloud integration reads them. No bytes move."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_provider_encord.client.api.core.reading import ignored
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import Call, Request

MOST_ITEMS = 1000


@operation("storage.items.migrate", "v2")
def migrate_items(
    *,
    by_item: Mapping[str, str | None] | None = None,
    by_url: Mapping[str, str | None] | None = None,
    from_integration: str | None = None,
    to_integration: str | None = None,
    validate_access: bool = True,
    skip_missing: bool = False,
) -> Call[None]:
    """Change the URLs of storage items, or the integration that reads them, or both. All of them, or none.

    :param by_item: New URLs by the id of the item. None keeps the URL, and requires `to_integration`.
    :param by_url: New URLs by the present URL. At most `MOST_ITEMS` in both together.
    :param from_integration: Only change items of this integration.
    :param to_integration: Id of the integration that reads the items from now on; None keeps theirs.
    :param validate_access: Let Encord check that it can read the new URLs.
    :param skip_missing: Skip items that do not exist. Otherwise one of them undoes the request.
    """
    integrations = {"fromIntegrationHash": from_integration, "toIntegrationHash": to_integration}
    body = {
        "urlsMap": dict(by_url or {}),
        "itemsMap": dict(by_item or {}),
        **{key: value for key, value in integrations.items() if value is not None},
        "validateAccess": validate_access,
        "skipMissing": skip_missing,
    }
    request = Request("POST", "storage/items/migrate-storage", json=body)
    return Call(request=request, changes=True, repeatable=False, read=ignored)
