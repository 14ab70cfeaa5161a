"""The command: it reads connections, writes a report, and returns an exit status."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import sys
import urllib.request
from collections.abc import Sequence
from typing import NoReturn

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.hooks.encord import EncordHook
from airflow_provider_encord.smoke import report, report_json
from airflow_provider_encord.smoke.options import API_KEY_CONNECTION, DEFAULT_CONNECTION
from airflow_provider_encord.smoke.run import ConnectionFailedError, Selection, budget, read_and_check
from airflow_provider_encord.smoke.summary import summarize

AS_EXPECTED, CONNECTION_FAILED, WRONG_ARGUMENTS, NOT_AS_EXPECTED = range(4)
"""The exit statuses."""

_NOT_IN_REPORTS = (
    "private_key",
    "private_key_passphrase",
    "api_key",
    "ssh_key_path",
    "ca_bundle",
    "resource_id",
    "web_app_url",
)


@dataclasses.dataclass(frozen=True)
class _Result:
    text: str
    status: int


def run_in_airflow(options: argparse.Namespace) -> NoReturn:
    """Run as a command of Airflow."""
    sys.exit(run(options))


def run(options: argparse.Namespace) -> int:
    """Run the command.

    :param options: From `options.parser`.
    :return: The exit status.
    """
    # Standard output is for the report; Airflow's log goes to standard error.
    with contextlib.redirect_stdout(sys.stderr):
        result = _result(options)
    sys.stdout.write(result.text)
    try:
        if options.output:
            options.output.write_text(result.text, encoding="utf-8")
    except OSError as error:
        _log(f"--output: {options.output} could not be written: {error.strerror}. The report is on standard output.")
        return WRONG_ARGUMENTS
    return result.status


def _connection_ids(given: Sequence[str] | None) -> list[str]:
    if given:
        return list(dict.fromkeys(given))
    has_api_key = f"AIRFLOW_CONN_{API_KEY_CONNECTION.upper()}" in os.environ
    return [DEFAULT_CONNECTION, *([API_KEY_CONNECTION] if has_api_key else [])]


def _result(options: argparse.Namespace) -> _Result:
    clients: dict[str, EncordClient] = {}
    try:
        for connection_id in _connection_ids(options.encord_conn_id):
            try:
                clients[connection_id] = EncordHook(connection_id).get_conn()
            except Exception as error:  # noqa: BLE001 - the test of the connection explains every error
                return _failure(connection_id, type(error).__name__, None, as_json=options.json)
        _log(f"Sending at most {budget(clients.values())} requests, all of them reads, one after the other.")
        finished = read_and_check(clients, Selection(options.project_id, options.dataset_id))
    except ConnectionFailedError as error:
        return _failure(error.connection_id, str(error), clients[error.connection_id], as_json=options.json)
    finally:
        for client in clients.values():
            client.close()
    status = AS_EXPECTED if summarize(finished).as_expected else NOT_AS_EXPECTED
    return _Result(report_json.render(finished) if options.json else report.render(finished), status)


def _log(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _failure(connection_id: str, what: str, client: EncordClient | None, *, as_json: bool) -> _Result:
    """The report of a connection that does not work. Standard error gets the complete message.

    :param what: The error, in case the connection test finds no problem.
    """
    works, message = EncordHook(connection_id).test_connection()
    if works:
        message = f"{what} But a second test of the connection succeeded: {message}"
    _log(f"Connection {connection_id}: {message}")
    render = report_json.render_failure if as_json else report.render_failure
    return _Result(render(message, *_private(connection_id), client), CONNECTION_FAILED)


def _private(connection_id: str) -> tuple[list[str], list[str]]:
    """Hosts and other values of the connection that must not be in the report."""
    proxies = [url for scheme, url in urllib.request.getproxies().items() if scheme != "no"]
    hosts = [spelling for url in proxies for spelling in _spellings(url)]
    try:
        connection = EncordHook.get_connection(connection_id)
        extra = connection.extra_dejson
    except Exception:  # noqa: BLE001 - without a readable connection, nothing of it can be in the report
        return hosts, []
    own_hosts = _spellings(connection.host or "")
    return [*hosts, *own_hosts], [str(extra.get(field) or "") for field in _NOT_IN_REPORTS]


def _spellings(url: str) -> list[str]:
    """The host of a URL with user and port, with port, and alone."""
    whole = url.rpartition("//")[2].partition("/")[0]
    with_port = whole.rpartition("@")[2]
    return [whole, with_port, with_port.rpartition(":")[0] or with_port]
