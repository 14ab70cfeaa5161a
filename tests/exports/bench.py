"""What the tests of exporting stand on: rows of any shape, and a transport that answers like an Encord of few words.

The transport takes the place of the network, below the client, where the emulator cannot be made to misbehave so
finely: it answers in any order, leaves rows out, gives one twice, refuses a bundle for its weight.
"""

from __future__ import annotations

import dataclasses
import json
import random
import re
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from hypothesis import strategies

from airflow_provider_encord.client.call import Call, Envelope
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.errors import (
    EncordError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
)
from airflow_provider_encord.client.transport.sync import SyncTransport
from airflow_provider_encord.defaults import JSON_LINES, SHARD_BYTES
from airflow_provider_encord.exports.labels import ExportSpec, export_labels
from airflow_provider_encord.exports.listing import RowSelection
from airflow_provider_encord.exports.manifest import Layout, Manifest
from airflow_provider_encord.exports.reading import ReadOptions
from tests.client import keys

PROJECT = "00000000-0000-4000-8000-00000000000a"
QUESTION = RowSelection(project_id=PROJECT)
_KEY = SshKey.parse(keys.openssh(keys.new_key()))


@dataclasses.dataclass(frozen=True)
class Unit:
    """A data unit of a project.

    :param row: Its label row as JSON text; None if it has no labels.
    """

    data_hash: str
    label_hash: str | None
    row: bytes | None
    branch: str = "main"
    last_edited_at: str | None = None

    def metadata(self) -> dict[str, Any]:
        return {
            "label_hash": self.label_hash,
            "data_hash": self.data_hash,
            "dataset_hash": str(uuid.UUID(int=1)),
            "data_title": "a.png",
            "data_type": "IMAGE",
            "branch_name": self.branch,
            "last_edited_at": self.last_edited_at,
        }


def unit(number: int, content: Any = None, *, labelled: bool = True, indent: int | None = None, **more: Any) -> Unit:
    """A data unit whose hashes are in the order of the numbers."""
    data_hash, label_hash = str(uuid.UUID(int=number)), str(uuid.UUID(int=2**100 - number))
    if not labelled:
        return Unit(data_hash, None, None, **more)
    row = {"label_hash": label_hash, "data_hash": data_hash, "content": content}
    return Unit(data_hash, label_hash, json.dumps(row, indent=indent, ensure_ascii=False).encode(), **more)


def units(count: int, **more: Any) -> list[Unit]:
    """Labelled data units with a little content."""
    return [unit(number, {"note": f"row {number}"}, **more) for number in range(1, count + 1)]


# "\n" as JSON escapes it, and what else ends lines for somebody
_TEXTS = strategies.text(strategies.sampled_from('ab \n\r\t"\\\u2028\u2029\u0085\x0b\x1eé\U0001f600'), max_size=12)
_CONTENTS = strategies.recursive(
    _TEXTS | strategies.integers() | strategies.none(),
    lambda inner: strategies.lists(inner, max_size=3) | strategies.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)
PROJECTS = strategies.lists(
    strategies.tuples(
        strategies.integers(1, 10**6), _CONTENTS, strategies.booleans(), strategies.sampled_from([None, 2])
    ),
    unique_by=lambda parts: parts[0],
    max_size=30,
).map(
    lambda all_: [unit(number, content, labelled=labelled, indent=indent) for number, content, labelled, indent in all_]
)


@dataclasses.dataclass
class Encord:
    """Answers in place of the network.

    :param most_rows: Label limit per request.
    :param most_bytes: A larger answer is refused with 413.
    :param gone: Label hashes that were deleted after they were listed.
    :param unsupported: Label hashes that answers leave out although they are listed; how often.
    :param refuses_gone: Refuses a whole bundle that names one of them; else it leaves them out.
    :param refuses_every_row: What every read fails with.
    :param seed: For the order of each answer.
    :param fails_at: Number of the read, counted from 1, that fails with `failure`.
    """

    units: Sequence[Unit]
    most_rows: int = 1000
    most_bytes: int = 10**9
    gone: frozenset[str] = frozenset()
    unsupported: dict[str, int] = dataclasses.field(default_factory=dict)
    refuses_gone: bool = False
    refuses_every_row: EncordError | None = None
    seed: int = 0
    fails_at: int | None = None
    failure: BaseException | None = None
    reads: list[int] = dataclasses.field(default_factory=list)
    asked: list[Envelope] = dataclasses.field(default_factory=list)
    clock_ahead: float | None = 0.0
    largest: int = 0

    def client(self) -> EncordClient:
        return EncordClient(_KEY, transport=cast("SyncTransport", self))

    def send(self, call: Call[Any]) -> Any:
        request = call.request
        if not isinstance(request, Envelope):
            raise PermissionDeniedError("the ontology may not be read")
        assert request.verb == "GET"
        self.asked.append(request)
        if request.query_type == "labelrowmetadata":
            wanted = request.payload["label_hashes"]
            found = [one for one in self.units if wanted is None or one.label_hash in wanted]
            if self.reads:
                found = [one for one in found if one.label_hash not in self.gone]
            return call.read(json.dumps([one.metadata() for one in found]).encode())
        answer = self._rows(request.uid)
        if len(answer) > call.most_bytes:
            raise PayloadTooLargeError("the answer is too large")
        self.largest = max(self.largest, len(answer))
        return call.read(answer)

    def _rows(self, label_hashes: list[str]) -> bytes:
        self.reads.append(len(label_hashes))
        if len(self.reads) == self.fails_at:
            raise self.failure or EncordError("failed")
        if self.refuses_every_row:
            raise self.refuses_every_row
        if len(label_hashes) > self.most_rows:
            raise PayloadTooLargeError("too many", maximum=self.most_rows)
        if self.refuses_gone and self.gone & {*label_hashes}:
            raise NotFoundError("not found")
        left_out = {one for one in label_hashes if self.unsupported.get(one, 0) > 0}
        self.unsupported |= {one: self.unsupported[one] - 1 for one in left_out}
        wanted = {*label_hashes} - self.gone - left_out
        rows = [one.row for one in self.units if one.label_hash in wanted and one.row]
        if sum(map(len, rows)) > self.most_bytes:
            raise PayloadTooLargeError("too large")
        random.Random(f"{self.seed} {len(self.reads)}").shuffle(rows)
        return b"[" + b"\n,\r\n".join(rows) + b"]"


def export(
    client: EncordClient, selection: RowSelection, destination: Any, *, max_shard_bytes: int = SHARD_BYTES, **more: Any
) -> Manifest:
    """Export JSON Lines.

    :param more: Of `ExportSpec`, of `Layout`, or of `export_labels`.
    """
    reading = ReadOptions(
        **{name: more.pop(name) for name in ("batch_size", "max_concurrency", "skip_unreadable") if name in more}
    )
    clock = {"clock": more.pop("clock")} if "clock" in more else {}
    layout = Layout(format=more.pop("format", JSON_LINES), max_shard_bytes=max_shard_bytes)
    return export_labels(
        client, ExportSpec(selection=selection, layout=layout, **more), destination, reading=reading, **clock
    )


_IDS = re.compile(r"-[0-9a-f]{8}-(\d+)-(\d+)-[0-9a-f]{8}\.")


def names(directory: Path) -> list[str]:
    """The names of the label files in a directory."""
    return [path.name for path in sorted(directory.glob("labels-*"))]


def files(directory: Path) -> dict[str, bytes]:
    """The label files of an export, by name without the ids of the plan and the try."""
    return {_IDS.sub(r"-\1-\2.", name): (directory / name).read_bytes() for name in names(directory)}


def lines(directory: Path, manifest: Manifest) -> list[bytes]:
    """The lines of all shards, in order."""
    content = b"".join((directory / shard.name).read_bytes() for shard in manifest.shards)
    assert not content or content.endswith(b"\n")
    return content.split(b"\n")[:-1]
