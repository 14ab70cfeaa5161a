"""The plugin and its configuration: off unless there are secrets, and cheap in every process."""

from __future__ import annotations

import json
import logging
import os
import secrets
import subprocess
import sys

import pytest

from tests.airflow_layer.commands import airflow_command, run_program
from tests.airflow_layer.lines import running_line
from tests.webhook.signed import PROJECT, SECRET, body_of, headers_of, work

pytestmark = pytest.mark.airflow
KEY = SECRET.replace(" ", "-")
SECRETS = "AIRFLOW__ENCORD__WEBHOOK_SECRETS"
PROJECTS = "AIRFLOW__ENCORD__WEBHOOK_PROJECTS"
needs_apps = pytest.mark.skipif(running_line() == "2.11", reason="Airflow 2 has no apps of plugins")
OPTIONS = (
    "webhook_secrets",
    "webhook_projects",
    "webhook_max_body_bytes",
    "webhook_tolerance_seconds",
    "webhook_conn_id",
)
LOADED = """
import json, sys
from importlib.metadata import entry_points
(entry,) = [one for one in entry_points(group="airflow.plugins") if one.name == "encord_webhook"]
import airflow.plugins_manager
before = set(sys.modules)
plugin = entry.load()()
print("answer:", json.dumps(sorted(set(sys.modules) - before)))
"""
SERVE = """
import json, sys
from airflow.api_fastapi.app import create_app
from starlette.testclient import TestClient
asked = json.load(sys.stdin)
with TestClient(create_app("core"), base_url="http://localhost") as client:
    answer = client.post("/encord/webhook", content=asked["body"].encode(), headers=asked["headers"])
    print("answer:", json.dumps([answer.status_code, answer.text]))
"""


def test_airflow_lists_the_options() -> None:
    listed = airflow_command("config", "list", "--section", "encord")
    for option in OPTIONS:
        assert option in listed


def test_the_secrets_can_come_from_a_command() -> None:
    value = airflow_command(
        "config", "get-value", "encord", "webhook_secrets", **{f"{SECRETS}_CMD": f"echo '{SECRET}'"}
    )
    assert SECRET in value


def test_loading_the_plugin_imports_nothing_else() -> None:
    printed = run_program(sys.executable, "-c", LOADED, **{SECRETS: SECRET})
    imported = json.loads(printed.rpartition("answer: ")[2])
    ours = {"airflow_provider_encord", "airflow_provider_encord.webhook", "airflow_provider_encord.webhook.plugin"}
    assert {name for name in imported if name.startswith("airflow_provider_encord")} <= ours
    assert not {"fastapi", "httpx", "msgspec"} & set(imported)


@needs_apps
@pytest.mark.parametrize(
    ("variables", "status"),
    [
        ({}, (404, 405)),
        ({PROJECTS: PROJECT}, (404, 405)),
        ({SECRETS: " , "}, (404, 405)),
        ({SECRETS: KEY, PROJECTS: "no-id"}, (404, 405)),
        ({SECRETS: f"other,{KEY}", PROJECTS: PROJECT}, (200,)),
    ],
)
def test_the_api_server_has_the_receiver_only_if_it_is_configured(
    airflow_database: None, variables: dict[str, str], status: tuple[int, ...]
) -> None:
    body = body_of(work(project=PROJECT[:-1] + "9"))
    headers = headers_of(body, secret=KEY)
    done = subprocess.run(
        [sys.executable, "-c", SERVE],
        input=json.dumps({"body": body.decode(), "headers": headers}),
        env={**os.environ, "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32), **variables},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert "answer: " in done.stdout, done.stderr[-2000:]
    answer = json.loads(done.stdout.rpartition("answer: ")[2])
    assert answer[0] in status, answer
    if variables.get(PROJECTS) == "no-id":
        assert "[encord] webhook_projects: 'no-id' is not an id" in done.stdout + done.stderr


@needs_apps
def test_settings_are_read_and_checked(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    from airflow_provider_encord.webhook.settings import SettingsError, read_settings

    assert read_settings() is None
    monkeypatch.setenv(SECRETS, "first-secret,\n second-secret  third-secret")
    with caplog.at_level(logging.WARNING):
        settings = read_settings()
    assert settings is not None
    assert settings.secrets == ("first-secret", "second-secret", "third-secret")
    assert "first-secret" not in repr(settings)
    assert (settings.max_body_bytes, settings.tolerance_seconds, settings.encord_conn_id) == (2**20, 300, None)
    assert "webhook_projects is empty" in caplog.text
    monkeypatch.setenv(PROJECTS, f"{PROJECT.upper()} {PROJECT}")
    again = read_settings()
    assert again is not None
    assert again.project_ids == {PROJECT}
    for option, value in (("MAX_BODY_BYTES", "0"), ("TOLERANCE_SECONDS", "5m"), ("PROJECTS", "x")):
        with monkeypatch.context() as patch:
            patch.setenv(f"AIRFLOW__ENCORD__WEBHOOK_{option}", value)
            with pytest.raises(SettingsError, match=option.lower()):
                read_settings()
