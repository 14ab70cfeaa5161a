"""Recorded requests of API keys."""

from __future__ import annotations

from typing import Any

from tests.wire.subjects.reading import Arguments, Key, Read, given, payload_of, uid_of


def _key_for_project(request: dict[str, Any]) -> Arguments:
    return given(uid_of(request), **payload_of(request))


def _key_for_dataset(request: dict[str, Any]) -> Arguments:
    payload = payload_of(request)
    return given(payload["dataset_hash"], title=payload["title"], scopes=payload["scopes"])


ARGUMENTS: dict[Key, Read] = {
    ("api_key.lookup", "v1"): lambda request: given(),
    ("api_key.project.create", "v1"): _key_for_project,
    ("api_key.project.list", "v1"): lambda request: given(uid_of(request)),
    ("api_key.dataset.create", "v1"): _key_for_dataset,
    ("api_key.dataset.list", "v1"): lambda request: given(payload_of(request)["dataset_hash"]),
}

V1_SHAPES: dict[tuple[str, str], str] = {
    ("apikeymeta", "GET"): "api_key.lookup",
    ("projectapikey", "POST"): "api_key.project.create",
    ("projectapikey", "GET"): "api_key.project.list",
    ("datasetapikey", "POST"): "api_key.dataset.create",
    ("datasetapikey", "GET"): "api_key.dataset.list",
}

V2_SHAPES: list[tuple[str, str, str]] = []

NOT_YET: set[str] = set()

NOT_SERVED_YET: set[Key] = set()
