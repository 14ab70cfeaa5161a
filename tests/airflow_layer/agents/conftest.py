"""Scripts of users for the tests of agents."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.airflow_layer.agent_stage import AgentStage

Script = Callable[[str], str]


@pytest.fixture
def script(tmp_path: Path, stage: AgentStage, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Write a script of a user. No environment variable has a key for it."""
    for name in ("ENCORD_SSH_KEY", "ENCORD_SSH_KEY_FILE", "ENCORD_DOMAIN"):
        monkeypatch.delenv(name, raising=False)

    def write(text: str) -> str:
        path = tmp_path / "my_agents.py"
        path.write_text(textwrap.dedent(text).replace("{project}", stage.project_id))
        return str(path)

    return write
