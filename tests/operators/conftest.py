"""Operators one by one, without DAGs, on emulators of their own."""

from __future__ import annotations

from tests.airflow_layer.log_lines import log_lines_once

__all__ = ["log_lines_once"]
