"""How a connection comes into Airflow: every way, as the text that a user writes.

The tables are the documentation's too: what it shows is what is tried here. The same ``.env`` file is read by
``airflow connections import`` and by the local file backend, and both take URIs only; JSON stands in variables alone.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

CREDENTIALS = ("key with passphrase", "plain key", "path", "API key")


@dataclasses.dataclass(frozen=True)
class Connection:
    """What a user wants to store.

    :param host: As in the form: a host name or a URL; empty for Encord's default region.
    :param extra: The extra fields by name.
    """

    host: str
    extra: Mapping[str, Any] = dataclasses.field(repr=False)


def json_with_object(connection: Connection) -> str:
    """JSON, the extra fields as an object."""
    return json.dumps({"conn_type": "encord", "host": connection.host, "extra": dict(connection.extra)})


def json_with_text(connection: Connection) -> str:
    """JSON, the extra fields as a text that is JSON in turn."""
    return json.dumps({"conn_type": "encord", "host": connection.host, "extra": json.dumps(connection.extra)})


def uri_with_query(connection: Connection) -> str:
    """A URI, each extra field a parameter: everything is text, and everything is quoted."""
    fields = (
        (name, value if isinstance(value, str) else json.dumps(value)) for name, value in connection.extra.items()
    )
    return f"encord://{connection.host}/?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in fields)


def uri_with_extra(connection: Connection) -> str:
    """A URI, the extra fields as one parameter that is JSON: numbers and booleans stay what they are."""
    return f"encord://{connection.host}/?__extra__={quote(json.dumps(connection.extra), safe='')}"


VARIABLES: dict[str, Callable[[Connection], str]] = {
    "JSON, extra as object": json_with_object,
    "JSON, extra as text": json_with_text,
    "URI, fields as query": uri_with_query,
    "URI, __extra__": uri_with_extra,
}
"""Values of the variable ``AIRFLOW_CONN_<ID>``."""

ADDED: dict[str, Callable[[Connection], list[str]]] = {
    "--conn-json, extra as object": lambda connection: ["--conn-json", json_with_object(connection)],
    "--conn-json, extra as text": lambda connection: ["--conn-json", json_with_text(connection)],
    "--conn-uri, fields as query": lambda connection: ["--conn-uri", uri_with_query(connection)],
    "--conn-uri, __extra__": lambda connection: ["--conn-uri", uri_with_extra(connection)],
    "--conn-type and --conn-extra": lambda connection: [
        *("--conn-type", "encord", "--conn-host", connection.host),
        *("--conn-extra", json.dumps(connection.extra)),
    ],
}
"""What follows ``airflow connections add ID``.

Airflow writes the whole command line into its audit log, secrets in the clear (`import` leaves the name of the file
there), and Airflow 2.11 falls over every ``--conn-uri`` that has no password in the place of a login. Therefore, for a
key, a file and ``import`` are better; a path of a key may well be added.
"""

EXPORTED: dict[str, tuple[str, ...]] = {
    "connections.json": (),
    "connections.yaml": (),
    "connections.env": (),
}
"""Files that ``airflow connections export FILE`` writes and ``import`` reads again, each with further options."""


def _json_file(connections: Mapping[str, Connection]) -> str:
    return json.dumps({name: json.loads(json_with_object(one)) for name, one in connections.items()}, indent=2)


def _json_file_with_text(connections: Mapping[str, Connection]) -> str:
    return json.dumps({name: json.loads(json_with_text(one)) for name, one in connections.items()}, indent=2)


def _json_file_of_uris(connections: Mapping[str, Connection]) -> str:
    return json.dumps({name: uri_with_extra(one) for name, one in connections.items()}, indent=2)


def _yaml_file(connections: Mapping[str, Connection]) -> str:
    lines = []
    for name, one in connections.items():
        lines += [f"{name}:", "  conn_type: encord", f"  host: {json.dumps(one.host)}", "  extra:"]
        lines += [f"    {field}: {_yaml_value(value)}" for field, value in one.extra.items()]
    return "\n".join(lines) + "\n"


def _yaml_value(value: Any) -> str:
    """A multi-line text as a block, as one pastes a key; anything else as JSON, which is YAML too."""
    if isinstance(value, str) and value.endswith("\n"):
        return "|" + "".join(f"\n      {line}" for line in value.splitlines())
    return json.dumps(value)


def _env_file(connections: Mapping[str, Connection]) -> str:
    return "".join(f"{name}={uri_with_extra(one)}\n" for name, one in connections.items())


def _env_file_with_queries(connections: Mapping[str, Connection]) -> str:
    return "".join(f"{name}={uri_with_query(one)}\n" for name, one in connections.items())


FILES: dict[str, tuple[str, Callable[[Mapping[str, Connection]], str]]] = {
    "JSON, extra as object": ("connections.json", _json_file),
    "JSON, extra as text": ("connections.json", _json_file_with_text),
    "JSON, a URI": ("connections.json", _json_file_of_uris),
    "YAML, the key as a block": ("connections.yaml", _yaml_file),
    ".env, __extra__": ("connections.env", _env_file),
    ".env, fields as query": ("connections.env", _env_file_with_queries),
}
"""Files for ``airflow connections import FILE`` and for ``LocalFilesystemBackend``: name, and content for many."""


def backend_variables(file: str) -> dict[str, str]:
    """The variables that make Airflow look for connections in a file first."""
    return {
        "AIRFLOW__SECRETS__BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"connections_file_path": file}),
    }
