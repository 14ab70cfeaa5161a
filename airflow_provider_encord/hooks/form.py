"""The connection form of Airflow before 3.2, made from the same table as the newer one.

It is drawn by wtforms, which newer lines do not have; so this module is imported only when an older one asks for the
form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_appbuilder.fieldwidgets import BS3PasswordFieldWidget, BS3TextAreaFieldWidget, BS3TextFieldWidget
from flask_babel import lazy_gettext
from wtforms import BooleanField, PasswordField, StringField
from wtforms.validators import Optional, any_of


class _SecretText(BS3TextAreaFieldWidget):  # type: ignore[misc]
    """A secret in several lines, because a single-line box turns the line ends of a pasted key into blanks."""

    def __call__(self, field: Any, **kwargs: Any) -> Any:
        _hide_stored(field)
        return super().__call__(field, **kwargs)


class _SecretLine(BS3PasswordFieldWidget):  # type: ignore[misc]
    """A secret in one line."""

    def __call__(self, field: Any, **kwargs: Any) -> Any:
        _hide_stored(field)
        self.hide_value = False  # else the mark would be hidden too
        return super().__call__(field, **kwargs)


def _hide_stored(field: Any) -> None:
    """Show Airflow's own mark in place of a stored secret: it means "keep". An empty field would delete the secret."""
    if field.data and not field.raw_data:  # stored, and not just typed
        from airflow.www.views import SENSITIVE_FIELD_PLACEHOLDER

        field.data = SENSITIVE_FIELD_PLACEHOLDER


def widgets(fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """One widget for each field.

    :param fields: The table of the provider info: label, description and JSON schema by name.
    """
    return {name: _widget(field) for name, field in fields.items()}


def _widget(field: Mapping[str, Any]) -> Any:
    label, description, schema = lazy_gettext(field["label"]), field["description"], field["schema"]
    if "boolean" in schema["type"]:
        return BooleanField(label, description=description)
    if schema.get("format") == "password":
        return PasswordField(label, description=description, widget=_SecretLine())
    if schema.get("format") == "multiline":
        # A password field, as by its class Airflow knows what not to show; it takes no class of ours.
        return PasswordField(label, description=description, widget=_SecretText())
    validators: list[Any] = [Optional()]
    if "enum" in schema:
        validators.append(any_of([value for value in schema["enum"] if value]))
    return StringField(label, description=description, validators=validators, widget=BS3TextFieldWidget())
