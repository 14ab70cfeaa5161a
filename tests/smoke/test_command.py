"""``python -m airflow_provider_encord.smoke``: connections in, report and exit status out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.smoke.__main__ import main
from tests.airflow_layer.bench import API_KEY_CONNECTION, SSH_CONNECTION, connection
from tests.client import keys
from tests.client.scripted_server import closed_port
from tests.smoke.changed_answers import changed_answers, path
from tests.smoke.conftest import EMAIL, PROJECT_TITLE, World

CHECKOUT = Path(__file__).parents[2]


def test_with_both_connections_it_prints_one_report_and_writes_the_same_to_a_file(world: World, tmp_path: Path) -> None:
    variables = {
        SSH_CONNECTION: world.account.connection(),
        API_KEY_CONNECTION: world.account.api_key_connection(world.project),
        "HOME": str(tmp_path / "home"),
    }
    world.emulator.clear_journal()
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "airflow_provider_encord.smoke",
            "--project-id",
            world.project,
            "--output",
            str(tmp_path / "report.md"),
        ],
        cwd=CHECKOUT,
        env={name: value for name, value in os.environ.items() if name != "AIRFLOW_HOME"} | variables,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    journal = world.emulator.journal()
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("# Encord smoke report\n")
    assert done.stdout == (tmp_path / "report.md").read_text()
    assert "- SSH key at other host\n- API key at other host, of a project\n" in done.stdout
    assert f"\n- {len(journal)} requests, all of them reads" in done.stdout
    assert "Sending at most 160 requests, all of them reads" in done.stderr
    assert not [entry for entry in journal if entry["changes"]]
    assert {entry["credential"].partition(":")[0] for entry in journal} == {"ssh", "api_key"}
    assert PROJECT_TITLE not in done.stdout + done.stderr
    assert not (tmp_path / "home").exists(), "Airflow made itself at home"


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str, **connections: str
) -> Any:
    for name, value in connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", value)
    code = main(arguments)
    return code, *capsys.readouterr()


@pytest.mark.parametrize("kind", ["project", "dataset"])
def test_one_connection_with_an_api_key_is_enough(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    resource = world.project if kind == "project" else world.dataset
    mine = world.account.api_key_connection(resource, kind)
    code, report, _ = run(monkeypatch, capsys, "--encord-conn-id", "mine", mine=mine)
    assert code == 0
    assert f"- API key at other host, of a {kind}" in report
    assert (
        "| Encord still accepts API keys, which its SDK dropped in November 2024. (api-keys-accepted) | 2.3 | held |"
        in report
    )


def test_a_fact_that_does_not_hold_gives_exit_status_3(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def teapot(received: Any, status: int, content: Any) -> tuple[int, Any]:
        return 418 if status == 404 else status, content

    with changed_answers(world.emulator.url, teapot) as url:
        mine = connection(url, private_key=world.account.private_key)
        code, report, _ = run(monkeypatch, capsys, "--encord-conn-id", "mine", mine=mine)
    assert (code, "(missing-v2) | 3 | **did not hold** |" in report) == (3, True)
    assert report.endswith("\n**An answer was not as expected.**\n- fact missing-v2\n")


def test_an_answer_that_cannot_be_read_gives_exit_status_3(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_name(received: Any, status: int, content: Any) -> tuple[int, Any]:
        if path(received).endswith("/branches"):
            content["results"] = [{}]
        return status, content

    with changed_answers(world.emulator.url, no_name) as url:
        mine = connection(url, private_key=world.account.private_key)
        code, report, _ = run(monkeypatch, capsys, encord_default=mine)
    assert (code, "not readable, Object missing required field `name`" in report) == (3, True)
    assert report.endswith("\n**An answer was not as expected.**\n- read project.list_branches (v2)\n")


def test_a_missing_permission_is_as_expected(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def forbid(received: Any, status: int, content: Any) -> tuple[int, Any]:
        return (403, {"message": "no"}) if path(received) == "organisation/users" else (status, content)

    with changed_answers(world.emulator.url, forbid) as url:
        mine = connection(url, private_key=world.account.private_key)
        code, report, _ = run(monkeypatch, capsys, encord_default=mine)
    assert (code, "1 refused, 0 not readable, 0 failed, 0 not sent" in report) == (0, True)


def test_with_json_the_report_is_json_on_standard_output_and_in_the_file(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "report.json"
    code, report, _ = run(
        monkeypatch, capsys, "--json", "--output", str(file), encord_default=world.account.connection()
    )
    assert (code, json.loads(report)["schema_version"], file.read_text()) == (0, 1, report)


def test_with_json_a_connection_that_does_not_work_is_an_error_in_json(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = connection(world.emulator.url, private_key=keys.openssh(keys.new_key()))
    code, report, _ = run(monkeypatch, capsys, "--json", encord_default=mine)
    content = json.loads(report)
    assert (code, sorted(content)) == (1, ["connections", "error", "schema_version", "versions"])
    assert content["connections"] == [{"credential": "ssh_key", "host": "other host", "key_of": None}]
    assert "does not accept the SSH key" in content["error"]
    assert "127.0.0.1" not in report


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("unknown key", "does not accept the SSH key"),
        ("no key", "The connection has no credential"),
        ("no server", "refuse"),
        ("no connection", "encord_default"),
        ("not Encord", "HTTP 404"),
        ("another API", "answer"),
        ("another's api key", "API key"),
    ],
)
def test_a_connection_that_does_not_work_says_why(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], what: str, says: str
) -> None:
    def web_page(received: Any, status: int, content: Any) -> tuple[int, Any]:
        return 404, {"detail": "Not Found"}

    def other_api(received: Any, status: int, content: Any) -> tuple[int, Any]:
        return 200, {"cats": ["Tom"]}

    key = world.account.private_key
    with (
        changed_answers(world.emulator.url, web_page) as elsewhere,
        changed_answers(world.emulator.url, other_api) as other,
        closed_port() as port,
    ):
        connections = {
            "unknown key": connection(world.emulator.url, private_key=keys.openssh(keys.new_key())),
            "no key": connection(world.emulator.url),
            "no server": connection(f"http://127.0.0.1:{port}", private_key=key),
            "not Encord": connection(elsewhere, private_key=key),
            "another API": connection(other, private_key=key),
            "another's api key": connection(
                world.emulator.url, api_key=world.account.api_key(world.project), resource_id=world.dataset
            ),
        }
        mine = {"encord_default": connections[what]} if what in connections else {}
        code, report, result = run(monkeypatch, capsys, **mine)
    assert code == 1
    assert "**The connection does not work.** Nothing else was tried." in report
    assert says in report
    assert says in result
    assert not [secret for secret in (EMAIL, "127.0.0.1", world.dataset, key.splitlines()[2]) if secret in report]


def test_the_report_names_encords_own_host_and_no_proxy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with closed_port() as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://waltraud:hunter2@127.0.0.1:{port}")
        mine = connection("api.us.encord.com", private_key=keys.openssh(keys.new_key()))
        code, report, result = run(monkeypatch, capsys, encord_default=mine)
    assert (code, "- SSH key at api.us.encord.com (US region)\n" in report) == (1, True)
    assert not re.search("waltraud|hunter2|127", report)
    assert "hunter2" not in result


def test_a_connection_that_does_not_work_ends_the_run_before_any_read(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = world.account.connection(), connection(world.emulator.url)
    code, _, result = run(
        monkeypatch, capsys, "--encord-conn-id", "good", "--encord-conn-id", "bad", good=good, bad=bad
    )
    assert (code, "Connection bad: " in result, world.emulator.journal()) == (1, True, [])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--project-id", "Zebra"], "argument --project-id: expected an id"),
        (["--dataset-id", ""], "argument --dataset-id: expected an id"),
        (["--output", "/nowhere/at/all.md"], "argument --output: the directory of this file does not exist"),
        (["--output", "/"], "argument --output: expected a file, not a directory"),
        (["--write"], "unrecognized arguments"),
    ],
)
def test_a_wrong_option_is_named_with_the_reason(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert (ended.value.code, says in capsys.readouterr().err) == (2, True)


def test_a_file_that_cannot_be_written_does_not_lose_the_report(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report, result = run(
        monkeypatch, capsys, "--output", "/proc/report.md", encord_default=world.account.connection()
    )
    assert (
        code,
        report.startswith("# Encord smoke report"),
        "--output: /proc/report.md could not be written" in result,
    ) == (
        2,
        True,
        True,
    )
