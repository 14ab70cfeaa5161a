"""Small reads in a row: our client, a bare pooled session that signs, and the vendor's SDK, on one emulator.

Each contender is a process of its own, and so is the emulator, whose CPU is told, so that nobody measures the emulator
by mistake.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.emulator.process import Emulator
from demo.surroundings import EMULATOR_PYTHON, KeyPair
from tests.sdk.environments import SSH_SDK, interpreter

CONTENDERS = pathlib.Path(__file__).parent / "contenders"
EMAIL = "benchmark@example.com"


def cpu_seconds(process: int) -> float:
    """User and system time that a process has used (Linux); 0 where that cannot be told."""
    try:
        fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / 100


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=500)
    calls = parser.parse_args().calls
    pythons = {"ours": sys.executable, "bare_session": sys.executable, "sdk": str(interpreter(SSH_SDK))}
    results = {}
    with tempfile.TemporaryDirectory() as directory, Emulator.start(python=str(EMULATOR_PYTHON)) as emulator:
        pair = KeyPair.generate()
        key_file = pathlib.Path(directory) / "key"
        key_file.write_text(pair.private)
        emulator.authorize(pair.public, email=EMAIL)
        with EncordClient(SshKey.parse(pair.private), Settings(base_url=emulator.url)) as client:
            dataset = client.create_dataset("Cats").id
        for name, python in pythons.items():
            results[name] = _run(name, python, emulator, [str(key_file), str(calls), dataset])
    ratios = {
        f"ours/{name}, {unit}": round(results["ours"][unit] / results[name][unit], 2)
        for name in ("bare_session", "sdk")
        for unit in ("ms_per_call", "cpu_ms_per_call")
    }
    print(json.dumps({"what": "ratios", **ratios}))


def _run(name: str, python: str, emulator: Emulator, arguments: list[str]) -> dict[str, float]:
    before = cpu_seconds(emulator.process_id)
    emulator.clear_journal()
    command = [python, str(CONTENDERS / f"calls_{name}.py"), emulator.url, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout.splitlines()[-1])
    result["requests"] = len(emulator.journal())
    result["emulator_cpu_seconds"] = round(cpu_seconds(emulator.process_id) - before, 2)
    print(json.dumps({"what": name, **result}), flush=True)
    return result


if __name__ == "__main__":
    main()
