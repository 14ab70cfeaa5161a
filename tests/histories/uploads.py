"""Histories of uploads: a folder of files that people change, a dataset or folder, with and without a report."""

from __future__ import annotations

import collections
import hashlib
import json
from pathlib import Path
from typing import Any, ClassVar

import requests
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from airflow_provider_encord.client.api.storage_items import get_items
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.operators.storage import EncordUploadFilesOperator
from tests.histories.moves import PICKS, Moves, Run

_ALIKE = ["cam1/f.bmp", "cam2/f.bmp", "cam3/f.bmp", "a.bmp", "b.bmp"]
_DIFFERENT = ["a.bmp", "b.bmp", "c.bmp", "d.bmp", "e.bmp"]
_STARTS = ("datasetdatalongpolling POST", "/data-upload-jobs")


def bmp(red: int, extra: int = 0) -> bytes:
    """A bitmap of one pixel; those of two colours have one size."""
    header = b"BM" + (58).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    info = (40).to_bytes(4, "little") + (1).to_bytes(4, "little") * 2 + (1).to_bytes(2, "little")
    return header + info + (24).to_bytes(2, "little") + bytes(24) + bytes([0, 0, red, 0]) + bytes(extra)


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Uploads(Moves):
    """Uploads of one directory, with one target."""

    FAULTS: ClassVar[list[dict[str, Any]]] = [
        {},
        {"method": "PUT", "path": "^/object-store/"},
        {"query_type": "datasetdatalongpolling", "query_method": "POST"},
        {"query_type": "datasetdatalongpolling", "query_method": "GET"},
        {"path": "presigned-urls"},
        {"method": "POST", "path": "/data-upload-jobs$"},
        {"method": "GET"},
    ]
    PLAIN: ClassVar[dict[str, Any]] = {"report": True, "dataset": True, "files_per_job": 2, "parallel": 2}

    def __init__(self) -> None:
        super().__init__()
        self.source = self.directory / "source"
        self.source.mkdir()
        self.appearances: collections.Counter[str] = collections.Counter()
        self.removed: set[str] = set()
        self.slack = 0

    @initialize(
        report=st.booleans(), dataset=st.booleans(), files_per_job=st.integers(1, 3), parallel=st.integers(1, 2)
    )
    def begin(self, report: bool, dataset: bool, files_per_job: int, parallel: int) -> None:
        self.with_report = self.overlap = report
        self.report = self.directory / "report.jsonl"
        with self.account.client() as client:
            self.dataset = client.create_dataset("History", if_exists="new").id if dataset else None
            self.folder = None if dataset else client.create_folder("History", if_exists="new").id
        self.options = {
            "files_per_job": files_per_job,
            "max_concurrency": parallel,
            **({"report": str(self.report)} if report else {}),
            **({"dataset_id": self.dataset} if dataset else {"folder_id": self.folder}),
        }
        self.names = _ALIKE if report else _DIFFERENT
        for number in range(3):
            self.put(name=number, red=number)

    @rule(name=PICKS, red=st.integers(0, 3))
    def put(self, name: int, red: int) -> None:
        path = self.source / self.names[name % len(self.names)]
        content = bmp(red) if self.with_report else bmp(red, extra=red)
        if path.exists() and path.read_bytes() == content:
            return
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        self.appearances[_sha(content)] += 1

    @rule(name=PICKS)
    def take_away(self, name: int) -> None:
        (self.source / self.names[name % len(self.names)]).unlink(missing_ok=True)

    @rule(pick=PICKS)
    def somebody_removes_a_row(self, pick: int) -> None:
        with self.account.client() as client:
            keys = sorted(self._keys(client))
            if not keys:
                return
            key = keys[pick % len(keys)]
            if self.dataset:
                client.dataset(self.dataset).remove_data_rows([key])
            else:
                client.folder(str(self.folder)).delete_items([key])
        self.removed.add(key)

    def meanwhile(self, pick: int) -> None:
        self.put(pick, pick % 4)

    def work(self, run: Run, context: dict[str, Any]) -> Any:
        return EncordUploadFilesOperator(task_id="task", source=str(self.source), **self.options).execute(context)

    def about_to_run(self, run: Run) -> None:
        for live in self.live:
            if live.run is run and any(name in live.attempt.step for name in _STARTS):
                self.slack += 3  # a request that a zombie is about to send: nothing can call it back
        if not any(self._files()):
            self.put(0, 0)

    def green(self, run: Run, result: Any, *, undisturbed: bool) -> None:
        assert result["failed"] == 0
        assert result["files"] == result["created"] + result["unchanged"]
        if self.with_report and undisturbed:
            outcomes = collections.Counter(line["outcome"] for line in self._lines())
            assert outcomes == +collections.Counter({one: result[one] for one in ("created", "unchanged")})
        if undisturbed:
            self._check_content()

    def before_the_last_run(self) -> None:
        if not any(self._files()):
            self.put(0, 0)

    def settled(self) -> None:
        assert self.runs[-1].end is not None
        assert self.runs[-1].end.result["files"] == len(list(self._files()))
        stored = collections.Counter(content for _, content in self._check_content().values())
        if self.with_report:
            lines = {line["source"] for line in self._lines()}
            assert lines == {f"file://{path}" for path in self._files()}
        doubled = {content: number for content, number in stored.items() if number > self.appearances[content]}
        assert sum(doubled.values()) - sum(self.appearances[one] for one in doubled) <= self.slack, "doubled"
        left = [one.name for one in self.directory.glob("*.parts/*") if not one.name.startswith("claim.json.")]
        assert left == [], left

    def _files(self) -> Any:
        return (path for path in self.source.rglob("*") if path.is_file())

    def _lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.report.read_text().splitlines()]

    def _check_content(self) -> dict[str, tuple[str, str]]:
        """Every file is in Encord as it is, and every line of the report is true. Gives what is there."""
        there = self._stored()
        if not self.with_report:
            known = set(there.values())
            for path in self._files():
                assert (path.name, _sha(path.read_bytes())) in known, f"{path.name} is not there"
            return there
        for line in self._lines():
            key = line["id"]
            assert key in there, line
            title, content = there[key]
            assert (line["title"], line["sha256"] or content) == (title, content), line
            path = Path(line["source"].removeprefix("file://"))
            if path.exists():
                assert _sha(path.read_bytes()) == content, f"{line} is of another content"
        return there

    def _keys(self, client: EncordClient) -> dict[str, str]:
        """Items by data hash; in a folder by themselves."""
        if self.dataset:
            return {row.data_hash: str(row.backing_item_uuid) for row in client.dataset(self.dataset).data_rows()}
        return {item.uuid: item.uuid for item in client.folder(str(self.folder)).items()}

    def _stored(self) -> dict[str, tuple[str, str]]:
        """Title and checksum of all that is there, by key."""
        with self.account.client() as client:
            items = self._keys(client)
            if not items:
                return {}
            read = {one.uuid: one for one in client.send(get_items(list(items.values()), sign_urls=True))}
            return {
                key: (read[item].name, _sha(requests.get(str(read[item].signed_url), timeout=10).content))
                for key, item in items.items()
            }
