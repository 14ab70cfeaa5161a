"""Airflow's API server in a process of its own, which tests talk to without a socket. Airflow 3 only.

A process of its own because the server of 3.1 puts stand-ins for flask and wtforms in `sys.modules`. It reads requests
from its standard input and answers on its standard output, one JSON text a line.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import secrets
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from unittest import mock

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
    """The running server, in which everybody is an administrator."""

    def __init__(self) -> None:
        environment = {
            **os.environ,
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        }
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in __exit__; no one reads a pipe
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=environment,
        )

    def __enter__(self) -> ApiServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def send(self, method: str, path: str, content: Any = None, environment: Mapping[str, str] | None = None) -> Answer:
        """Send one request; must not be used from two threads.

        :param environment: More variables that the server has while it answers.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended: said below
            stdin.write(json.dumps([method, path, content, {**(environment or {})}]) + "\n")
            stdin.flush()
        for line in stdout:
            if line.startswith(_MARK):
                return Answer(**json.loads(line.removeprefix(_MARK)))
        self._errors.seek(0)
        raise AssertionError(f"The API server ended with {self._process.wait(10)}:\n{self._errors.read()[-2000:]}")


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
