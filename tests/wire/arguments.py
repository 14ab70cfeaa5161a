"""From a recorded request back to the arguments of our function for it: one reader per operation.

A new vector of an operation needs nothing here; a new operation needs one reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.labels import LabelRowFilter
from airflow_provider_encord.client.api.listing import Filter
from airflow_provider_encord.client.api.registry import operations
from airflow_provider_encord.client.api.uploads import IMAGE, NEWER_ITEM_LISTS, VIDEO, Kind, UploadedFile, data_items
from airflow_provider_encord.client.call import Call, Resource
from tests.wire.vectors import Exchange, Key

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
Read = Callable[[dict[str, Any]], Arguments]


def call_of(exchange: Exchange, key: Key) -> Call[Any]:
    """Our call for a recorded request."""
    positional, named = ARGUMENTS[key](exchange.request)
    return operations()[key].function(*positional, **named)


def _given(*positional: Any, **named: Any) -> Arguments:
    return positional, named


def _uid(request: dict[str, Any]) -> Any:
    return request["json"]["values"]["uid"]


def _payload(request: dict[str, Any]) -> Any:
    return request["json"]["values"]["payload"]


def _resource(request: dict[str, Any]) -> str:
    return str(request["headers"]["ResourceID"])


def _id(request: dict[str, Any]) -> str:
    """The UUID in the path."""
    found = re.search("[0-9a-f-]{36}", request["path"])
    assert found
    return found[0]


def _one(request: dict[str, Any], name: str) -> str | None:
    values: list[str] = request["query"].get(name, [None])
    return values[0]


def _flag(request: dict[str, Any], name: str) -> bool:
    return {"True": True, "False": False}[request["query"][name][0]]


def _filter(request: dict[str, Any], description: str) -> Filter:
    return Filter(
        title_eq=_one(request, "titleEq"),
        title_like=_one(request, "titleLike"),
        description_eq=_one(request, f"{description}Eq"),
        description_like=_one(request, f"{description}Like"),
        created_before=_one(request, "createdBefore"),
        created_after=_one(request, "createdAfter"),
        edited_before=_one(request, "editedBefore"),
        edited_after=_one(request, "editedAfter"),
        include_organisation=_flag(request, "includeOrgAccess"),
    )


def _projects_list(request: dict[str, Any]) -> Arguments:
    tags: Sequence[str] = request["query"].get("tagsAnyof", [])
    return _given(_filter(request, "desc"), tags=tags, page=_one(request, "pageToken"))


def _project_create(request: dict[str, Any]) -> Arguments:
    payload = _payload(request)
    return _given(
        payload["title"],
        description=payload["description"],
        datasets=payload["dataset_hashes"],
        ontology=payload.get("ontology_hash"),
        workflow_template=payload.get("workflow_template_id"),
        benchmark_of=payload.get("source_projects", ()),
    )


def _dataset_create(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return _given(body["title"], description=body.get("description"), create_backing_folder=body["createBackingFolder"])


def _access_settings(payload: dict[str, Any]) -> dict[str, Any]:
    settings = payload["dataset_access_settings"]
    return {"fetch_client_metadata": settings["fetch_client_metadata"], "fetch_rows": settings.get("fetch_rows")}


def _data_rows(request: dict[str, Any]) -> Arguments:
    payload = _payload(request)
    filters = {name: value for name, value in payload.items() if name != "dataset_access_settings"}
    return _given(_resource(request), **filters, **_access_settings(payload))


def _ontology_create(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return _given(body["title"], structure=body["editor"], description=body["description"])


def _label_rows_list(request: dict[str, Any]) -> Arguments:
    payload = _payload(request)
    newer = {"include_children", "client_metadata_as_signed_url"} - payload.keys()
    return _given(_resource(request), LabelRowFilter(**payload, **dict.fromkeys(newer, msgspec.UNSET)))


def _label_rows_get(request: dict[str, Any]) -> Arguments:
    options = {name: value for name, value in _payload(request).items() if name != "multi_request"}
    return _given(_resource(request), _uid(request), **options)


def _label_rows_create(request: dict[str, Any]) -> Arguments:
    payload = _payload(request)
    return _given(
        _resource(request),
        _uid(request),
        get_signed_url=payload["get_signed_url"],
        branch=payload.get("branch_name"),
    )


def _label_rows_save(request: dict[str, Any]) -> Arguments:
    payload, uid = dict(_payload(request)), _uid(request)
    validate = payload.pop("validate_before_saving", False)
    rows = payload if isinstance(uid, str) else payload["labels"]
    return _given(_resource(request), uid, rows, validate_before_saving=validate)


def _integrations(request: dict[str, Any]) -> Arguments:
    query = request["query"]
    return _given(
        ids=query.get("filterIntegrationUuids", ()),
        titles=query.get("filterIntegrationTitles", ()),
        include_organisation=_flag(request, "includeOrgAccess") if "includeOrgAccess" in query else None,
    )


def _kind(**wanted: str) -> Kind:
    ((name, value),) = wanted.items()
    return next(kind for kind in (IMAGE, VIDEO) if getattr(kind, name) == value)


def _signed_urls(request: dict[str, Any]) -> Arguments:
    return _given(int(_one(request, "count") or 0), _kind(upload_type=_one(request, "uploadItemType") or ""))


def _signed_urls_v1(request: dict[str, Any]) -> Arguments:
    uid = _uid(request)
    titles = uid if isinstance(uid, list) else [uid]
    return _given(_resource(request), titles, _kind(url_query=request["json"]["query_type"]))


def _upload_start(request: dict[str, Any]) -> Arguments:
    payload = _payload(request)
    items = payload["dataItems"]
    files = [
        UploadedFile(kind=kind, object_url=one["objectUrl"], title=one["title"], client_metadata=one["clientMetadata"])
        for kind in (IMAGE, VIDEO)
        for one in items[kind.list_name]
    ]
    without = [name for name in NEWER_ITEM_LISTS if name not in items]
    ours = data_items(files, skip_duplicate_urls=items["skipDuplicateUrls"], without=without)
    return _given(_uid(request), ours, ignore_errors=payload["ignoreErrors"], folder=payload.get("folderUuid"))


def _poll(request: dict[str, Any]) -> Arguments:
    payload = _payload(request)
    return _given(_uid(request), payload["process_hash"], timeout_seconds=payload["timeout_seconds"])


def _key_for_project(request: dict[str, Any]) -> Arguments:
    return _given(_uid(request), **_payload(request))


def _key_for_dataset(request: dict[str, Any]) -> Arguments:
    payload = _payload(request)
    return _given(payload["dataset_hash"], title=payload["title"], scopes=payload["scopes"])


ARGUMENTS: dict[Key, Read] = {
    ("api_key.lookup", "v1"): lambda request: _given(),
    ("api_key.project.create", "v1"): _key_for_project,
    ("api_key.project.list", "v1"): lambda request: _given(_uid(request)),
    ("api_key.dataset.create", "v1"): _key_for_dataset,
    ("api_key.dataset.list", "v1"): lambda request: _given(_payload(request)["dataset_hash"]),
    ("projects.list", "v2"): _projects_list,
    ("project.get", "v2"): lambda request: _given(_id(request)),
    ("project.get", "v1"): lambda request: _given(_resource(request), **_payload(request)),
    ("project.create", "v1"): _project_create,
    ("project.list_datasets", "v2"): lambda request: _given(_id(request), page=_one(request, "pageToken")),
    ("project.list_datasets", "v1"): lambda request: _given(_resource(request)),
    ("project.add_datasets", "v1"): lambda request: _given(_resource(request), _payload(request)["dataset_hashes"]),
    ("project.remove_datasets", "v1"): lambda request: _given(_resource(request), _uid(request)),
    ("datasets.list", "v2"): lambda request: _given(_filter(request, "description")),
    ("dataset.create", "v2"): _dataset_create,
    ("dataset.get", "v1"): lambda request: _given(_resource(request), **_access_settings(_payload(request))),
    ("dataset.list_data_rows", "v1"): _data_rows,
    ("ontology.list", "v2"): lambda request: _given(_filter(request, "desc")),
    ("ontology.get", "v2"): lambda request: _given(_id(request)),
    ("ontology.create", "v2"): _ontology_create,
    ("label_rows.list", "v1"): _label_rows_list,
    ("label_rows.get", "v1"): _label_rows_get,
    ("label_rows.create", "v1"): _label_rows_create,
    ("label_rows.save", "v1"): _label_rows_save,
    ("user.get_bearer_token", "v2"): lambda request: _given(),
    ("cloud_integrations.list", "v2"): _integrations,
    ("cloud_integrations.list", "v1"): lambda request: _given(Resource("project", _resource(request))),
    ("upload.signed_urls", "v2"): _signed_urls,
    ("upload.signed_urls", "v1"): _signed_urls_v1,
    ("upload.start", "v1"): _upload_start,
    ("dataset.add_private_data result", "v1"): _poll,
}
