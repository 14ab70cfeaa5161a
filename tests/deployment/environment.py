"""What a deployment takes over from this process, and which Airflow an environment has."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

_DROPPED = ("AIRFLOW", "_AIRFLOW", "ENCORD_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "PYTHONDONTWRITEBYTECODE")


def kept_variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(_DROPPED)}


def airflow_version(python: Path) -> tuple[int, ...]:
    """Of Airflow in an environment: ``(3, 3, 2)``."""
    code = "import importlib.metadata as m, json; print(json.dumps(m.version('apache-airflow').split('.')))"
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return tuple(int(part) for part in json.loads(done.stdout))
