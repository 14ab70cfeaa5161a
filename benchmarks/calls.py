"""Small reads in a row over TLS: our clients, bare pooled sessions that sign, and the vendor's SDK, on one emulator.

Each contender is a process of its own, and so is the emulator, whose CPU is reported, so that no contender measures the
emulator by mistake. They take turns, several times, and the best turn of each counts: the machine may have other work.
Trusted are the usual authorities, as on any machine; the SDK opens a connection for each request, and reads them again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import certifi

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from benchmarks.sizes import Sizes, parse
from demo.environment import CHECKOUT, EMULATOR_PYTHON, KeyPair
from encord_emulator.process import Emulator
from tests.client.authority import Authority
from tests.sdk.environments import SSH_SDK, interpreter

CONTENDERS = pathlib.Path(__file__).parent / "contenders"
EMAIL = "benchmark@example.com"
UNITS = ("ms_per_call", "cpu_ms_per_call")


def cpu_seconds(process: int) -> float:
    """User and system time that a process has used (Linux); 0 where that is not known."""
    try:
        fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / 100


@contextlib.contextmanager
def tls_emulator(chain: pathlib.Path) -> Iterator[tuple[Emulator, str]]:
    """An emulator, and where it speaks TLS."""
    python = os.environ.get("ENCORD_EMULATOR_PYTHON", str(EMULATOR_PYTHON))
    command = [python, "-m", "benchmarks.tls_emulator", str(chain)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as process:
        assert process.stdout is not None
        plain, _, tls = process.stdout.readline().strip().partition(" ")
        try:
            yield Emulator(plain, process), tls
        finally:
            process.terminate()


class Race:
    """One emulator, and what each contender needs to run against it.

    :param bundle: The certificates to trust.
    :param arguments: Where it speaks TLS, the file of the key, the dataset.
    """

    def __init__(self, emulator: Emulator, bundle: pathlib.Path, *arguments: str):
        self.emulator = emulator
        self.url, self.key_file, self.dataset = arguments
        self.environment = {**os.environ, "REQUESTS_CA_BUNDLE": str(bundle)}

    def run(self, name: str, calls: int, python: str = sys.executable) -> dict[str, float]:
        """One turn of a contender: so many calls in a row."""
        before = cpu_seconds(self.emulator.process_id)
        self.emulator.clear_journal()
        command = [python, str(CONTENDERS / f"calls_{name}.py"), self.url, self.key_file, str(calls), self.dataset]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=self.environment)
        result: dict[str, float] = {
            unit: round(value, 3) for unit, value in json.loads(done.stdout.splitlines()[-1]).items() if unit in UNITS
        }
        result["requests"] = len(self.emulator.journal())
        result["emulator_cpu_seconds"] = round(cpu_seconds(self.emulator.process_id) - before, 2)
        return result


@contextlib.contextmanager
def races(directory: pathlib.Path) -> Iterator[Race]:
    """An emulator that speaks TLS, with a dataset and a key."""
    authority = Authority(directory, "benchmark")
    bundle = directory / "bundle.pem"  # the usual authorities and one more, as companies have it
    bundle.write_bytes(pathlib.Path(certifi.where()).read_bytes() + authority.bundle.read_bytes())
    with tls_emulator(authority.chain) as (emulator, url):
        pair = KeyPair.generate()
        key_file = directory / "key"
        key_file.write_text(pair.private)
        emulator.authorize(pair.public, email=EMAIL)
        with EncordClient(SshKey.parse(pair.private), Settings(base_url=emulator.url)) as client:
            dataset = client.create_dataset("Cats").id
        yield Race(emulator, bundle, url, str(key_file), dataset)


def best_of(turns: list[dict[str, float]]) -> dict[str, float]:
    """The least of each figure."""
    return {unit: min(turn[unit] for turn in turns) for unit in turns[0]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", help="how many calls in a row")
    parser.add_argument("--turns", type=int, help="how often each contender runs")
    options = parse(parser, calls=Sizes([100], [100, 500]), turns=Sizes(3, 5))
    pythons = {
        "bare_session": sys.executable,
        "bare_async": sys.executable,
        "ours": sys.executable,
        "ours_async": sys.executable,
        "sdk": str(interpreter(SSH_SDK)),
    }
    ratios: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, races(pathlib.Path(folder)) as race:
        for calls in options.calls:
            turns = [
                {name: race.run(name, calls, python) for name, python in pythons.items()} for _ in range(options.turns)
            ]
            best = {name: best_of([turn[name] for turn in turns]) for name in pythons}
            for name, result in best.items():
                print(json.dumps({"what": name, "calls": calls, **result}), flush=True)
            ratios |= ratios_of(best, calls)
    print(json.dumps({"what": "ratios", **ratios}))


def ratios_of(best: dict[str, dict[str, float]], calls: int) -> dict[str, float]:
    """What ours cost as multiples of the others."""
    return {
        f"{ours}/{other}, {unit}, {calls} calls": round(best[ours][unit] / best[other][unit], 2)
        for ours, bare in (("ours", "bare_session"), ("ours_async", "bare_async"))
        for other in (bare, "sdk")
        for unit in UNITS
    }


if __name__ == "__main__":
    main()
