"""The recorded vectors, for replaying them against the client.

A vector belongs to an operation by the name in it, up to the first bracket, and by the API of its first request; the
name of its file means nothing. Flows (an upload) hold several exchanges, each with an operation of its own.
"""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from pathlib import Path
from typing import Any

from airflow_provider_encord.client.credentials import ApiKey, Credential, SshKey
from tests.wire.subjects.reading import Key

FOLDER = Path(__file__).with_name("vectors")


@dataclasses.dataclass(frozen=True)
class Exchange:
    """A request and its answer.

    :param vector: Name of the file, for messages.
    :param number: Its place in the vector, from 0.
    :param last: Whether it is the last one.
    """

    vector: Vector
    number: int
    request: dict[str, Any]
    response: dict[str, Any]

    @property
    def last(self) -> bool:
        return self.number == len(self.vector.exchanges) - 1

    @property
    def label(self) -> str:
        return f"{self.vector.name}-{self.number}"

    @property
    def to_object_store(self) -> bool:
        return "url" in self.request

    @property
    def json(self) -> Any:
        """The answer's body as JSON; None if it has none, or is a text."""
        return self.response.get("json")

    @property
    def body(self) -> bytes:
        """The answer's body as bytes."""
        if "text" in self.response:
            return str(self.response["text"]).encode()
        if self.response["status"] == 204 or self.to_object_store:
            return b""
        return json.dumps(self.response["json"]).encode()

    @property
    def credential(self) -> Credential:
        """A credential of the kind that the request was sent with."""
        headers = self.request["headers"]
        if self.vector.auth == "ssh":
            return ssh_key()
        return ApiKey(headers["Authorization"], headers["ResourceID"])


@dataclasses.dataclass(frozen=True)
class Vector:
    """One file.

    :param operation: Name of the operation.
    :param parsed: What the SDK made of the answers; None if it gives nothing back, or raised.
    :param raises: The SDK's exception, or None.
    """

    name: str
    operation: str
    sdk_version: str
    auth: str
    exchanges: list[Exchange]
    parsed: Any
    raises: dict[str, Any] | None

    @property
    def api(self) -> str:
        return "v2" if self.exchanges[0].request["path"].startswith("/v2/") else "v1"

    @property
    def key(self) -> Key:
        return self.operation, self.api


@cache
def vectors() -> tuple[Vector, ...]:
    """Every vector of an operation, an error or a retry; those of signing and key loading have no operation."""
    contents = ((path.stem, json.loads(path.read_text())) for path in sorted(FOLDER.glob("*.json")))
    return tuple(_vector(name, content) for name, content in contents if "operation" in content)


def vector(name: str) -> Vector:
    return next(one for one in vectors() if one.name == name)


def _vector(name: str, content: dict[str, Any]) -> Vector:
    exchanges: list[Exchange] = []
    found = Vector(
        name=name,
        operation=content["operation"].split(" (")[0],
        sdk_version=content["sdk_version"],
        auth=content["auth"],
        exchanges=exchanges,
        parsed=content.get("parsed"),
        raises=content.get("raises"),
    )
    for number, one in enumerate(content.get("exchanges") or [content]):
        exchanges.append(Exchange(found, number, one["request"], one["response"]))
    return found


@cache
def ssh_key() -> SshKey:
    """The key that the ``auth-...`` vectors were signed with."""
    return SshKey.parse(json.loads((FOLDER / "auth-keys.json").read_text())["private_openssh_pem"])
