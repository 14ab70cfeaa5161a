"""The connection form for Airflow before 3.2, made from the same table as the newer form.

It needs wtforms, which newer versions of Airflow do not install. So this module is imported only when an older version
shows the form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_appbuilder.fieldwidgets import BS3PasswordFieldWidget, BS3TextAreaFieldWidget, BS3TextFieldWidget
from flask_babel import lazy_gettext
from wtforms import BooleanField, PasswordField, StringField
from wtforms.validators import Optional, any_of


class _SecretText(BS3TextAreaFieldWidget):  # type: ignore[misc]
    """A secret of several lines. A single-line field would replace the line breaks of a pasted key by blanks."""

    def __call__(self, field: Any, **kwargs: Any) -> Any:
        _hide_stored(field)
        return super().__call__(field, **kwargs)


class _SecretLine(BS3PasswordFieldWidget):  # type: ignore[misc]
    """A secret of one line."""

    def __call__(self, field: Any, **kwargs: Any) -> Any:
        _hide_stored(field)
        self.hide_value = False  # otherwise the placeholder would be hidden, too
        return super().__call__(field, **kwargs)


def _hide_stored(field: Any) -> None:
    """Show Airflow's placeholder for a stored secret, which means "keep it". An empty field would delete the secret."""
    if field.data and not field.raw_data:  # it was stored before, not typed now
        from airflow.www.views import SENSITIVE_FIELD_PLACEHOLDER

        field.data = SENSITIVE_FIELD_PLACEHOLDER


def widgets(fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """One widget for each field.

    :param fields: The table of the provider info: field names to label, description and JSON schema.
    """
    return {name: _widget(field) for name, field in fields.items()}


def _widget(field: Mapping[str, Any]) -> Any:
    label, description, schema = lazy_gettext(field["label"]), field["description"], field["schema"]
    if "boolean" in schema["type"]:
        return BooleanField(label, description=description)
    if schema.get("format") == "password":
        return PasswordField(label, description=description, widget=_SecretLine())
    if schema.get("format") == "multiline":
        # It must be a PasswordField, because Airflow hides the values of this class only.
        return PasswordField(label, description=description, widget=_SecretText())
    validators: list[Any] = [Optional()]
    if "enum" in schema:
        validators.append(any_of([value for value in schema["enum"] if value]))
    return StringField(label, description=description, validators=validators, widget=BS3TextFieldWidget())
