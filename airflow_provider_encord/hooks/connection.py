"""Read the credential and the settings from an Airflow connection of type `encord`, and check them.

All values come from the connection. An empty field is not replaced by the environment variable ``ENCORD_SSH_KEY``, as
in Encord's SDK. Numbers may be strings, because a connection URI contains only text. Strings may be numbers, because
some versions of Airflow parse each parameter of a URI as JSON if they can.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_encord.client.credentials import ApiKey, Credential, SshKey
from airflow_provider_encord.client.errors import CredentialError
from airflow_provider_encord.client.placeholders import is_placeholder
from airflow_provider_encord.client.transport.settings import (
    DEFAULT_CONNECT_TIMEOUT,
    DEFAULT_READ_TIMEOUT,
    Settings,
    base_url,
    web_app_url,
)
from airflow_provider_encord.get_provider_info import AUTH_METHODS, CONNECTION_FIELDS, CONNECTION_TYPE

SECRET_FIELDS = ("private_key", "private_key_passphrase", "api_key")
_FIELDS_OF = {"ssh_key": ("private_key", "ssh_key_path"), "api_key": ("api_key", "resource_id")}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,15}([_-][A-Za-z0-9]{1,15}){0,4}")
_ANY_ID = "00000000-0000-4000-8000-000000000000"
_OLD_PREFIX = f"extra__{CONNECTION_TYPE}__"
_UNTYPED = ("", "generic")
_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off", "")


def without_prefix(extra: Mapping[str, Any]) -> dict[str, Any]:
    """Remove the prefix that old forms stored: ``extra__encord__private_key`` becomes `private_key`.

    If a field exists with and without the prefix, the one without it is used, unless it is empty.
    """
    own = {name: value for name, value in extra.items() if not str(name).startswith(_OLD_PREFIX)}
    for name, value in extra.items():
        plain = str(name).removeprefix(_OLD_PREFIX)
        if plain != name and not _filled(own, plain):
            own[plain] = value
    return own


def secret_values(extra: Mapping[str, Any]) -> list[str]:
    """The secrets in a connection, as they are stored. They are masked before the fields are checked."""
    values = (_as_written(field, extra.get(field)) for field in SECRET_FIELDS)
    texts = [value for value in values if isinstance(value, str) and value.strip()]
    return [text for text in texts if not is_placeholder(text)]


def require_type(connection_type: str | None) -> None:
    """Check the type of a connection. A connection without a type or of type ``generic`` is accepted.

    Other types have fields with the same names (``ssh`` has `private_key`) and other hosts. Such a host must not get a
    request that is signed with that key.

    :raises CredentialError: The connection has another type.
    """
    given = (connection_type or "").strip().lower()
    if given in (CONNECTION_TYPE, *_UNTYPED):
        return
    which = f"type {given}" if _NAME.fullmatch(given) else "another type"  # other text may be a key in the wrong field
    raise CredentialError(
        f"Connection field conn_type: this connection is of {which}, not {CONNECTION_TYPE}, so nothing was sent. Use "
        f"another connection in encord_conn_id, or set the type of this one to Encord ({CONNECTION_TYPE})."
    )


def read_credential(extra: Mapping[str, Any]) -> Credential:
    """Create the credential.

    :param extra: The connection's extra fields.
    :raises CredentialError: The method is ambiguous, or a field is missing or invalid. The message names the fields.
    """
    filled = {field: _text(extra, field) for field in CONNECTION_FIELDS if _filled(extra, field)}
    if _auth_method(filled, extra) == "api_key":
        return _api_key(filled)
    return _ssh_key(filled)


def read_settings(
    extra: Mapping[str, Any], *, host: str | None, port: int | None, user_agent_suffix: str = ""
) -> Settings:
    """Create the settings.

    :param extra: The connection's extra fields.
    :param host: The connection's host field.
    :param port: The connection's port field.
    :raises CredentialError: A field is invalid. The message names it.
    """
    allow_http = _value(extra, "allow_http", False, _boolean)
    return Settings(
        base_url=base_url(host, port, allow_http=allow_http),
        connect_timeout=_value(extra, "connect_timeout", DEFAULT_CONNECT_TIMEOUT, _seconds),
        read_timeout=_value(extra, "read_timeout", DEFAULT_READ_TIMEOUT, _seconds),
        total_timeout=_value(extra, "total_timeout", None, _seconds),
        ca_bundle=_value(extra, "ca_bundle", None, str),
        allow_http=allow_http,
        web_app_url=web_app_url(str(extra["web_app_url"])) if _filled(extra, "web_app_url") else None,
        user_agent_suffix=user_agent_suffix,
    )


def _auth_method(filled: Mapping[str, str], extra: Mapping[str, Any]) -> str:
    given = filled.get("auth_method")
    of_method = {method: [field for field in fields if field in filled] for method, fields in _FIELDS_OF.items()}
    if given is not None:
        return _given_method(given.strip(), of_method)
    methods = [method for method, fields in of_method.items() if fields]
    if len(methods) == 1:
        return methods[0]
    if methods:
        both = ", ".join([*of_method["ssh_key"], *of_method["api_key"]])
        raise CredentialError(
            f"The connection has fields of both methods: {both}. Set auth_method to ssh_key or api_key, or empty the "
            "fields of one method."
        )
    unknown = unknown_fields(extra)
    found = f"only unknown fields: {', '.join(unknown)} (check their spelling)" if unknown else "no credential"
    raise CredentialError(
        f"The connection has {found}. Fill private_key or ssh_key_path for an SSH key, or api_key and resource_id for "
        "a legacy API key. The fields login and password are not used."
    )


def _given_method(given: str, of_method: Mapping[str, list[str]]) -> str:
    if given not in AUTH_METHODS:
        # The value is not quoted: it may be a key that was pasted into the wrong field.
        raise CredentialError(f"Connection field auth_method: its value is not one of {', '.join(AUTH_METHODS)}.")
    if not of_method[given]:
        wanted = " or ".join(_FIELDS_OF[given]) if given == "ssh_key" else " and ".join(_FIELDS_OF[given])
        raise CredentialError(f"The connection has auth_method {given}, but its fields are empty. Fill {wanted}.")
    return given


def _ssh_key(filled: Mapping[str, str]) -> SshKey:
    if "private_key" in filled and "ssh_key_path" in filled:
        raise CredentialError("The connection has both private_key and ssh_key_path. Empty one of them.")
    passphrase = filled.get("private_key_passphrase")
    if "ssh_key_path" in filled:
        return SshKey.from_path(filled["ssh_key_path"].strip(), passphrase)
    return SshKey.parse(filled["private_key"], passphrase)


def _api_key(filled: Mapping[str, str]) -> ApiKey:
    if "api_key" not in filled:
        raise CredentialError(
            "Connection field api_key: it is empty, but resource_id has the id of a project or dataset. Fill api_key "
            "with the API key of that resource. To use an SSH key instead, empty resource_id and fill private_key."
        )
    if "resource_id" not in filled:
        ApiKey(filled["api_key"], _ANY_ID)  # raises first if this is not an API key, for example an SSH key
        raise CredentialError(
            "Connection field resource_id: it is empty, but an API key needs the id of its project or dataset. The URL "
            "of the project or dataset in Encord's web app contains the id."
        )
    return ApiKey(filled["api_key"], filled["resource_id"])


def _filled(extra: Mapping[str, Any], field: str) -> bool:
    value = extra.get(field)
    return value is not None and str(value).strip() != ""


def _text(extra: Mapping[str, Any], field: str) -> str:
    value = _as_written(field, extra[field])
    if field in SECRET_FIELDS and not isinstance(value, str):
        raise CredentialError(
            f"Connection field {field}: it is a {type(value).__name__}, not a string. In JSON, put the value in "
            "quotation marks. In a URI, write all fields as JSON in one parameter, __extra__."
        )
    return str(value)


def _as_written(field: str, value: Any) -> Any:
    """Return the original text of a value that Airflow parsed as JSON, if the text is certain.

    A passphrase like 123456 in a URI becomes a number; its digits are the original text. Other values that look like
    JSON (1e5, true) can be written in several ways, so their original text is unknown. A key file in JSON, such as that
    of a Google service account, is converted back to JSON text. It cannot be used, but it must be masked, and the error
    message must say what it is.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if field == "private_key" and isinstance(value, (dict, list)):
        return json.dumps(value)
    return value


def _value(extra: Mapping[str, Any], field: str, default: Any, convert: Callable[[Any], Any]) -> Any:
    if not _filled(extra, field):
        return default
    try:
        return convert(extra[field])
    except (TypeError, ValueError, OverflowError):
        wanted = "true or false" if convert is _boolean else "a number of seconds"
        # The value is not quoted: it may be a key that was pasted into the wrong field.
        raise CredentialError(f"Connection field {field}: its value is not {wanted}.") from None


def _seconds(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    seconds = float(value)
    if not math.isfinite(seconds):
        raise ValueError
    return seconds


def _boolean(value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in (*_TRUE, *_FALSE):
        raise ValueError
    return text in _TRUE


def unknown_fields(extra: Mapping[str, Any]) -> list[str]:
    """The names of unknown extra fields. Text that is not a name is left out: it may be a key in the wrong place."""
    names = (str(field) for field in extra if field not in CONNECTION_FIELDS)
    return sorted(name for name in names if _NAME.fullmatch(name))
