"""Single operators, without DAGs, on emulators of their own."""

from __future__ import annotations

from tests.airflow_layer.log_lines import log_lines_once
from tests.airflow_layer.threads import _threads_may_execute

__all__ = ["_threads_may_execute", "log_lines_once"]
