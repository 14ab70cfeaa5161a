"""A form of a web page as a browser has it: what it shows, and what it sends when it is saved."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser


@dataclasses.dataclass
class Control:
    """A field of a form.

    :param kind: ``"textarea"``, ``"select"``, or the type of an input (``"text"``, ``"password"``, ``"checkbox"``).
    :param value: What it holds; None for a box that is not ticked.
    :param choices: Of a select.
    """

    kind: str
    value: str | None = None
    ticked_value: str = "on"
    choices: list[str] = dataclasses.field(default_factory=list)
    label: str = ""
    help: str = ""


class WebForm(HTMLParser):
    """The form with a given id or name.

    :param html: The whole page.
    :param wanted: Id or name of the form.
    """

    def __init__(self, html: str, wanted: str) -> None:
        super().__init__(convert_charrefs=True)
        self.controls: dict[str, Control] = {}
        self._wanted, self._inside = wanted, False
        self._last = self._label_of = ""
        self._text: list[str] | None = None  # of the element whose text matters, while it is open
        self._labels: dict[str, str] = {}
        self.feed(html)
        self.close()
        for name, text in self._labels.items():
            if name in self.controls:
                self.controls[name].label = text

    def sends(self) -> dict[str, str]:
        """What a browser sends: a box that is not ticked is left out, and lines end in CR LF."""
        filled = {name: one.value for name, one in self.controls.items() if one.value is not None}
        return {name: re.sub(r"\r\n|\r|\n", "\r\n", value) for name, value in filled.items()}

    def fill(self, **values: str | bool) -> WebForm:
        """Type into fields, choose, tick.

        :param values: New contents by name; for a box whether it is ticked.
        """
        for name, value in values.items():
            control = self.controls[name]
            if isinstance(value, bool):
                control.value = control.ticked_value if value else None
            elif control.kind == "select" and value not in control.choices:
                raise AssertionError(f"{name} offers {control.choices}, not {value}.")
            else:
                control.value = value
        return self

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Open a tag."""
        values = dict(attributes)
        if tag == "form":
            self._inside = self._wanted in (values.get("id"), values.get("name"))
        if not self._inside:
            return
        name = values.get("name") or ""
        if tag == "input" and name:
            self._add_input(name, values)
        elif tag in ("textarea", "select") and name:
            self.controls[name], self._last = Control(tag, ""), name
            self._text = [] if tag == "textarea" else None
        elif tag == "option":
            self._add_choice(values)
        elif tag == "label":
            self._label_of, self._text = values.get("for") or "", []
        elif tag == "span" and "help-block" in (values.get("class") or ""):
            self._text = []

    def handle_endtag(self, tag: str) -> None:
        """Close a tag."""
        if tag == "form":
            self._inside = False
        if self._text is None or tag not in ("textarea", "label", "span"):
            return
        text = "".join(self._text)
        self._text = None
        if tag == "textarea":
            self.controls[self._last].value = re.sub(r"^\r?\n", "", text)  # the first line end does not count
        elif tag == "label":
            self._labels[self._label_of] = text.replace("*", "").strip()  # the star of what is required
        else:
            self.controls[self._last].help = text.strip()

    def handle_data(self, data: str) -> None:
        """Text."""
        if self._text is not None:
            self._text.append(data)

    def _add_input(self, name: str, values: dict[str, str | None]) -> None:
        kind, value = values.get("type") or "text", values.get("value") or ""
        self._last = name
        if kind == "checkbox":
            self.controls[name] = Control(kind, value if "checked" in values else None, ticked_value=value or "on")
        else:
            self.controls[name] = Control(kind, value)

    def _add_choice(self, values: dict[str, str | None]) -> None:
        control, value = self.controls[self._last], values.get("value") or ""
        if not control.choices or "selected" in values:
            control.value = value
        control.choices.append(value)
