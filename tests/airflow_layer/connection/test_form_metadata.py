"""The connection form of Airflow 3, which the browser draws from what the API server returns and saves through its API.

The server of 3.1 asks the hook's class methods for the fields; newer ones read them from the provider info. What a
browser does with them is seen in `tests/e2e`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_encord.get_provider_info import CONNECTION_FIELDS, FIELD_BEHAVIOUR, HOOK_CLASS
from airflow_provider_encord.hooks.encord import EncordHook
from tests.airflow_layer.api_server import Answer, ApiServer
from tests.airflow_layer.bench import Account
from tests.airflow_layer.lines import FEATURES, running_line
from tests.client import keys

LINE = running_line()
pytestmark = [
    pytest.mark.skipif(LINE == "2.11", reason="Airflow 2.11 has no API server; its form is in test_form.py"),
    pytest.mark.usefixtures("airflow_database"),
]
FROM_METADATA = FEATURES["conn-fields"].on(LINE)
WITHOUT_HOOK = FEATURES["form without hook"].on(LINE)
PASSPHRASE = 'open "sesame", <100%> & so on'
MASK = "***"


@pytest.fixture(scope="module")
def server(airflow_database: None) -> Iterator[ApiServer]:
    with ApiServer() as server:
        yield server


@pytest.fixture(scope="module")
def metadata(server: ApiServer) -> Answer:
    """What a browser learns when it opens the form."""
    answer = server.send("GET", "/ui/connections/hook_meta")
    assert answer.status == 200, answer.content
    return answer


@pytest.fixture(scope="module")
def form(metadata: Answer) -> dict[str, Any]:
    """What it learns of ours."""
    (form,) = [one for one in metadata.content if one["connection_type"] == "encord"]
    return dict(form)


def test_encord_can_be_chosen_under_its_name(form: dict[str, Any]) -> None:
    assert (form["hook_name"], form["hook_class_name"]) == ("Encord", HOOK_CLASS)


def test_every_field_is_there_in_order_with_its_label_and_its_help(form: dict[str, Any]) -> None:
    shown = {name: (one["schema"]["title"], one["description"]) for name, one in form["extra_fields"].items()}

    assert list(shown.items()) == [
        (name, (field["label"], field["description"])) for name, field in CONNECTION_FIELDS.items()
    ]


def test_the_standard_fields_are_hidden_renamed_and_explained(form: dict[str, Any]) -> None:
    standard = {name: one for name, one in form["standard_fields"].items() if one is not None}
    hidden = {name.removeprefix("url_") for name, one in standard.items() if one["hidden"]}

    assert hidden == set(FIELD_BEHAVIOUR["hidden-fields"])
    assert standard["host"]["title"] == FIELD_BEHAVIOUR["relabeling"]["host"]
    assert standard["host"]["placeholder"] == FIELD_BEHAVIOUR["placeholders"]["host"]
    assert "port" not in hidden


@pytest.mark.skipif(not FROM_METADATA, reason="before 3.2 the form is not built from metadata")
def test_the_schema_of_every_field_is_that_of_the_provider_info(form: dict[str, Any]) -> None:
    schemas = {name: one["schema"] for name, one in form["extra_fields"].items()}

    assert schemas == {name: {**field["schema"], "title": field["label"]} for name, field in CONNECTION_FIELDS.items()}


KINDS_OF_THE_CLASS_METHODS = {
    "auth_method": {"type": ["string", "null"], "enum": ["ssh_key", "api_key"]},
    "private_key": {"type": ["string", "null"], "format": "password"},
    "private_key_passphrase": {"type": ["string", "null"], "format": "password"},
    "api_key": {"type": ["string", "null"], "format": "password"},
    "allow_http": {"type": ["boolean", "null"]},
}


@pytest.mark.skipif(FROM_METADATA, reason="from 3.2 on the form is built from metadata")
def test_without_metadata_the_class_methods_give_the_same_fields_with_simpler_boxes(form: dict[str, Any]) -> None:
    schemas = {name: {**one["schema"]} for name, one in form["extra_fields"].items()}
    for schema in schemas.values():
        del schema["title"]

    text = {"type": ["string", "null"]}
    assert schemas == {name: KINDS_OF_THE_CLASS_METHODS.get(name, text) for name in CONNECTION_FIELDS}


def test_the_server_imports_no_more_of_the_package_than_it_needs(metadata: Answer) -> None:
    imported = {name for name in metadata.modules if ".hooks." in name}

    hook, form = "airflow_provider_encord.hooks.encord", "airflow_provider_encord.hooks.form"
    plugin = (
        set() if LINE == "2.11" else {"airflow_provider_encord.hooks.history"}
    )  # whether there are pages of projects
    if WITHOUT_HOOK:
        assert imported == plugin
    else:
        assert imported == plugin | ({hook} if FROM_METADATA else {hook, form})


def test_nothing_is_deprecated_about_how_the_form_is_described(metadata: Answer) -> None:
    assert [text for text in metadata.warnings if "deprecat" in text.lower()] == []


@pytest.mark.usefixtures("airflow_database")
@pytest.mark.skipif(not FROM_METADATA, reason="before 3.2 other processes know no form without flask and wtforms")
def test_other_processes_know_every_field_too() -> None:
    from airflow.providers_manager import ProvidersManager

    shown = {
        widget.field_name: widget.field["schema"]["title"]
        for name, widget in ProvidersManager().connection_form_widgets.items()
        if name.startswith("extra__encord__")
    }
    assert shown == {name: field["label"] for name, field in CONNECTION_FIELDS.items()}


class Saved:
    """A connection that the browser saves and edits through the API."""

    def __init__(self, server: ApiServer, host: str, **extra: Any) -> None:
        self.server, self.name = server, f"encord_{uuid.uuid4().hex[:12]}"
        content = {"connection_id": self.name, "conn_type": "encord", "host": host, "extra": json.dumps(extra)}
        self.answer = server.send("POST", "/api/v2/connections", content)
        assert self.answer.status == 201, self.answer.content

    def shown(self) -> dict[str, Any]:
        """What the browser gets when the connection is opened."""
        answer = self.server.send("GET", f"/api/v2/connections/{self.name}")
        return dict(answer.content)

    def shown_extra(self) -> dict[str, Any]:
        """The extra fields as the browser shows them."""
        return dict(json.loads(self.shown()["extra"]))

    def edit(self, **extra: Any) -> None:
        """Change extra fields and save all that is shown."""
        content = {**self.shown(), "extra": json.dumps({**self.shown_extra(), **extra})}
        answer = self.server.send("PATCH", f"/api/v2/connections/{self.name}", content)
        assert answer.status == 200, answer.content

    def stored(self) -> dict[str, Any]:
        """The extra fields in the database."""
        from airflow.models.connection import Connection
        from airflow.utils.session import create_session
        from sqlalchemy import select

        with create_session() as session:
            row = session.scalars(select(Connection).where(Connection.conn_id == self.name)).one()
            return dict(json.loads(row.extra or "{}"))


@pytest.fixture
def _database_of_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hook reads connections where the API server does; outside of a task there is else only the environment."""
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")


PASTED = {
    "textarea": lambda text: text,
    "one line, blanks for line ends": lambda text: text.replace("\n", " ").strip(),
    "one line, no line ends": lambda text: text.replace("\n", ""),
}


@pytest.mark.usefixtures("_database_of_connections")
@pytest.mark.parametrize("passphrase", [None, PASSPHRASE], ids=["plain key", "locked key"])
@pytest.mark.parametrize("box", PASTED.values(), ids=PASTED)
def test_a_key_is_stored_as_the_box_sends_it_and_the_hook_makes_a_client_of_it(
    box: Any, passphrase: str | None, server: ApiServer, account: Account
) -> None:
    key = keys.new_key()
    account.emulator.authorize(keys.public_line(key), email=account.email)
    sent = box(keys.openssh(key, passphrase))
    saved = Saved(server, account.emulator.url, private_key=sent, private_key_passphrase=passphrase)

    assert saved.stored()["private_key"] == sent
    with EncordHook(saved.name) as hook:
        assert hook.get_conn().projects() == []


EVERY_SECRET = {"private_key": keys.openssh(keys.new_key()), "private_key_passphrase": PASSPHRASE, "api_key": "k" * 43}


def test_no_answer_holds_a_stored_secret(server: ApiServer) -> None:
    saved = Saved(server, "", **EVERY_SECRET, ssh_key_path="~/.ssh/encord")
    listed = server.send("GET", "/api/v2/connections").content
    answers = json.dumps([saved.answer.content, saved.shown(), listed])

    assert saved.shown_extra() == {**dict.fromkeys(EVERY_SECRET, MASK), "ssh_key_path": "~/.ssh/encord"}
    for secret in EVERY_SECRET.values():
        for line in (line for line in secret.splitlines() if "-----" not in line):
            assert json.dumps(line)[1:-1] not in answers
            assert json.dumps(json.dumps(line)[1:-1])[1:-1] not in answers


def test_saving_the_mask_keeps_the_secrets_byte_for_byte_while_other_fields_change(server: ApiServer) -> None:
    saved = Saved(server, "", **EVERY_SECRET, read_timeout=7.5, ca_bundle="/etc/ssl/own.pem")
    for _ in range(2):
        saved.edit(read_timeout=9, ca_bundle=None)

    assert saved.stored() == {**EVERY_SECRET, "read_timeout": 9, "ca_bundle": None}


def test_a_secret_is_replaced_by_a_new_one(server: ApiServer) -> None:
    saved = Saved(server, "", **EVERY_SECRET)
    new = keys.openssh(keys.new_key())
    saved.edit(private_key=new, private_key_passphrase=None)

    assert saved.stored() == {**EVERY_SECRET, "private_key": new, "private_key_passphrase": None}
