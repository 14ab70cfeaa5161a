"""Where the demo runs: a directory of its own in the checkout, an Airflow of its own, credentials made for this run."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Mapping

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

CHECKOUT = pathlib.Path(__file__).resolve().parents[1]
WORK = CHECKOUT / ".work" / "demo"
TEMPORARY = CHECKOUT / ".work" / "tmp"
EMULATOR_PYTHON = CHECKOUT / ".venvs" / "emulator" / "bin" / "python"

LONGEST_COMMAND = 300  # seconds


class DemoError(Exception):
    """Something that the demo shows did not come out as it should."""


@dataclasses.dataclass(frozen=True)
class Environment:
    """Directories of one run.

    :param work: Everything that the demo writes is below it.
    """

    work: pathlib.Path = WORK

    @property
    def images(self) -> pathlib.Path:
        return self.work / "images"

    @property
    def exports(self) -> pathlib.Path:
        return self.work / "exports"

    @property
    def airflow_home(self) -> pathlib.Path:
        return self.work / "airflow"

    @property
    def log(self) -> pathlib.Path:
        return self.work / "airflow.log"

    def prepare(self) -> None:
        """Start from nothing, so that the demo does the same the second time."""
        shutil.rmtree(self.work, ignore_errors=True)
        for directory in (self.images, self.exports, self.airflow_home):
            directory.mkdir(parents=True)

    def environment(self, connections: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
        """The environment of an Airflow command.

        :param connections: Connections by id, as JSON objects.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ENCORD"))}
        own = {
            "AIRFLOW_HOME": str(self.airflow_home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(CHECKOUT / "example_dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1",  # seconds: what fails here should be seen soon
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
            "NO_PROXY": "127.0.0.1,localhost",  # the emulator is on this machine, whatever way leads out of it
            "no_proxy": "127.0.0.1,localhost",
            "PATH": f"{pathlib.Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}",
        }
        ways_in = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(connection) for name, connection in connections.items()}
        return kept | own | ways_in

    def airflow(self, *arguments: str, connections: Mapping[str, Mapping[str, object]]) -> None:
        """Run an Airflow command; what it prints goes to the log file.

        :raises DemoError: It failed.
        """
        command = [sys.executable, "-m", "airflow", *arguments]
        with self.log.open("a") as log:
            log.write(f"\n$ airflow {' '.join(arguments)}\n")
            log.flush()
            try:
                done = subprocess.run(
                    command,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=self.environment(connections),
                    cwd=self.work,
                    timeout=LONGEST_COMMAND,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise DemoError(f"airflow {' '.join(arguments[:3])} hangs; its output is in {self.log}.") from None
        if done.returncode:
            tail = "\n".join(self.log.read_text().splitlines()[-40:])
            raise DemoError(f"airflow {' '.join(arguments[:3])} failed; the end of {self.log}:\n{tail}")


@dataclasses.dataclass(frozen=True)
class KeyPair:
    """An SSH key, both halves as they stand in files."""

    private: str = dataclasses.field(repr=False)
    public: str

    @classmethod
    def generate(cls) -> KeyPair:
        """Make one for this run."""
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        return cls(private=private.decode(), public=public.decode())


def write_images(directory: pathlib.Path, count: int) -> list[pathlib.Path]:
    """Write real PNG files, each with another picture: a sky, a street, and a car somewhere on it."""
    paths = []
    for number in range(count):
        path = directory / f"street-{number + 1:02}.png"
        path.write_bytes(png(*_street(number)))
        paths.append(path)
    return paths


def _street(number: int, width: int = 160, height: int = 90) -> tuple[int, int, bytes]:
    rows = bytearray()
    left = 5 + number * 11 % (width - 40)
    for y in range(height):
        ground = (70, 70, 75) if y > height * 2 // 3 else (120 + number * 7 % 60, 170, 230 - y)
        row = bytearray(b"\0" + bytes(ground) * width)
        if height * 3 // 5 < y < height * 4 // 5:
            row[1 + 3 * left : 1 + 3 * (left + 30)] = bytes((200, 40 + number * 13 % 150, 40)) * 30
        rows += row
    return width, height, bytes(rows)


def png(width: int, height: int, rows: bytes) -> bytes:
    """A PNG file.

    :param rows: The pixels, three bytes each; every row begins with a zero byte.
    """

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
