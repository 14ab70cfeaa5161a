"""Speaking to a running emulator without any client of ours: plain HTTP, signed by hand."""

import dataclasses
import http.client
import json
import urllib.parse
from typing import Any

from tests.wire.signing import Key


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


class Server:
    """A running emulator, spoken to without any client of ours."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._address = urllib.parse.urlsplit(url).netloc

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes | None) -> Answer:
        connection = http.client.HTTPConnection(self._address, timeout=60)
        try:
            connection.request(method, target, body=body, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, dict(response.headers), response.read())
        finally:
            connection.close()

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """One of the emulator's own controls; anything but success fails the test."""
        content = None if body is None else json.dumps(body).encode()
        answer = self.send(method, f"/_emulator/{path}", {"Content-Type": "application/json"}, content)
        assert answer.status == 200, answer
        return answer.json()


class User:
    """Someone with a registered key, who speaks both APIs."""

    def __init__(self, server: Server, email: str) -> None:
        self.server, self.email, self.key = server, email, Key()
        server.control("POST", "users", {"email": email, "public_key": self.key.public_openssh})

    def v1(
        self, query_type: str, verb: str, uid: Any, payload: Any, project: str | None = None, dataset: str | None = None
    ) -> Any:
        """One query, at user scope or about a project or dataset; the result, unwrapped."""
        envelope = {"query_type": query_type, "query_method": verb, "values": {"uid": uid, "payload": payload}}
        body = json.dumps(envelope).encode()
        kind = "project" if project else "dataset" if dataset else ""
        resource = {"ResourceType": kind, "ResourceID": project or dataset or ""}
        answer = self.server.send(
            "POST",
            "/public" if kind else "/public/user",
            {"Content-Type": "application/json", **resource, **self.key.sign_v1(body)},
            body,
        )
        assert answer.json()["status"] == 200, answer
        return answer.json()["response"]

    def v2(self, method: str, target: str, body: Any = None) -> Any:
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if content else {}
        answer = self.server.send(method, target, {**headers, **self.key.sign_v2(method, target, content)}, content)
        assert answer.status == 200, answer
        return answer.json()
