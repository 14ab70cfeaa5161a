"""What the readers of recorded requests share: where ids, payloads and parameters stand in them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from airflow_provider_encord.client.api.core.listing import Filter

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
Read = Callable[[dict[str, Any]], Arguments]
Key = tuple[str, str]

UUID = "[0-9a-f-]{36}"


def given(*positional: Any, **named: Any) -> Arguments:
    return positional, named


def uid_of(request: dict[str, Any]) -> Any:
    return request["json"]["values"]["uid"]


def payload_of(request: dict[str, Any]) -> Any:
    return request["json"]["values"]["payload"]


def resource_of(request: dict[str, Any]) -> str:
    return str(request["headers"]["ResourceID"])


def id_in_path(request: dict[str, Any]) -> str:
    """The UUID in the path."""
    found = re.search(UUID, request["path"])
    assert found
    return found[0]


def parameter(request: dict[str, Any], name: str) -> str | None:
    values: list[str] = request["query"].get(name, [None])
    return values[0]


def flag(request: dict[str, Any], name: str) -> bool:
    return {"True": True, "False": False}[request["query"][name][0]]


def listing_filter(request: dict[str, Any], description: str) -> Filter:
    return Filter(
        title_eq=parameter(request, "titleEq"),
        title_like=parameter(request, "titleLike"),
        description_eq=parameter(request, f"{description}Eq"),
        description_like=parameter(request, f"{description}Like"),
        created_before=parameter(request, "createdBefore"),
        created_after=parameter(request, "createdAfter"),
        edited_before=parameter(request, "editedBefore"),
        edited_after=parameter(request, "editedAfter"),
        include_organisation=flag(request, "includeOrgAccess"),
    )


def listing_filter_v1(request: dict[str, Any]) -> Arguments:
    filters = payload_of(request)["filter"]
    return given(Filter(**{name.replace("desc_", "description_"): value for name, value in filters.items()}))


def listed_below(request: dict[str, Any]) -> Arguments:
    """A page of what belongs to the resource in the path."""
    return given(id_in_path(request), page=parameter(request, "pageToken"))


def users_to_add(request: dict[str, Any]) -> Arguments:
    payload = payload_of(request)
    return given(uid_of(request), payload["user_emails"], payload["user_role"])


def users_in_body(request: dict[str, Any]) -> Arguments:
    return given(id_in_path(request), request["json"]["userEmails"])


def groups_to_add(request: dict[str, Any]) -> Arguments:
    return given(id_in_path(request), request["json"]["groupHashList"], request["json"]["userRole"])


def groups_to_remove(request: dict[str, Any]) -> Arguments:
    return given(id_in_path(request), request["query"]["groupHashList"])
