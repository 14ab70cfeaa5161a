"""Airflow's own REST API, on whichever line of Airflow is installed: to store a connection, and to try one."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.airflow_layer.api_server import ApiServer
from tests.airflow_layer.lines import running_line


@dataclasses.dataclass(frozen=True)
class Answered:
    """What the API answered.

    :param status: Of HTTP.
    """

    status: int
    content: Any

    @property
    def verdict(self) -> tuple[bool, str]:
        """The result of a connection test."""
        assert self.status == 200, self.content
        return self.content["status"], self.content["message"]


class RestApi:
    """The API, with every permission.

    :param send: Sends method, path below the API's root, and JSON.
    """

    def __init__(self, send: Callable[[str, str, Mapping[str, Any] | None], Answered]) -> None:
        self._send = send

    def store(self, body: Mapping[str, Any]) -> None:
        """Store a new connection."""
        answered = self._send("POST", "connections", body)
        assert answered.status in (200, 201), answered.content

    def change(self, connection_id: str, **fields: Any) -> None:
        """Change fields of a stored connection."""
        shown = self._send("GET", f"connections/{connection_id}", None).content
        kept = {name: shown[name] for name in ("connection_id", "conn_type")}
        mask = "&".join(f"update_mask={name}" for name in fields)
        answered = self._send("PATCH", f"connections/{connection_id}?{mask}", kept | fields)
        assert answered.status == 200, answered.content

    def delete(self, connection_id: str) -> None:
        """Remove a stored connection."""
        self._send("DELETE", f"connections/{connection_id}", None)

    def test(self, body: Mapping[str, Any]) -> Answered:
        """Try a connection, as the Test button does."""
        return self._send("POST", "connections/test", body)


@contextlib.contextmanager
def rest_api(environment: Mapping[str, str] | None = None) -> Iterator[RestApi]:
    """The API of the Airflow that is installed here; it may try connections.

    :param environment: More variables of the process that it runs in.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__CORE__TEST_CONNECTION", "Enabled")
        for name, value in (environment or {}).items():
            patch.setenv(name, value)
        if running_line() == "2.11":
            yield RestApi(_in_this_process(patch))
            return
        with ApiServer() as server:

            def send(method: str, path: str, body: Mapping[str, Any] | None) -> Answered:
                answer = server.send(method, f"/api/v2/{path}", body)
                return Answered(answer.status, answer.content)

            yield RestApi(send)


def _in_this_process(patch: pytest.MonkeyPatch) -> Callable[[str, str, Mapping[str, Any] | None], Answered]:
    patch.setenv("AIRFLOW__API__AUTH_BACKENDS", "airflow.api.auth.backend.default")
    from airflow.www.app import create_app

    app = create_app(testing=True)
    app.config["AUTH_ROLE_PUBLIC"] = "Admin"
    client = app.test_client()

    def send(method: str, path: str, body: Mapping[str, Any] | None) -> Answered:
        answer = client.open(f"/api/v1/{path}", method=method, json=body)
        return Answered(answer.status_code, answer.get_json(silent=True))

    return send
