"""Airflow's databases in SQLite wait for no disk: those of tests need not outlive the machine.

Whatever happens to a process, what it has committed stays as ever: only a power failure could take it away. Importing
this module is enough, for all connections that are made afterwards.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine


@event.listens_for(Engine, "connect")
def _wait_for_no_disk(connection: Any, record: Any) -> None:
    if "sqlite" in type(connection).__module__:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous = OFF")
        cursor.close()
