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
        return PasswordField(label, description=description, widget=BS3PasswordFieldWidget())
    if schema.get("format") == "multiline":
        # A single-line box turns the line ends of a pasted key into blanks.
        return StringField(label, description=description, widget=BS3TextAreaFieldWidget())
    validators: list[Any] = [Optional()]
    if "enum" in schema:
        validators.append(any_of([value for value in schema["enum"] if value]))
    return StringField(label, description=description, validators=validators, widget=BS3TextFieldWidget())
