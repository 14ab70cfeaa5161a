"""What of a connection arrives at a hook: ``python -m tests.airflow_layer.arrival PROJECT ID...`` prints it in JSON.

A process of its own is for what Airflow reads once, when it starts: the secrets backend.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Any

from airflow_provider_encord.hooks.encord import EncordHook


@dataclasses.dataclass(frozen=True)
class Arrival:
    """A connection as the hook gets it, used once.

    :param extra: The extra fields, as Airflow hands them out.
    :param settings: Host, and what else the client makes of it.
    :param rows: How many label rows the project has, asked of Encord.
    """

    extra: dict[str, Any]
    settings: dict[str, Any]
    rows: int


def arrive(connection_id: str, project: str) -> Arrival:
    """Use a connection for one real call."""
    with EncordHook(connection_id) as hook:
        settings = hook.get_conn().settings
        return Arrival(
            hook.get_connection(connection_id).extra_dejson,
            {"base_url": settings.base_url, "connect_timeout": settings.connect_timeout},
            len(hook.get_project(project).label_rows()),
        )


if __name__ == "__main__":
    project, *names = sys.argv[1:]
    print(json.dumps({name: dataclasses.asdict(arrive(name, project)) for name in names}))
