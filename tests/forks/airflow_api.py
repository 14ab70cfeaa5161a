"""Airflow's API for tasks, which `dag.test()` talks to inside of its process; to build it takes longer than most DAGs.

Airflow keeps the one that it builds first. Importing this module builds it, so that forks of the process have it.
Airflow 2 has none.
"""

from __future__ import annotations

import importlib.util

if importlib.util.find_spec("airflow.sdk"):
    from airflow.sdk.execution_time import supervisor

    app = supervisor.in_process_api_server().app
    app._cadwyn_initialize()
