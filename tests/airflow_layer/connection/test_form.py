"""The connection form of Airflow 2.11, through Airflow's own pages: shown, filled, saved, edited, as a browser does.

This form puts a stored secret into the page unless the field is a password field; and saves an empty field
as "no such field", so a secret that is merely hidden would be lost at the next save. Ours shows Airflow's mark.
"""

from __future__ import annotations

import html
import json
import logging
import uuid
from typing import Any

import pytest

from airflow_provider_encord.get_provider_info import CONNECTION_FIELDS, FIELD_BEHAVIOUR
from airflow_provider_encord.hooks.encord import EncordHook
from tests.airflow_layer.bench import Account
from tests.airflow_layer.lines import running_line
from tests.airflow_layer.web_form import WebForm
from tests.client import keys

pytestmark = [
    pytest.mark.skipif(running_line() != "2.11", reason="only Airflow 2.11 has pages of Flask-AppBuilder"),
    pytest.mark.usefixtures("airflow_database"),
]
MARK = "RATHER_LONG_SENSITIVE_FIELD_PLACEHOLDER"  # Airflow's: "keep what is stored"
PASSPHRASE = 'open "sesame", <100%> & so on'
PREFIX = "extra__encord__"
ADMIN = {"username": "admin", "password": "only for this test"}


@pytest.fixture(scope="module")
def _client(airflow_database: None) -> Any:
    """An administrator who has logged in: once, because Airflow allows five logins in 40 seconds."""
    from airflow.www.app import create_app

    logging.getLogger("airflow.providers.fab").setLevel(logging.WARNING)  # it names a hundred permissions
    app = create_app(testing=True)
    manager = app.appbuilder.sm
    manager.add_user("admin", "Ada", "Admin", "ada@example.com", manager.find_role("Admin"), password=ADMIN["password"])
    client = app.test_client()
    answer = client.post("/login/", data=WebForm(client.get("/login/").text, "login").fill(**ADMIN).sends())
    assert answer.status_code == 302, answer.text
    return client


class Browser:
    """An administrator's browser on Airflow 2.11, and the connection that this test makes with it.

    :param client: Logged in.
    """

    def __init__(self, client: Any) -> None:
        self.client = client
        self.page = ""  # what it shows
        self.name = f"encord_{uuid.uuid4().hex[:12]}"

    def get(self, path: str) -> str:
        """Open a page."""
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.status
        self.page = answer.text
        return self.page

    def submit(self, path: str, form: WebForm) -> int:
        """Press the form's button; the status: 302 where it was taken, 200 where the form is shown again."""
        answer = self.client.post(path, data=form.sends())
        self.page = answer.text
        return int(answer.status_code)

    def new(self) -> WebForm:
        """The empty form, with Encord chosen."""
        return self.form("/connection/add").fill(conn_id=self.name, conn_type="encord")

    def form(self, path: str) -> WebForm:
        """The form of a page."""
        return WebForm(self.get(path), "model_form")

    def edit(self) -> WebForm:
        """The form of the stored connection."""
        return self.form(self.edit_path())

    def edit_path(self) -> str:
        """Where the stored connection is edited."""
        return f"/connection/edit/{self._stored().id}"

    def save(self, form: WebForm, path: str = "/connection/add") -> None:
        """Save the form; it must be taken."""
        assert self.submit(path, form) == 302, self.page

    def extra(self) -> dict[str, Any]:
        """What is stored in the extra fields."""
        return dict(json.loads(self._stored().extra or "{}"))

    def stored(self, field: str) -> Any:
        """What is stored in a standard field."""
        return getattr(self._stored(), field)

    def _stored(self) -> Any:
        from airflow.models.connection import Connection
        from airflow.utils.session import create_session

        with create_session() as session:
            return session.query(Connection).filter(Connection.conn_id == self.name).one()


@pytest.fixture
def browser(_client: Any) -> Browser:
    return Browser(_client)


def filled(form: WebForm, **extra: str | bool) -> WebForm:
    """The form with some of our fields filled."""
    return form.fill(**{PREFIX + name: value for name, value in extra.items()})


KINDS = {
    "auth_method": "text",
    "private_key": "textarea",
    "ssh_key_path": "text",
    "private_key_passphrase": "password",
    "api_key": "password",
    "resource_id": "text",
    "connect_timeout": "text",
    "read_timeout": "text",
    "total_timeout": "text",
    "ca_bundle": "text",
    "web_app_url": "text",
    "allow_http": "checkbox",
}


@pytest.mark.parametrize("name", CONNECTION_FIELDS)
def test_a_field_is_shown_with_its_label_its_help_and_the_right_kind_of_box(name: str, browser: Browser) -> None:
    control = browser.new().controls[PREFIX + name]

    assert control.label == CONNECTION_FIELDS[name]["label"]
    assert control.help == CONNECTION_FIELDS[name]["description"]
    assert control.kind == KINDS[name]
    assert not control.value


def test_the_page_hides_renames_and_explains_the_standard_fields_and_offers_to_test(browser: Browser) -> None:
    page = html.unescape(browser.get("/connection/add"))
    behaviour = json.loads(page.split('<script id="field_behaviours" type="text/json">')[1].split("</script>")[0])
    testable = page.split('<script id="testable_connection_types" type="text/json">')[1].split("</script>")[0]

    assert behaviour["encord"]["hidden_fields"] == FIELD_BEHAVIOUR["hidden-fields"]
    assert behaviour["encord"]["relabeling"] == FIELD_BEHAVIOUR["relabeling"]
    assert behaviour["encord"]["placeholders"]["host"] == FIELD_BEHAVIOUR["placeholders"]["host"]
    assert "'encord'" in testable


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE], ids=["plain key", "locked key"])
def test_a_pasted_key_keeps_its_lines_and_the_hook_makes_a_client_of_it(
    passphrase: str | None, browser: Browser, account: Account
) -> None:
    key = keys.new_key()
    account.emulator.authorize(keys.public_line(key), email=account.email)
    text = keys.openssh(key, passphrase)
    browser.save(
        filled(browser.new(), private_key=text, private_key_passphrase=passphrase or "").fill(host=account.emulator.url)
    )

    stored = browser.extra()
    assert stored["private_key"].replace("\r\n", "\n") == text.strip()
    assert "\r\n" in stored["private_key"], "browsers send CR LF: has the test stopped sending them?"
    assert stored.get("private_key_passphrase") == passphrase
    assert EncordHook(browser.name).test_connection()[0], EncordHook(browser.name).test_connection()
    with EncordHook(browser.name) as hook:
        assert hook.get_conn().projects() == []


def test_an_api_key_makes_a_client_too(browser: Browser, account: Account) -> None:
    project = account.project()["project_id"]
    form = filled(browser.new(), auth_method="api_key", api_key=account.api_key(project), resource_id=project)
    browser.save(form.fill(host=account.emulator.url))

    with EncordHook(browser.name) as hook:
        assert hook.get_project().id == project


def test_fields_that_stay_empty_are_not_stored_and_the_box_is_stored_as_it_is(browser: Browser) -> None:
    browser.save(filled(browser.new(), ssh_key_path="~/.ssh/encord"))

    assert browser.extra() == {"ssh_key_path": "~/.ssh/encord", "allow_http": False}


SECRETS = {"private_key": keys.openssh(keys.new_key()), "private_key_passphrase": PASSPHRASE, "api_key": "k" * 43}


@pytest.fixture
def saved(browser: Browser) -> Browser:
    """A browser that has saved a connection with every field filled."""
    form = filled(
        browser.new(),
        **SECRETS,
        auth_method="ssh_key",
        resource_id=str(uuid.uuid4()),
        read_timeout="7.5",
        ca_bundle="/etc/ssl/own.pem",
        allow_http=True,
    )
    browser.save(form.fill(host="https://api.us.encord.com", description="Before"))
    return browser


def test_the_edit_page_holds_no_secret_and_shows_that_one_is_stored(saved: Browser) -> None:
    controls = saved.edit().controls
    page = html.unescape(saved.page)

    for name, secret in SECRETS.items():
        assert controls[PREFIX + name].value == MARK
        for line in (line for line in secret.splitlines() if "-----" not in line):
            assert line not in page, name
            assert json.dumps(line)[1:-1] not in page, name
    assert controls[f"{PREFIX}read_timeout"].value == "7.5"
    assert controls[f"{PREFIX}allow_http"].value == controls[f"{PREFIX}allow_http"].ticked_value


def test_saving_the_form_as_it_is_changes_nothing(saved: Browser) -> None:
    before = saved.extra()
    for _ in range(2):
        saved.save(saved.edit(), saved.edit_path())

    assert saved.extra() == before
    assert saved.stored("host") == "https://api.us.encord.com"


def test_other_fields_can_be_changed_and_emptied_while_the_secrets_stay(saved: Browser) -> None:
    before = saved.extra()
    form = filled(saved.edit(), read_timeout="9", ca_bundle="", allow_http=False).fill(description="After")
    saved.save(form, saved.edit_path())

    del before["ca_bundle"]
    assert saved.extra() == {**before, "read_timeout": "9", "allow_http": False}
    assert saved.stored("description") == "After"


def test_a_secret_is_replaced_by_a_new_one_and_deleted_by_an_empty_field(saved: Browser) -> None:
    new = keys.openssh(keys.new_key())
    form = filled(saved.edit(), private_key=new, private_key_passphrase="")
    saved.save(form, saved.edit_path())

    stored = saved.extra()
    assert stored["private_key"].replace("\r\n", "\n") == new.strip()
    assert "private_key_passphrase" not in stored
    assert stored["api_key"] == SECRETS["api_key"]


def test_an_unknown_authentication_is_refused_in_the_form_and_nothing_is_stored(saved: Browser) -> None:
    before = saved.extra()
    status = saved.submit(saved.edit_path(), filled(saved.edit(), auth_method="password"))

    assert status == 200
    assert "Invalid value, must be one of: ssh_key, api_key" in html.unescape(saved.page)
    assert saved.extra() == before
    assert WebForm(saved.page, "model_form").controls[f"{PREFIX}auth_method"].value == "password"


def test_a_connection_that_the_newer_form_or_the_command_line_wrote_can_be_edited_too(
    browser: Browser, account: Account
) -> None:
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session

    extra: dict[str, Any] = dict.fromkeys(CONNECTION_FIELDS)  # the newer form stores null for what is empty
    extra |= {"private_key": account.private_key, "connect_timeout": 5}
    with create_session() as session:
        session.add(
            Connection(browser.name, "encord", host=account.emulator.url, extra=json.dumps(extra))
        )  # a number, and the last line end of the key
    form = browser.edit()
    assert form.controls[f"{PREFIX}connect_timeout"].value == "5"
    browser.save(form.fill(description="Edited"), browser.edit_path())

    assert browser.extra()["private_key"] == account.private_key
    assert EncordHook(browser.name).test_connection()[0]
