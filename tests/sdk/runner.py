"""Running scripts with an unmodified SDK, in the SDK's own interpreter, and taking the JSON that they print.

Per version there is one interpreter, which has imported the SDK and forks for every script (`scripts/fork_server.py`).
Its environment holds none of our variables: no Airflow, no `ENCORD_...`, no proxy.
"""

import json
import os
import signal
import subprocess
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.sdk.environments import interpreter

SCRIPTS = Path(__file__).with_name("scripts")
SCRIPT_SECONDS = 60


class Runner:
    """The interpreter of one version; it runs one script at a time."""

    def __init__(self, version: str) -> None:
        self.version = version
        self._folder = TemporaryDirectory(prefix="encord-sdk-")
        self._process = subprocess.Popen(
            [str(interpreter(version)), str(SCRIPTS / "fork_server.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": self._folder.name},
            start_new_session=True,  # a script that hangs is killed together with its parent
        )

    def run(self, script: str, **options: Any) -> Any:
        """Run one of the scripts.

        :param script: Stem of a file in `scripts/` or a folder of it.
        :param options: `name_of=value` becomes `--name-of value`; lists become several values, dictionaries JSON.
        :return: What the script printed. If it fails, the test fails and shows the traceback.
        """
        with TemporaryDirectory(dir=self._folder.name) as folder:
            output, errors = Path(folder, "output"), Path(folder, "errors")
            request = {
                "script": str(next(SCRIPTS.rglob(f"{script}.py"))),
                "arguments": _arguments(options),
                "folder": folder,
                "output": str(output),
                "errors": str(errors),
            }
            if self._ask(request) != 0:
                pytest.fail(f"The SDK {self.version} failed in {script}.py:\n{errors.read_text()}", pytrace=False)
            return json.loads(output.read_text())

    def close(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
        self._folder.cleanup()

    def _ask(self, request: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watchdog = threading.Timer(SCRIPT_SECONDS, os.killpg, (self._process.pid, signal.SIGKILL))
        watchdog.start()
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        finally:
            watchdog.cancel()
        if not answer:
            pytest.fail(f"The SDK {self.version} did not end {request['script']} within {SCRIPT_SECONDS} s.")
        return int(json.loads(answer)["returncode"])


_runners: dict[str, Runner] = {}


def run_sdk(version: str, script: str, **options: Any) -> Any:
    """Run a script with the SDK of this version; see :meth:`Runner.run`."""
    if version not in _runners:
        _runners[version] = Runner(version)
    return _runners[version].run(script, **options)


def close_all() -> None:
    """End every interpreter; the next script starts a new one."""
    while _runners:
        _runners.popitem()[1].close()


def _arguments(options: dict[str, Any]) -> list[str]:
    arguments: list[str] = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, list):
            arguments += [flag, *value]
        else:  # in one word, because an API key may begin with a hyphen
            arguments.append(f"{flag}={json.dumps(value) if isinstance(value, dict) else value}")
    return arguments
