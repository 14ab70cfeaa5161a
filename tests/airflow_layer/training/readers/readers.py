"""The readers of training sets: libraries in an environment of their own, `.venvs/readers`, made by `make readers`."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

_CHECKOUT = Path(__file__).resolve().parents[4]
ENVIRONMENT = _CHECKOUT / ".venvs" / "readers"
IS_READY = (ENVIRONMENT / ".ready").exists()


def read(library: str, *arguments: object, directory: Path) -> Any:
    """What a library reads.

    :param directory: For what the library writes, such as a cache.
    """
    script = Path(__file__).with_name("scripts") / f"read_{library}.py"
    # Nothing is asked of the network, and nothing is written into the home directory.
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(directory),
        "YOLO_CONFIG_DIR": str(directory),
        "YOLO_OFFLINE": "True",
        "MPLCONFIGDIR": str(directory),
    }
    done = subprocess.run(
        [ENVIRONMENT / "bin" / "python", script, *map(str, arguments)],
        env=environment,
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
