"""Recorded requests of datasets and their data rows."""

from __future__ import annotations

from typing import Any

from tests.wire.subjects.reading import (
    UUID,
    Arguments,
    Key,
    Read,
    given,
    groups_to_add,
    groups_to_remove,
    listed_below,
    listing_filter,
    payload_of,
    resource_of,
    uid_of,
    users_in_body,
    users_to_add,
)


def _dataset_create(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(body["title"], description=body.get("description"), create_backing_folder=body["createBackingFolder"])


def _access_settings(payload: dict[str, Any]) -> dict[str, Any]:
    settings = payload["dataset_access_settings"]
    return {"fetch_client_metadata": settings["fetch_client_metadata"], "fetch_rows": settings.get("fetch_rows")}


def _data_rows(request: dict[str, Any]) -> Arguments:
    payload = payload_of(request)
    filters = {name: value for name, value in payload.items() if name != "dataset_access_settings"}
    return given(resource_of(request), **filters, **_access_settings(payload))


def _data_row(request: dict[str, Any]) -> Arguments:
    more = payload_of(request)["additional_data"]
    options = more["images_data_fetch_options"]
    return given(
        resource_of(request),
        uid_of(request),
        signed_url=more["signed_url"],
        images_data=options is not None,
        images_signed_urls=bool(options and options["fetch_signed_urls"]),
        client_metadata=more["client_metadata"],
    )


def _edit(request: dict[str, Any]) -> Arguments:
    return given(resource_of(request), uid_of(request), **payload_of(request))


def _rename(request: dict[str, Any]) -> Arguments:
    (one,) = payload_of(request)
    return given(uid_of(request), one["video_hash"], one["title"])


def _link_items(request: dict[str, Any]) -> Arguments:
    payload = payload_of(request)
    return given(uid_of(request), payload["item_uuids"], duplicates_behavior=payload["duplicates_behavior"])


ARGUMENTS: dict[Key, Read] = {
    ("datasets.list", "v2"): lambda request: given(listing_filter(request, "description")),
    ("dataset.create", "v2"): _dataset_create,
    ("dataset.get", "v1"): lambda request: given(resource_of(request), **_access_settings(payload_of(request))),
    ("dataset.list_data_rows", "v1"): _data_rows,
    ("dataset.data_row.get", "v1"): _data_row,
    ("dataset.data_row.edit", "v1"): _edit,
    ("dataset.update_data_item", "v1"): _rename,
    ("dataset.delete_data", "v1"): lambda request: given(resource_of(request), uid_of(request)),
    ("dataset.link_items", "v1"): _link_items,
    ("dataset.re_encode_data", "v1"): lambda request: given(resource_of(request), payload_of(request)["data_hash"]),
    ("dataset.re_encode_data_status", "v1"): lambda request: given(resource_of(request), uid_of(request)),
}

ARGUMENTS |= {
    ("dataset.add_users", "v1"): users_to_add,
    ("dataset.list_users", "v2"): listed_below,
    ("dataset.remove_users", "v2"): users_in_body,
    ("dataset.list_groups", "v2"): listed_below,
    ("dataset.add_group", "v2"): groups_to_add,
    ("dataset.remove_group", "v2"): groups_to_remove,
}

V1_SHAPES: dict[tuple[str, str], str] = {
    ("datasetusers", "POST"): "dataset.add_users",
    ("dataset", "GET"): "dataset.get",
    ("datarows", "GET"): "dataset.list_data_rows",
    ("datarow", "GET"): "dataset.data_row.get",
    ("datarow", "POST"): "dataset.data_row.edit",
    ("video", "POST"): "dataset.update_data_item",
    ("video", "DELETE"): "dataset.delete_data",
    ("datasetlinkitems", "POST"): "dataset.link_items",
    ("reencodevideotask", "PUT"): "dataset.re_encode_data",
    ("reencodevideotask", "GET"): "dataset.re_encode_data_status",
}

V2_SHAPES: list[tuple[str, str, str]] = [
    ("GET", f"datasets/{UUID}/users", "dataset.list_users"),
    ("POST", f"datasets/{UUID}/users/bulk-delete", "dataset.remove_users"),
    ("GET", f"datasets/{UUID}/groups", "dataset.list_groups"),
    ("POST", f"datasets/{UUID}/groups", "dataset.add_group"),
    ("DELETE", f"datasets/{UUID}/groups", "dataset.remove_group"),
    ("GET", "datasets/list", "datasets.list"),
    ("POST", "datasets", "dataset.create"),
]

NOT_YET: set[str] = set()

NOT_SERVED_YET: set[Key] = set()
