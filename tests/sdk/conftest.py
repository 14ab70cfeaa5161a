"""The referee's bench: an emulator in a process of its own, accounts on it, and the vendor's SDKs as subprocesses.

Nothing of an SDK is imported into the tests.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.forks.client import Forks
from tests.forks.emulators import fresh_emulator
from tests.sdk import coverage, media
from tests.sdk.runner import close_all, run_sdk
from tests.wire.server import Server, User


class Account(User):
    """A user of the emulator whose key lies in a file, as an SDK wants it."""

    def __init__(self, server: Server, email: str, folder: Path) -> None:
        super().__init__(server, email)
        self.key_file = folder / "id_ed25519"
        self.key_file.write_bytes(self.key.private_openssh())

    def run(self, version: str, script: str, **options: Any) -> Any:
        """Run a script signed in as this user."""
        return run_sdk(version, script, url=self.server.url, key_file=self.key_file, **options)


@pytest.fixture(scope="session", autouse=True)
def interpreters() -> Iterator[None]:
    """The SDKs' interpreters end with the tests."""
    yield
    close_all()


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, emulator_forks: Forks) -> Iterator[Server]:
    """An emulator of this module's own; what it was asked is noted for the page of operations if that is wanted."""
    with fresh_emulator(emulator_forks) as emulator:
        yield Server(emulator.url)
        if coverage.WANTED:
            coverage.note(request.module.__name__.rpartition(".")[2], emulator.journal())


@pytest.fixture(scope="module")
def new_account(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Account]:
    """Registers a user of the given address."""
    return lambda email: Account(server, email, tmp_path_factory.mktemp("keys"))


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
