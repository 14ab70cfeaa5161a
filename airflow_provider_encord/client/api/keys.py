"""API keys: creating and listing them with an SSH key, and reading the resource of an API key.

The key is a secret, and the text form of the records does not show it. The API cannot delete a key.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from airflow_provider_encord.client.api.core.reading import made, several, single, v1_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import API_KEY_ONLY, Call, Envelope
from airflow_provider_encord.client.errors import InvalidArgumentError

PROJECT_SCOPES = (
    "label.read",
    "label.write",
    "model.inference",
    "model.train",
    "label_logs.read",
    "algo.library",
)
DATASET_SCOPES = ("dataset.read", "dataset.write")


class KeyResource(msgspec.Struct, frozen=True, kw_only=True):
    """The resource that an API key belongs to.

    :param title: Title of the key, not of the resource.
    :param resource_type: ``"project"`` or ``"dataset"``.
    """

    title: str
    resource_type: str


class ApiKeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An API key. `api_key` is the secret; the text form of the record does not show it."""

    title: str
    scopes: tuple[str, ...]
    api_key: str

    def __repr__(self) -> str:
        return f"ApiKeyRecord(title={self.title!r}, scopes={self.scopes!r}, api_key='***')"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("title", self.title), ("scopes", self.scopes)]


class _ApiKeyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    title: str
    api_key: str
    scopes: list[str] | str

    def __repr__(self) -> str:
        return "_ApiKeyAnswer(...)"

    def record(self) -> ApiKeyRecord:
        """Convert to the public record. Encord returns scopes as a list or as JSON text (protocol, section 7.1)."""
        scopes = msgspec.json.decode(self.scopes, type=list[str]) if isinstance(self.scopes, str) else self.scopes
        return ApiKeyRecord(title=self.title, api_key=self.api_key, scopes=tuple(scopes))


_KEY_RESOURCE = single(v1_reader(KeyResource))
_TEXT = made(v1_reader(str))
_KEY = made(v1_reader(_ApiKeyAnswer))
_KEYS = several(v1_reader(list[_ApiKeyAnswer]))


def _records(answer: bytes) -> list[ApiKeyRecord]:
    return [key.record() for key in _KEYS(answer)]


def _checked(scopes: Sequence[str], known: tuple[str, ...]) -> list[str]:
    scopes = [scopes] if isinstance(scopes, str) else scopes
    unknown = [scope for scope in scopes if scope not in known]
    if unknown or not scopes:
        what = f"unknown scope {', '.join(unknown)}" if unknown else "it is empty"
        raise InvalidArgumentError(f"scopes: {what}. Choose from {', '.join(known)}.")
    return list(scopes)


@operation("api_key.lookup", "v1")
def get_key_resource() -> Call[KeyResource]:
    """Read the kind of resource that the API key belongs to. The cheapest way to test an API key."""
    request = Envelope("apikeymeta", "GET", own_resource=True)
    return Call(request=request, credentials=API_KEY_ONLY, read=_KEY_RESOURCE)


@operation("api_key.project.create", "v1")
def create_project_api_key(project: str, *, title: str, scopes: Sequence[str]) -> Call[str]:
    """Create an API key for a project. The result is the key.

    :param scopes: Values of `PROJECT_SCOPES`.
    """
    payload = {"title": title, "scopes": _checked(scopes, PROJECT_SCOPES)}
    request = Envelope("projectapikey", "POST", uid=project, payload=payload)
    return Call(request=request, changes=True, repeatable=False, read=_TEXT)


@operation("api_key.project.list", "v1")
def list_project_api_keys(project: str) -> Call[list[ApiKeyRecord]]:
    """List the API keys of a project, including the secrets."""
    return Call(request=Envelope("projectapikey", "GET", uid=project), read=_records)


@operation("api_key.dataset.create", "v1")
def create_dataset_api_key(dataset: str, *, title: str, scopes: Sequence[str]) -> Call[ApiKeyRecord]:
    """Create an API key for a dataset.

    :param scopes: Values of `DATASET_SCOPES`.
    """
    payload = {"dataset_hash": dataset, "title": title, "scopes": _checked(scopes, DATASET_SCOPES)}
    request = Envelope("datasetapikey", "POST", payload=payload)
    return Call(request=request, changes=True, repeatable=False, read=lambda answer: _KEY(answer).record())


@operation("api_key.dataset.list", "v1")
def list_dataset_api_keys(dataset: str) -> Call[list[ApiKeyRecord]]:
    """List the API keys of a dataset, including the secrets."""
    return Call(request=Envelope("datasetapikey", "GET", payload={"dataset_hash": dataset}), read=_records)
