"""Airflow's API server in a process of its own, which tests talk to without a socket. Airflow 3 only.

A process of its own because the server of 3.1 puts stand-ins for flask and wtforms in `sys.modules`; a fork, because
to import the server takes long. It reads requests from its standard input and answers on its standard output, one JSON
text a line.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import secrets
import sys
import tempfile
import warnings
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from unittest import mock

from tests.forks.airflow_commands import SERVER
from tests.forks.client import ROOT, Forks

_MARK = "answer: "  # what else Airflow prints is not an answer


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the server answers.

    :param status: Of HTTP.
    :param content: The JSON, parsed.
    :param warnings: What Python warned of meanwhile, and names our package or connection forms.
    :param modules: Of our package, as far as the server has imported them by now.
    """

    status: int
    content: Any
    warnings: list[str]
    modules: list[str]


class ApiServer:
    """The running server, in which everybody is an administrator.

    :param forks: Of what it is a fork.
    """

    def __init__(self, forks: Forks) -> None:
        environment = {
            **os.environ,
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        }
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__; no one reads a pipe
        (asked, asking), (answering, answered) = os.pipe(), os.pipe()
        self._requests, self._answers = os.fdopen(asking, "w"), os.fdopen(answering)
        with os.fdopen(asked, "rb") as stdin, os.fdopen(answered, "wb") as stdout:
            self._program = forks.start(
                "tests.airflow_layer.api_server",
                [],
                environment=environment,
                directory=ROOT,
                files=(stdin, stdout, self._errors),
                modules=[SERVER],
            )

    def __enter__(self) -> ApiServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._program.kill()
        self._program.wait(10)
        for file in (self._requests, self._answers, self._errors):
            file.close()

    def send(self, method: str, path: str, content: Any = None, environment: Mapping[str, str] | None = None) -> Answer:
        """Send one request; must not be used from two threads.

        :param environment: More variables that the server has while it answers.
        """
        with contextlib.suppress(BrokenPipeError):  # it has ended: said below
            self._requests.write(json.dumps([method, path, content, {**(environment or {})}]) + "\n")
            self._requests.flush()
        for line in self._answers:
            if line.startswith(_MARK):
                return Answer(**json.loads(line.removeprefix(_MARK)))
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace")[-2000:]
        raise AssertionError(f"The API server ended with {self._program.wait(10)}:\n{said}")


def _serve() -> None:
    from airflow.api_fastapi.app import create_app
    from starlette.testclient import TestClient

    from tests.airflow_layer.masker import forget_masked_secrets

    with TestClient(create_app("core"), base_url="http://localhost") as client:
        token = client.get("/auth/token").json()["access_token"]
        for line in sys.stdin:
            method, path, content, environment = json.loads(line)
            forget_masked_secrets()
            with mock.patch.dict(os.environ, environment), warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                answer = client.request(method, path, json=content, headers={"Authorization": f"Bearer {token}"})
            said = [str(one.message) for one in caught]
            result = Answer(
                status=answer.status_code,
                content=answer.json() if answer.content else None,
                warnings=[text for text in said if "encord" in text.lower() or "conn" in text.lower()],
                modules=sorted(name for name in sys.modules if name.startswith("airflow_provider_encord")),
            )
            print(_MARK + json.dumps(dataclasses.asdict(result)), flush=True)


if __name__ == "__main__":
    _serve()
