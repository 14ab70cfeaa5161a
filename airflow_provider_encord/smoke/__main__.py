"""``python -m airflow_provider_encord.smoke``: read-only calls with your own connection, and a report for an issue.

Reads ``AIRFLOW_CONN_ENCORD_DEFAULT``, and ``AIRFLOW_CONN_ENCORD_API_KEY`` if it is set; or any connection that this
machine's Airflow knows, by ``--conn-id``. Exit code 0: it ran, whatever it found; 1: a connection does not work; 2: the
arguments are wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import sys
import tempfile
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_encord.client.client import EncordClient

_DEFAULT, _API_KEY = "encord_default", "encord_api_key"
_TOLD_TO_NOBODY = ("private_key", "private_key_passphrase", "api_key", "ssh_key_path", "ca_bundle", "resource_id")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it.

    :return: The exit code.
    """
    options = _parser().parse_args(arguments)
    # Standard output is for the report; Airflow's log goes to standard error.
    with _airflow_home(), contextlib.redirect_stdout(sys.stderr):
        code, report = _report(options)
    sys.stdout.write(report)
    try:
        if options.output:
            options.output.write_text(report, encoding="utf-8")
    except OSError as error:
        _tell(f"--output: the report was not written to {options.output}: {error.strerror}. It stands above.")
        return 2
    return code


@contextlib.contextmanager
def _airflow_home() -> Iterator[None]:
    """Give Airflow a temporary home directory, unless the user has one: importing Airflow creates it."""
    if "AIRFLOW_HOME" in os.environ or pathlib.Path("~/airflow").expanduser().is_dir():
        yield
        return
    with tempfile.TemporaryDirectory(prefix="encord-smoke-") as home:
        os.environ["AIRFLOW_HOME"] = home
        try:
            yield
        finally:
            del os.environ["AIRFLOW_HOME"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_encord.smoke",
        description="Read-only calls to Encord with your own connection, and a report to paste into an issue.",
    )
    parser.add_argument(
        "--conn-id",
        action="append",
        metavar="NAME",
        help=f"id of an Airflow connection; may be repeated. Default: {_DEFAULT}, and {_API_KEY} if "
        f"AIRFLOW_CONN_{_API_KEY.upper()} is set",
    )
    looked_at = "to look at with an SSH key; a small one is kinder. Default: the first that can be listed"
    parser.add_argument("--project", type=_id, metavar="ID", help=f"project {looked_at}")
    parser.add_argument("--dataset", type=_id, metavar="ID", help=f"dataset {looked_at}")
    parser.add_argument("--output", type=_file, metavar="FILE", help="write the report there, too")
    return parser


def _id(text: str) -> str:
    try:
        return str(uuid.UUID(text.strip()))
    except ValueError:
        raise argparse.ArgumentTypeError("not an id: a UUID is expected, as the web application shows it") from None


def _file(text: str) -> pathlib.Path:
    path = pathlib.Path(text)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError("not a file that can be written: it is a directory, or is in none")
    return path


def _connection_ids(given: Sequence[str] | None) -> list[str]:
    if given:
        return list(dict.fromkeys(given))
    return [_DEFAULT, *([_API_KEY] if f"AIRFLOW_CONN_{_API_KEY.upper()}" in os.environ else [])]


def _report(options: argparse.Namespace) -> tuple[int, str]:
    from airflow_provider_encord.smoke.report import render
    from airflow_provider_encord.smoke.run import ConnectionFailedError, Wanted, budget, look_round

    clients: dict[str, EncordClient] = {}
    for connection_id in _connection_ids(options.conn_id):
        try:
            clients[connection_id] = _client(connection_id)
        except Exception as error:  # noqa: BLE001 - whatever is wrong, the connection's own test says it best
            return 1, _failure(connection_id, type(error).__name__)
    _tell(f"Reading only: at most {budget(clients.values())} requests, one after the other.")
    try:
        return 0, render(look_round(clients, Wanted(options.project, options.dataset)))
    except ConnectionFailedError as error:
        return 1, _failure(error.connection_id, str(error))
    finally:
        for client in clients.values():
            client.close()


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _client(connection_id: str) -> EncordClient:
    from airflow_provider_encord.hooks.encord import EncordHook

    return EncordHook(connection_id).get_conn()


def _failure(connection_id: str, what: str) -> str:
    """The report of a connection that does not work; it has the whole error, because it stays on this machine.

    :param what: What happened, should the connection's own test find nothing wrong.
    """
    from airflow_provider_encord.hooks.encord import EncordHook
    from airflow_provider_encord.smoke.report import render_failure

    works, message = EncordHook(connection_id).test_connection()
    if works:
        message = f"{what} A moment later it worked: {message}"
    _tell(f"Connection {connection_id}: {message}")
    return render_failure(message, *_private(connection_id))


def _private(connection_id: str) -> tuple[list[str], list[str]]:
    """Hosts, and other values of the connection, which stay out of the report."""
    from airflow_provider_encord.hooks.encord import EncordHook

    hosts = [place for scheme, url in urllib.request.getproxies().items() if scheme != "no" for place in _places(url)]
    try:
        connection = EncordHook.get_connection(connection_id)
        extra = connection.extra_dejson
    except Exception:  # noqa: BLE001 - there is no connection, or it cannot be read; either way nothing of it is in the report
        return hosts, []
    return [*hosts, *_places(connection.host or "")], [str(extra.get(field) or "") for field in _TOLD_TO_NOBODY]


def _places(url: str) -> list[str]:
    """What a URL, or the host of one, names: with user and port, with port, and without."""
    whole = url.rpartition("//")[2].partition("/")[0]
    with_port = whole.rpartition("@")[2]
    return [whole, with_port, with_port.rpartition(":")[0] or with_port]


if __name__ == "__main__":
    sys.exit(main())
