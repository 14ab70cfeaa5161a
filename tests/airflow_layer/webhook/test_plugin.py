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

pytestmark = [pytest.mark.airflow, pytest.mark.system]
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
# The API server reads its configuration once. Each is a fork of a process that has imported it, which takes longest.
SERVE = """
import json, os, sys
from airflow.api_fastapi.app import create_app
from starlette.testclient import TestClient

asked = json.load(sys.stdin)
for name, variables in asked["settings"].items():
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        continue
    os.environ.update(variables)
    print("log of:", name, flush=True)
    with TestClient(create_app("core"), base_url="http://localhost") as client:
        answer = client.post("/encord/webhook", content=asked["body"].encode(), headers=asked["headers"])
    print("answer:", json.dumps(answer.status_code), flush=True)
    os._exit(0)
"""
SETTINGS: dict[str, dict[str, str]] = {
    "nothing": {},
    "only projects": {PROJECTS: PROJECT},
    "empty secrets": {SECRETS: " , "},
    "a project that is none": {SECRETS: KEY, PROJECTS: "no-id"},
    "secrets and a project": {SECRETS: f"other,{KEY}", PROJECTS: PROJECT},
}


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


@pytest.fixture(scope="module")
def served(airflow_database: None) -> dict[str, str]:
    """What the API server logged, and its answer to a delivery, with each of the settings."""
    body = body_of(work(project=PROJECT[:-1] + "9"))
    asked = {"body": body.decode(), "headers": headers_of(body, secret=KEY), "settings": SETTINGS}
    done = subprocess.run(
        [sys.executable, "-c", SERVE],
        input=json.dumps(asked),
        env={**os.environ, "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
    parts = [part.partition("\n") for part in done.stdout.split("log of: ")[1:]]
    return {name: log for name, _, log in parts}


@needs_apps
@pytest.mark.parametrize("name", SETTINGS)
def test_the_api_server_has_the_receiver_only_if_it_is_configured(served: dict[str, str], name: str) -> None:
    log, _, answer = served[name].rpartition("answer: ")
    expected = (200,) if name == "secrets and a project" else (404, 405)
    assert json.loads(answer) in expected, served[name][-2000:]
    said = "[encord] webhook_projects: 'no-id' is not an id" in log
    assert said is (name == "a project that is none")


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
