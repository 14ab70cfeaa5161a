"""The options of the command, for both ways to run it: as a Python module and as a command of Airflow.

Airflow reads this file for each of its commands, so it imports only the standard library.
"""

from __future__ import annotations

import argparse
import pathlib
import uuid
from typing import Any

DEFAULT_CONNECTION = "encord_default"
API_KEY_CONNECTION = "encord_api_key"
DESCRIPTION = (
    "Send read-only requests to Encord with your own connection, and print a report to paste into an issue. The report "
    "contains no secrets, ids, titles or e-mail addresses."
)
EXIT_STATUS = (
    "Exit status: 0, every answer was as expected; 1, a connection does not work; 2, an option is wrong or the report "
    "was not written; 3, an answer was not as expected: please report it."
)


def parse_id(text: str) -> str:
    """An id, in the form that Encord's API uses."""
    try:
        return str(uuid.UUID(text.strip()))
    except ValueError:
        raise argparse.ArgumentTypeError("expected an id (UUID), as the web application shows it") from None


def parse_file(text: str) -> pathlib.Path:
    """A path at which a file can be created."""
    path = pathlib.Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError("expected a file, not a directory")
    if not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError("the directory of this file does not exist")
    return path


_FIRST_LISTED = "to read with an SSH key; a small one takes less time. Default: the first ones that are listed"

OPTIONS: dict[str, dict[str, Any]] = {
    "--encord-conn-id": {
        "action": "append",
        "metavar": "CONN_ID",
        "help": f"id of an Airflow connection; may be given more than once. Default: {DEFAULT_CONNECTION}, and "
        f"{API_KEY_CONNECTION} if AIRFLOW_CONN_{API_KEY_CONNECTION.upper()} is set",
    },
    "--project-id": {"type": parse_id, "metavar": "ID", "help": f"project {_FIRST_LISTED}"},
    "--dataset-id": {"type": parse_id, "metavar": "ID", "help": f"dataset {_FIRST_LISTED}"},
    "--json": {"action": "store_true", "help": "print the report as JSON instead of Markdown"},
    "--output": {"type": parse_file, "metavar": "FILE", "help": "also write the report to this file"},
}
"""What `argparse` needs for each option."""


def parser() -> argparse.ArgumentParser:
    """The parser of ``python -m airflow_provider_encord.smoke``."""
    made = argparse.ArgumentParser(
        prog="python -m airflow_provider_encord.smoke", description=DESCRIPTION, epilog=EXIT_STATUS
    )
    for flag, arguments in OPTIONS.items():
        made.add_argument(flag, **arguments)
    return made
