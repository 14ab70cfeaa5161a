"""Deliveries at a real API server with two processes: responses, latencies, errors, and asset events stored.

Deliveries are sent at a fixed rate, whether or not earlier ones have been answered, and a latency counts from the time
at which the delivery was due. Each is signed and has a uid of its own. Airflow's database is SQLite. Prints a line of
JSON for each way of spreading the deliveries over stages, and the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from airflow_provider_encord.assets import stage_uri
from benchmarks.calls import EMAIL, cpu_seconds
from benchmarks.sizes import Sizes, parse
from demo.environment import EMULATOR_PYTHON, KeyPair
from encord_emulator.process import Emulator
from tests.deployment.processes import WEB, Deployment

SECRET = secrets.token_hex(16)
CONNECTIONS = 4000
STAGES = [{"stageType": "AGENT", "title": "Pre-label"}, {"stageType": "DONE", "title": "Complete"}]


def request_of(port: int, project_id: str, stage_id: str) -> bytes:
    """A signed delivery as it is written to a connection."""
    payload = {
        "project_hash": project_id,
        "stage_uuid": stage_id,
        "pending_count": 10,
        "reason": "batch_size_reached",
    }
    envelope = {
        "uid": str(uuid.uuid4()),
        "version": 1,
        "source": "Encord",
        "event_type": "agent_stage_work_available_event",
        "event_created_timestamp": "2026-11-29T10:00:00+00:00",
        "payload": payload,
    }
    body, timestamp = json.dumps(envelope).encode(), str(int(time.time()))
    signature = hmac.new(SECRET.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    head = (
        f"POST /encord/webhook HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"X-Encord-Timestamp: {timestamp}\r\nX-Encord-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Sender:
    """Sends requests over connections that stay open.

    :param port: Of the API server.
    """

    def __init__(self, port: int):
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.latencies: list[float] = []
        self.outcomes: collections.Counter[str] = collections.Counter()
        self._places = asyncio.Semaphore(CONNECTIONS)

    async def send(self, request: bytes, due: float) -> None:
        """Send a request that is due at this time of the loop."""
        async with self._places:
            outcome = await self._attempt(request)
        self.latencies.append(asyncio.get_running_loop().time() - due)
        self.outcomes[outcome] += 1

    async def _attempt(self, request: bytes) -> str:
        try:
            if self._idle:
                with contextlib.suppress(OSError, EOFError):  # the server closes connections that were idle
                    return await self._exchange(request, *self._idle.pop())
            return await self._exchange(request, *await asyncio.open_connection("127.0.0.1", self._port))
        except (OSError, EOFError) as error:
            return type(error).__name__

    async def _exchange(self, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        self._idle.append((reader, writer))
        status = head[9:12].decode()
        return f"{status} {json.loads(body).get('status', '')}".strip()

    def close(self) -> None:
        """Close the connections."""
        for _, writer in self._idle:
            writer.close()


async def send_all(port: int, targets: Sequence[tuple[str, str]], rate: int, seconds: int) -> Sender:
    """Send deliveries for stages in turn, at a fixed rate.

    :param targets: Ids of projects and stages.
    """
    sender, loop = Sender(port), asyncio.get_running_loop()
    requests = [request_of(port, *targets[number % len(targets)]) for number in range(rate * seconds)]
    began, running = loop.time(), set()
    for number, request in enumerate(requests):
        due = began + number / rate
        if due > loop.time():
            await asyncio.sleep(due - loop.time())
        running.add(asyncio.create_task(sender.send(request, due)))
    await asyncio.gather(*running)
    sender.close()
    return sender


class Airflow:
    """An API server with a receiver.

    :param emulator: Encord.
    :param projects: Ids of projects and their agent stages.
    :param connection: With it the receiver looks up; None to look up nothing.
    """

    def __init__(self, home: Path, emulator: Emulator, projects: Sequence[tuple[str, str]], connection: str | None):
        api = "api.encord.com" if connection is None else emulator.url
        self._uris = [stage_uri(api, *target) for target in projects]
        environment = {
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "AIRFLOW__ENCORD__WEBHOOK_SECRETS": SECRET,
            "AIRFLOW__ENCORD__WEBHOOK_PROJECTS": ",".join(project for project, _ in projects),
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        }
        if connection is not None:
            environment["AIRFLOW__ENCORD__WEBHOOK_CONN_ID"] = "encord_default"
            environment["AIRFLOW_CONN_ENCORD_DEFAULT"] = connection
        (home / "dags").mkdir(parents=True)
        self.deployment = Deployment(
            Path(sys.executable), home / "home", home / "dags", (WEB,), environment=environment, web_workers=2
        )
        self._database = home / "home" / "airflow.db"

    def add_assets(self) -> None:
        """Store active assets, as the DAG processor does for DAGs that are scheduled on them."""
        with contextlib.closing(sqlite3.connect(self._database, timeout=60)) as database, database:
            for uri in self._uris:
                now = "2026-01-01 00:00:00.000000"
                row = (uri, uri, "asset", "{}", now, now)
                columns = 'name, uri, "group", extra, created_at, updated_at'
                database.execute(f"INSERT INTO asset ({columns}) VALUES (?, ?, ?, ?, ?, ?)", row)
                database.execute("INSERT INTO asset_active (name, uri) VALUES (?, ?)", (uri, uri))

    def events(self) -> tuple[int, int]:
        """Number of asset events, and of different deliveries in them."""
        with contextlib.closing(sqlite3.connect(self._database, timeout=60)) as database:
            extras = [json.loads(extra) for (extra,) in database.execute("SELECT extra FROM asset_event")]
        return len(extras), len({digest for extra in extras for digest in extra["encord_deliveries"]})

    def cpu_seconds(self) -> float:
        """CPU time of the server's processes."""
        family = psutil.Process().children(recursive=True)
        return sum(cpu_seconds(process.pid) for process in family if _listens(process, self.deployment.port))


def _listens(process: psutil.Process, port: int) -> bool:
    with contextlib.suppress(psutil.Error):
        return any(one.laddr and one.laddr.port == port for one in process.net_connections("tcp"))
    return False


def measure(airflow: Airflow, name: str, targets: Sequence[tuple[str, str]], options: Any) -> dict[str, Any]:
    """Send deliveries, and count the responses and the events."""
    port = airflow.deployment.port
    asyncio.run(send_all(port, targets, 50, 2))  # the processes warm up
    events, deliveries = airflow.events()
    spent, own, began = airflow.cpu_seconds(), time.process_time(), time.monotonic()
    sender = asyncio.run(send_all(port, targets, options.rate, options.seconds))
    elapsed = time.monotonic() - began
    events_after, deliveries_after = airflow.events()
    cuts = statistics.quantiles(sender.latencies, n=100)
    return {
        "deliveries": name,
        "rate_per_second": options.rate,
        "sent": options.rate * options.seconds,
        "answered_per_second": round(sum(sender.outcomes.values()) / elapsed),
        "outcomes": dict(sender.outcomes),
        "errors": sum(count for outcome, count in sender.outcomes.items() if not outcome.startswith("200")),
        "median_ms": round(1000 * cuts[49]),
        "p99_ms": round(1000 * cuts[98]),
        "longest_ms": round(1000 * max(sender.latencies)),
        "events": events_after - events,
        "deliveries_in_events": deliveries_after - deliveries,
        "server_cpu_percent": round(100 * (airflow.cpu_seconds() - spent) / elapsed),
        "sender_cpu_percent": round(100 * (time.process_time() - own) / elapsed),
    }


def run(
    emulator: Emulator, connection: str | None, names: dict[str, Sequence[tuple[str, str]]], options: Any
) -> list[dict[str, Any]]:
    """Measure with one API server.

    :param names: The stages of each measurement, by its name.
    """
    every = list(dict.fromkeys(target for targets in names.values() for target in targets))
    results = []
    with tempfile.TemporaryDirectory() as folder:
        airflow = Airflow(Path(folder), emulator, every, connection)
        with airflow.deployment:
            airflow.add_assets()
            for name, targets in names.items():
                results.append(measure(airflow, name, targets, options))
                print(json.dumps(results[-1]), flush=True)
    return results


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=1000, help="deliveries in a second")
    parser.add_argument("--seconds", type=int, help="how long each measurement takes")
    parser.add_argument("--stages", type=int, default=100, help="over how many stages the deliveries are spread")
    options = parse(parser, seconds=Sizes(3, 10))
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "WARNING")
    pair = KeyPair.generate()
    with Emulator.start(python=str(EMULATOR_PYTHON)) as emulator:
        emulator.authorize(pair.public, email=EMAIL)
        template = emulator.template("agents", STAGES)["uuid"]
        seeded = [
            emulator.project(EMAIL, f"Announced {number}", 10, template=template) for number in range(options.stages)
        ]
        targets = [(project["project_id"], project["stages"][0]["uuid"]) for project in seeded]
        extra = {"private_key": pair.private}
        connection = json.dumps({"conn_type": "encord", "host": emulator.url, "extra": extra})
        one, many = run(emulator, None, {"one stage": targets[:1], f"{options.stages} stages": targets}, options)
        (looked_up,) = run(emulator, connection, {"one stage, looked up": targets[:1]}, options)
    ratios = {
        "events_of_many_stages_to_one": round(many["events"] / one["events"], 1),
        "median_latency_with_lookup_to_without": round(looked_up["median_ms"] / one["median_ms"], 1),
    }
    print(json.dumps({"ratios": ratios}))


if __name__ == "__main__":
    main()
