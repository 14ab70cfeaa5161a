"""Airflow's own REST API, on whichever line of Airflow is installed: to store a connection, and to try one."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

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


Send = Callable[[str, str, Mapping[str, Any] | None], Answered]


class RestApi:
    """The API, with every permission.

    :param send: Sends method, path below the API's root, and JSON.
    :param under: Gives the process that answers more variables, for a while.
    """

    def __init__(self, send: Send, under: Callable[[Mapping[str, str]], AbstractContextManager[None]]) -> None:
        self._send, self.under = send, under

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
def rest_api() -> Iterator[RestApi]:
    """The API of the Airflow that is installed here; it may try connections."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__CORE__TEST_CONNECTION", "Enabled")
        if running_line() == "2.11":
            yield _in_this_process(patch)
            return
        with ApiServer() as server:
            yield _in_a_process_of_its_own(server)


def _in_a_process_of_its_own(server: ApiServer) -> RestApi:
    variables: dict[str, str] = {}

    def send(method: str, path: str, body: Mapping[str, Any] | None) -> Answered:
        answer = server.send(method, f"/api/v2/{path}", body, variables)
        return Answered(answer.status, answer.content)

    @contextlib.contextmanager
    def under(environment: Mapping[str, str]) -> Iterator[None]:
        variables.update(environment)
        try:
            yield
        finally:
            variables.clear()

    return RestApi(send, under)


def _in_this_process(patch: pytest.MonkeyPatch) -> RestApi:
    patch.setenv("AIRFLOW__API__AUTH_BACKENDS", "airflow.api.auth.backend.default")
    from airflow.www.app import create_app

    app = create_app(testing=True)
    app.config["AUTH_ROLE_PUBLIC"] = "Admin"
    client = app.test_client()

    def send(method: str, path: str, body: Mapping[str, Any] | None) -> Answered:
        answer = client.open(f"/api/v1/{path}", method=method, json=body)
        return Answered(answer.status_code, answer.get_json(silent=True))

    @contextlib.contextmanager
    def under(environment: Mapping[str, str]) -> Iterator[None]:
        with mock.patch.dict(os.environ, environment):
            yield

    return RestApi(send, under)
