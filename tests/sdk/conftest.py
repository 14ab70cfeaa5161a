"""The referee's bench: an emulator in a process of its own, accounts on it, and the vendor's SDKs as subprocesses.

Nothing of an SDK is imported into the tests. A script runs in the SDK's own interpreter, with an environment that holds
none of our variables, and prints one JSON document.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.emulator.process import Emulator
from tests.sdk import media
from tests.sdk.environments import interpreter
from tests.wire.server import Server, User

SCRIPTS = Path(__file__).with_name("scripts")
SCRIPT_SECONDS = 60


def run_sdk(version: str, script: str, home: Path, **options: Any) -> Any:
    """Run one of the scripts with an unmodified SDK.

    :param version: Version of the SDK; names the environment.
    :param script: Stem of a file in `scripts/`.
    :param home: Home directory of the subprocess.
    :param options: `name_of=value` becomes `--name-of value`; lists become several values, dictionaries JSON.
    :return: What the script printed.
    """
    command = [str(interpreter(version)), str(SCRIPTS / f"{script}.py")]
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, list):
            command += [flag, *value]
        else:  # in one word, because an API key may begin with a hyphen
            command.append(f"{flag}={json.dumps(value) if isinstance(value, dict) else value}")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=SCRIPT_SECONDS, env=environment, cwd=home, check=False
    )
    if done.returncode != 0:
        pytest.fail(f"The SDK {version} failed in {script}.py:\n{done.stderr}", pytrace=False)
    return json.loads(done.stdout)


class Account(User):
    """A user of the emulator whose key lies in a file, as an SDK wants it."""

    def __init__(self, server: Server, email: str, home: Path) -> None:
        super().__init__(server, email)
        self.home = home
        self.key_file = home / "id_ed25519"
        self.key_file.write_bytes(self.key.private_openssh())

    def run(self, version: str, script: str, **options: Any) -> Any:
        """Run a script signed in as this user."""
        return run_sdk(version, script, self.home, url=self.server.url, key_file=self.key_file, **options)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """An emulator of this module's own."""
    with Emulator.start() as emulator:
        yield Server(emulator.url)


@pytest.fixture(scope="module")
def new_account(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Account]:
    """Registers a user of the given address."""
    return lambda email: Account(server, email, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def owner(new_account: Callable[[str], Account]) -> Account:
    return new_account("owner@example.com")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Real media files by name; the numbers in a name are its size in pixels."""
    folder = tmp_path_factory.mktemp("pictures")
    contents = {
        "crossing 64x48.png": media.png(64, 48),
        "kerb 65x33.jpg": media.jpeg(65, 33),
        "lane 640x480.jpg": media.jpeg(640, 480),
        "drive 320x240.mp4": media.mp4(320, 240, frames=30, frames_per_second=10),
    }
    files = {name: folder / name for name in contents}
    for name, content in contents.items():
        files[name].write_bytes(content)
    return files
