"""Each broken connection is explained: by the hook, by ``airflow connections test``, and by the REST API.

The table of what can be broken is in `broken_connections`; the form in a browser is tried with the same table.
"""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.hooks.encord import EncordHook
from tests.airflow_layer.bench import SSH_CONNECTION, Account
from tests.airflow_layer.breaking_connections import Around, Broken
from tests.airflow_layer.broken_connections import CASES, Case
from tests.airflow_layer.lines import running_line
from tests.airflow_layer.rest_api import RestApi, rest_api
from tests.client import keys
from tests.client.scripted_server import answer

LONGEST = 400  # characters: what a toast shows at a glance
NOBODY = 65534  # user id
MASK = "***"
MASK_OF_THE_FORM_OF_2_11 = "RATHER_LONG_SENSITIVE_FIELD_PLACEHOLDER"
POSTS_PORT_0 = version("apache-airflow") in ("3.3.1", "3.3.2")
"""Airflow's own bug apache/airflow#73298: its form sends port 0 for none, and its API takes that for another host."""

pytestmark = pytest.mark.usefixtures("airflow_database")
each_case = pytest.mark.parametrize("case", [one for one in CASES if not one.hook_only], ids=lambda case: case.name)


@pytest.fixture
def around(account: Account, tmp_path: Path) -> Iterator[Around]:
    with Around(account, tmp_path) as around:
        yield around


@pytest.fixture(scope="module")
def api(airflow_database: None) -> Iterator[RestApi]:
    with rest_api() as api:
        yield api


def _set(environment: Mapping[str, str], patch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        patch.setenv(name, value)


def _assert_explains(case: Case, broken: Broken, said: str) -> None:
    assert [words for words in case.says if words not in said] == [], f"{case.name}: {said}"
    assert [words for words in case.never if words in said] == [], f"{case.name}: {said}"
    assert [secret for secret in broken.secrets() if secret in said] == [], case.name


# The hook


@contextlib.contextmanager
def _not_root() -> Iterator[None]:
    """Root may read every file."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def _told_by_hook(broken: Broken) -> tuple[bool, str]:
    with pytest.MonkeyPatch.context() as patch, _not_root() if broken.not_root else contextlib.nullcontext():
        _set(broken.environment, patch)
        patch.setenv(SSH_CONNECTION, broken.as_variable())
        return EncordHook().test_connection()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_hook_explains_it_in_words_that_fit_no_other_case(case: Case, around: Around) -> None:
    broken = case.make(around)
    works, message = _told_by_hook(broken)

    assert not works
    _assert_explains(case, broken, message)
    assert [one.name for one in CASES if all(words in message for words in one.says)] == [case.name]
    assert len(message) <= LONGEST, message
    assert not message.endswith("..."), message  # it was cut


def test_a_message_that_is_too_long_is_cut_behind_the_advice(around: Around) -> None:
    talkative = around.server(answer(400, json={"message": "because " * 200}))
    works, message = _told_by_hook(around.ssh(talkative.url))

    assert not works
    assert message.startswith("Encord does not accept the arguments.")
    assert len(message) == LONGEST
    assert message.endswith("...")


# The command line


def _told_by_command_line(
    capsys: pytest.CaptureFixture[str], connection_id: str = "encord_default"
) -> tuple[bool, str]:
    """What ``airflow connections test`` prints, with blanks for line ends."""
    from airflow.cli.cli_parser import get_parser

    command = get_parser().parse_args(["connections", "test", connection_id])
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(SystemExit):
        patch.setenv("AIRFLOW__CORE__TEST_CONNECTION", "Enabled")
        patch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")  # the command sets it, and it must not stay
        command.func(command)
    printed = " ".join(capsys.readouterr().out.split())
    return "Connection success!" in printed, printed


@each_case
def test_the_command_line_explains_it(
    case: Case, around: Around, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = case.make(around)
    _set(broken.environment, monkeypatch)
    monkeypatch.setenv(SSH_CONNECTION, broken.as_variable())
    works, printed = _told_by_command_line(capsys)

    assert not works
    _assert_explains(case, broken, printed)


def test_the_command_line_prints_what_a_server_says_in_square_brackets(
    around: Around, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints messages as markup: this one would be a style that was not opened, and an error."""
    odd = around.server(answer(400, json={"message": "no [/such] [thing]"}))
    monkeypatch.setenv(SSH_CONNECTION, around.ssh(odd.url).as_variable())
    works, printed = _told_by_command_line(capsys)

    assert not works
    assert "no (/such) (thing)" in printed


# The REST API


@each_case
def test_the_rest_api_explains_it(case: Case, around: Around, api: RestApi) -> None:
    broken = case.make(around)
    with api.under(broken.environment):
        works, message = api.test(broken.body("not_stored_yet")).verdict

    assert not works
    _assert_explains(case, broken, message)


def test_every_way_of_trying_accepts_a_connection_that_works(
    account: Account, api: RestApi, around: Around, capsys: pytest.CaptureFixture[str]
) -> None:
    works, message = _told_by_hook(around.ssh())

    assert works, message
    assert _told_by_command_line(capsys)[0]
    assert api.test(around.ssh().body()).verdict == (True, message)


# A stored connection, whose secrets Airflow hides


@pytest.fixture
def stored(api: RestApi, around: Around) -> Iterator[dict[str, Any]]:
    """A connection that works, stored without a port; as the REST API takes it."""
    body = around.ssh().body(f"encord_{uuid.uuid4().hex[:12]}")
    api.store(body)
    yield body
    api.delete(body["connection_id"])


def _as_the_form_sends_it(body: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
    mask = MASK_OF_THE_FORM_OF_2_11 if running_line() == "2.11" else MASK
    return {**body, "extra": json.dumps({"private_key": mask}), **changed}


@pytest.mark.skipif(
    running_line() == "2.11", reason="Airflow 2.11 tests what the form holds, without the stored secrets"
)
def test_a_stored_key_is_tested_though_the_form_hides_it(api: RestApi, stored: dict[str, Any]) -> None:
    works, message = api.test(_as_the_form_sends_it(stored)).verdict

    assert works, message


@pytest.mark.skipif(running_line() != "2.11", reason="newer lines fill in the stored secrets")
def test_the_test_button_of_2_11_does_not_send_a_stored_key_and_the_message_shows_the_way_round(
    api: RestApi, stored: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    works, message = api.test(_as_the_form_sends_it(stored)).verdict

    assert not works
    assert "private_key: this is Airflow's mask" in message
    assert "`airflow connections test CONNECTION_ID`" in message
    assert _told_by_command_line(capsys, stored["connection_id"])[0]


@pytest.mark.skipif(running_line() == "2.11", reason="the form of Airflow 2.11 sends no port 0")
def test_the_known_bug_of_the_test_button_with_an_empty_port_and_the_ways_round_it(
    api: RestApi, stored: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Airflow 3.3.1 and 3.3.2 refuse what their own form sends; this package is not asked."""
    pressed = api.test(_as_the_form_sends_it(stored, port=0))
    if not POSTS_PORT_0:
        assert pressed.verdict[0], pressed.content
        return
    assert pressed.status == 400
    assert pressed.content["detail"] == (
        "The host or port to test differs from the stored connection. "
        "Include the credentials to test in the request body."
    )

    assert _told_by_command_line(capsys, stored["connection_id"])[0]
    host, _, port = stored["host"].rpartition(":")
    api.change(stored["connection_id"], host=host, port=int(port))
    works, message = api.test(_as_the_form_sends_it(stored, host=host, port=int(port))).verdict
    assert works, message


@pytest.mark.parametrize("key", [MASK, keys.openssh(keys.new_key())], ids=["the hidden key", "a new key"])
@pytest.mark.skipif(not POSTS_PORT_0, reason="only these versions compare the host")
def test_a_host_that_was_edited_is_not_tested_before_it_is_saved(
    key: str, api: RestApi, stored: dict[str, Any]
) -> None:
    """Airflow 3.3.1 and 3.3.2 want a password with it, which this type of connection does not have."""
    edited = {**stored, "host": "https://api.us.encord.com", "extra": json.dumps({"private_key": key})}
    pressed = api.test(edited)

    assert pressed.status == 400
    assert "differs from the stored connection" in pressed.content["detail"]


@pytest.mark.parametrize("way", ["unregistered", "mask"])
def test_the_command_line_explains_a_stored_connection(
    way: str, api: RestApi, around: Around, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = around.key(MASK if way == "mask" else keys.openssh(keys.new_key()))
    body = broken.body(f"encord_{uuid.uuid4().hex[:12]}")
    api.store(body)
    works, printed = _told_by_command_line(capsys, body["connection_id"])
    api.delete(body["connection_id"])

    assert not works
    assert ("this is Airflow's mask" if way == "mask" else "Register its public half") in printed
    assert [secret for secret in broken.secrets() if secret in printed] == []
