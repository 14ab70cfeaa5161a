"""``python -m airflow_provider_encord.smoke``: read-only requests with your own connection, and a report for an issue.

It uses the connections ``encord_default`` and, if ``AIRFLOW_CONN_ENCORD_API_KEY`` is set, ``encord_api_key``; or those
of ``--encord-conn-id``. The report goes to standard output, everything else to standard error. ``--help`` lists the
options and what each exit status means.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import sys
import tempfile
from collections.abc import Iterator, Sequence

from airflow_provider_encord.smoke.options import parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    :return: The exit status.
    """
    options = parser().parse_args(arguments)
    with _airflow_home():
        from airflow_provider_encord.smoke.command import run

        return run(options)


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


if __name__ == "__main__":
    sys.exit(main())
