"""Airflow's connection form, of both generations, under one interface: what a person sees in it and does with it.

In 3.x, one section is open at a time, and fields in the closed ones are not there.
"""

from __future__ import annotations

import abc
import dataclasses
import re
from typing import ClassVar

from playwright.sync_api import Locator, expect

from airflow_provider_encord.get_provider_info import CONNECTION_FIELDS
from tests.deployment.processes import USER, Deployment
from tests.e2e.browser import PATIENCE_MS, Visit

STANDARD = ("description", "host", "port", "login", "password", "schema")

expect.set_options(timeout=PATIENCE_MS)


@dataclasses.dataclass(frozen=True)
class Seen:
    """A field as the form shows it.

    :param kind: ``"textarea"``, ``"list"`` where one chooses, or the type of the input.
    """

    label: str
    help: str
    kind: str


class Form(abc.ABC):
    """The form of one line of Airflow; a method leaves the form open unless it says otherwise."""

    has_dark_colours: ClassVar[bool]
    """Whether the web interface is dark where the person's system is."""

    def __init__(self, visit: Visit, deployment: Deployment):
        self.visit, self.page, self.deployment = visit, visit.page, deployment

    @abc.abstractmethod
    def enter(self) -> None:
        """Come to the web interface as a user who may do everything."""

    @abc.abstractmethod
    def open_new(self, connection_id: str) -> None:
        """Open the form for a new connection, and choose Encord."""

    @abc.abstractmethod
    def open_stored(self, connection_id: str) -> None:
        """Open the form of a connection that there is."""

    @abc.abstractmethod
    def control(self, name: str) -> Locator:
        """The box of a field, on screen."""

    @abc.abstractmethod
    def seen(self, name: str) -> Seen:
        """A field of the extra, with what is written around its box."""

    @abc.abstractmethod
    def standard_labels(self) -> dict[str, str]:
        """Labels of the standard fields that are shown, by name."""

    @abc.abstractmethod
    def save(self) -> None:
        """Save; the form closes."""

    @abc.abstractmethod
    def test(self, connection_id: str) -> str:
        """Press Test for what the form holds, which is saved where Test is elsewhere; the message."""

    @abc.abstractmethod
    def show_run(self, dag_id: str, run_id: str) -> None:
        """Open the page of a run of a DAG, and wait until it shows the run as a success."""

    def fill(self, **fields: str) -> None:
        """Type into fields."""
        for name, value in fields.items():
            self.control(name).fill(value)

    def paste(self, name: str, text: str) -> None:
        """Paste into a field, over what it holds."""
        self.surface(name).click()
        self.page.keyboard.press("Control+A")
        self.visit.paste(text)

    def surface(self, name: str) -> Locator:
        """What one clicks on to write into a field: its box."""
        return self.control(name)

    def shown(self, name: str) -> str:
        """The text that a field shows."""
        return self.control(name).input_value()


class Form3(Form):
    """Of Airflow 3.x: a dialog on the page of the connections, with Test in the list behind it."""

    has_dark_colours = True

    def enter(self) -> None:
        self.page.goto(f"{self.deployment.url}/connections")

    def open_new(self, connection_id: str) -> None:
        self.page.get_by_role("button", name="Add Connection").first.click()
        self._dialog.get_by_label("Connection ID").fill(connection_id)
        self._dialog.get_by_role("combobox", name="Connection Type").click()
        self.page.keyboard.type("encord")
        self.page.get_by_role("option", name="Encord", exact=True).click()
        expect(self._section("Extra Fields")).to_be_visible()

    def open_stored(self, connection_id: str) -> None:
        self.page.goto(f"{self.deployment.url}/connections")
        self._row(connection_id).get_by_role("button", name="Edit Connection").click()
        expect(self._section("Extra Fields")).to_be_visible()

    def control(self, name: str) -> Locator:
        self._open_section_of(name)
        return self._dialog.locator(f"[name='{self._html_name(name)}']")

    def seen(self, name: str) -> Seen:
        box = self.control(name)
        inside = self.page.locator(f"[name='{self._html_name(name)}']")
        field = self._dialog.locator("[data-scope=field][data-part=root]").filter(has=inside)
        helped = field.locator("[data-part=helper-text]").inner_text()
        # What carries the name of a list is one of two inputs without a body of their own, depending on what is chosen.
        kind = "list" if field.get_by_role("combobox").count() else _kind(box)
        return Seen(field.locator("label[data-part=label]").inner_text().strip(), helped, kind)

    def standard_labels(self) -> dict[str, str]:
        self._open("Standard Fields")
        shown = {}
        for name in STANDARD:
            field = self._dialog.locator("[data-scope=field][data-part=root]").filter(
                has=self.page.locator(f"[name='{name}']")
            )
            if field.count():
                shown[name] = field.locator("label").inner_text().strip()
        return shown

    def save(self) -> None:
        self._dialog.get_by_role("button", name="Save").click()
        expect(self._dialog).to_be_hidden()

    def test(self, connection_id: str) -> str:
        self.save()
        self._row(connection_id).get_by_role("button", name="Test Connection").click()
        toast = self.page.locator("[data-scope=toast][data-part=root]").filter(has_text="Test Connection")
        return toast.first.inner_text()

    def show_run(self, dag_id: str, run_id: str) -> None:
        self.page.goto(f"{self.deployment.url}/dags/{dag_id}/runs/{run_id}")
        expect(self.page.get_by_text("Success", exact=True).first).to_be_visible()
        self.page.wait_for_load_state("networkidle")

    def names_in(self, section: str) -> list[str]:
        """Fields of the extra that a section shows, from the top."""
        self._open(section)
        item = self._dialog.locator("[data-scope=accordion][data-part=item]").filter(
            has=self.page.get_by_role("button", name=section, exact=True)
        )
        controls = item.locator("[name^='element_']")
        return [str(one.get_attribute("name")).removeprefix("element_") for one in controls.all()]

    @property
    def _dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def _row(self, connection_id: str) -> Locator:
        return self.page.get_by_role("row").filter(has=self.page.get_by_role("cell", name=connection_id, exact=True))

    def _section(self, name: str) -> Locator:
        return self._dialog.get_by_role("button", name=name, exact=True)

    def _open(self, section: str) -> None:
        button = self._section(section)
        if button.get_attribute("aria-expanded") != "true":
            button.click()
            expect(button).to_have_attribute("aria-expanded", "true")

    def _open_section_of(self, name: str) -> None:
        if name in STANDARD:
            self._open("Standard Fields")
        else:
            self._open(CONNECTION_FIELDS[name]["schema"].get("section", "Extra Fields"))

    def _html_name(self, name: str) -> str:
        return name if name in STANDARD else f"element_{name}"


class Form2(Form):
    """Of Airflow 2.11: a page of its own, behind a log-in, with Test beside Save."""

    has_dark_colours = False

    def enter(self) -> None:
        self.page.goto(f"{self.deployment.url}/login/")
        self.page.fill("#username", USER)
        self.page.fill("#password", self.deployment.password)
        self.page.click("input[type=submit]")
        self.page.wait_for_url(re.compile(r"/home"))

    def open_new(self, connection_id: str) -> None:
        self.page.goto(f"{self.deployment.url}/connection/add")
        self.page.fill("#conn_id", connection_id)
        self.page.locator("#select2-conn_type-container").click()
        self.page.get_by_role("option", name="Encord", exact=True).click()
        expect(self.control("private_key")).to_be_visible()

    def open_stored(self, connection_id: str) -> None:
        self.page.goto(f"{self.deployment.url}/connection/list/")
        row = self.page.get_by_role("row").filter(has=self.page.get_by_role("cell", name=connection_id, exact=True))
        row.locator("a[href*='/connection/edit/']").click()
        expect(self._editor("private_key")).to_be_visible()  # it comes after the box, which is then hidden

    def control(self, name: str) -> Locator:
        return self.page.locator(f"#{name}" if name in STANDARD else f"#extra__encord__{name}")

    def surface(self, name: str) -> Locator:
        """When it opens a stored connection, 2.11 hides every large box behind an editor for JSON, ours too."""
        editor = self._editor(name)
        return editor if editor.count() else self.control(name)

    def shown(self, name: str) -> str:
        editor = self._editor(name)
        return editor.locator(".CodeMirror-line").inner_text() if editor.count() else super().shown(name)

    def _editor(self, name: str) -> Locator:
        return self.page.locator("tr").filter(has=self.control(name)).locator(".CodeMirror")

    def seen(self, name: str) -> Seen:
        row = self.page.locator("tr").filter(has=self.control(name))
        helped = row.locator(".help-block").inner_text()
        return Seen(row.locator("label").inner_text().strip(), helped, _kind(self.control(name)))

    def standard_labels(self) -> dict[str, str]:
        shown = [name for name in STANDARD if self.control(name).is_visible()]
        return {name: self.page.locator(f"label[for={name}]").inner_text().strip() for name in shown}

    def save(self) -> None:
        self.page.get_by_role("button", name="Save").click()
        # It leads back to whatever page came before, the list or the home page, and says there what it did.
        expect(self.page.get_by_text(re.compile("(Added|Changed) Row"))).to_be_visible()

    def test(self, connection_id: str) -> str:
        self.page.locator("#test-connection").click()
        message = self.page.locator(".alert-success, .alert-error").first
        message.scroll_into_view_if_needed()  # it stands above the form, and Test below
        return message.inner_text()

    def show_run(self, dag_id: str, run_id: str) -> None:
        self.page.goto(f"{self.deployment.url}/dags/{dag_id}/grid?dag_run_id={run_id}&tab=details")
        expect(self.page.get_by_text("success", exact=True).first).to_be_visible()
        self.page.wait_for_load_state("networkidle")


def _kind(box: Locator) -> str:
    kind: str = box.evaluate("box => box.tagName === 'TEXTAREA' ? 'textarea' : (box.type || box.tagName.toLowerCase())")
    return kind
