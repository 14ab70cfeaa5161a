"""Whole exports against the emulator: what it holds is what is exported, and nothing that only reads changes it."""

from __future__ import annotations

import gzip
import io
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import ApiKey, SshKey
from airflow_provider_encord.client.errors import NotFoundError, PermissionDeniedError, UnavailableError
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.client.transport.sync import SyncTransport
from airflow_provider_encord.exports.labels import ExportSpec, export_labels
from airflow_provider_encord.exports.listing import Filters, RowSelection
from airflow_provider_encord.exports.manifest import MANIFEST, Layout, Manifest, read_manifest
from airflow_provider_encord.exports.reading import ReadOptions
from encord_emulator.process import Emulator
from tests.client import keys
from tests.exports.bench import export, files, lines
from tests.forks.workers import start_worker

OWNER = "owner@example.com"
RUN = "2026-11-24T00:00:00+00:00"
READS = {"query_type": "labelrow", "query_method": "GET"}


class Bench:
    """A person on the emulator, whose clients do not wait between attempts."""

    def __init__(self, emulator: Emulator):
        key = keys.new_key()
        self.private_key = keys.openssh(key)
        self.emulator = emulator
        self.settings = Settings(base_url=emulator.url)
        emulator.authorize(keys.public_line(key), email=OWNER)

    def project(self, **options) -> str:
        return self.emulator.project(owner=OWNER, title="Cats", **options)["project_id"]

    def client(self, credential=None) -> EncordClient:
        credential = credential or SshKey.parse(self.private_key)
        transport = SyncTransport(credential, self.settings, sleep=lambda seconds: None)
        return EncordClient(credential, self.settings, transport=transport)

    def client_of_key(self, project: str, scopes=("label.read",)) -> EncordClient:
        with self.client() as client:
            api_key = client.project(project).create_api_key("export", scopes)
        return self.client(ApiKey(api_key, project))

    def export(self, project: str, destination: Path, **options):
        with self.client() as client:
            return export(client, RowSelection(project_id=project), destination, **options)

    def changes(self) -> list[dict]:
        return [entry for entry in self.emulator.journal() if entry["changes"]]


@pytest.fixture(scope="module")
def _emulator() -> Iterator[Emulator]:
    with Emulator.start() as emulator:
        yield emulator


@pytest.fixture
def bench(_emulator: Emulator) -> Iterator[Bench]:
    """On an emulator that the tests here share, without faults and with an empty journal."""
    _emulator.clear_journal()
    yield Bench(_emulator)
    _emulator.clear_faults()


@pytest.fixture
def own_bench(encord_emulator: Emulator) -> Bench:
    """On an emulator of its own, whose clock and limits may be set."""
    return Bench(encord_emulator)


@pytest.mark.parametrize("kind", ["image", "video", "img_group"])
@pytest.mark.parametrize("credential", ["ssh_key", "api_key"])
def test_every_row_with_labels_is_exported_as_encord_holds_it_and_nothing_changes(bench, tmp_path, kind, credential):
    project = bench.project(rows=60, kind=kind, created=0.7)
    truth = bench.emulator.labels(project)
    client = bench.client() if credential == "ssh_key" else bench.client_of_key(project)
    before = bench.emulator.state()
    bench.emulator.clear_journal()
    with client:
        own = client.project(None if credential == "api_key" else project)
        manifest = export(client, RowSelection(project_id=own.id), tmp_path, batch_size=9, max_shard_bytes=20_000)
    assert [json.loads(line) for line in lines(tmp_path, manifest)] == truth
    assert len(truth) == 42
    assert (manifest.counts.listed, manifest.counts.without_labels) == (60, 18)
    assert len(manifest.shards) > 1
    assert manifest.watermark is not None
    assert bench.changes() == []
    assert {**bench.emulator.state(), "now": ""} == {**before, "now": ""}


@pytest.mark.parametrize("kind", ["image", "video", "img_group"])
@pytest.mark.parametrize("format_", ["parquet", "coco.json", "coco.json.gz"])
def test_other_formats_hold_every_object_of_every_row(bench, tmp_path, kind, format_):
    project = bench.project(rows=6, kind=kind, frames=1 if kind == "image" else 5, created=1.0, objects_per_row=7)
    manifest = bench.export(project, tmp_path, format=format_, max_shard_bytes=20_000)
    truth = {hash_ for row in bench.emulator.labels(project) for hash_ in row["object_answers"]}
    assert len(manifest.shards) > 1
    contents = files(tmp_path).values()
    if format_ == "parquet":
        import pyarrow.parquet

        tables = [pyarrow.parquet.read_table(io.BytesIO(one)).to_pylist() for one in contents]
        assert {one["hash"] for rows in tables for one in rows if one["kind"] == "object"} == truth
        return
    plain = [gzip.decompress(one) if format_.endswith("gz") else one for one in contents]
    result = [json.loads(one) for one in plain]
    said = {annotation["track_id"] for coco in result for annotation in coco["annotations"]}
    assert (
        said | {one["hash"] for coco in result for one in coco["encord_left_out"] if one["kind"] == "object"} == truth
    )
    counts = [sum(shard.unsupported.values()) for shard in manifest.shards]
    assert counts == [len(coco["encord_left_out"]) for coco in result]
    assert len({json.dumps(coco["categories"]) for coco in result}) == 1


def test_a_filter_exports_what_it_lets_through(bench, tmp_path):
    project = bench.project(rows=10, created=0.0)
    bench.emulator.annotate(project, count=4, advance="submit")
    stages = {row.workflow_graph_node.title for row in bench.client().project(project).label_rows()}
    assert len(stages) == 2
    with bench.client() as client:
        selection = RowSelection(project_id=project, filters=Filters(stage="Review"))
        manifest = export(client, selection, tmp_path)
    assert (manifest.counts.listed, manifest.counts.exported) == (4, 4)


def test_only_rows_edited_after_a_time_are_exported(own_bench, tmp_path):
    project = own_bench.project(rows=10, created=1.0)
    first = own_bench.export(project, tmp_path / "all")
    own_bench.emulator.clock(advance_s=60)
    edited = [row["data_hash"] for row in own_bench.emulator.labels(project)[2:5]]
    own_bench.emulator.annotate(project, data_hashes=edited)
    with own_bench.client() as client:
        selection = RowSelection(project_id=project, filters=Filters(edited_after=first.watermark))
        manifest = export(client, selection, tmp_path / "since")
    found = [json.loads(line)["data_hash"] for line in lines(tmp_path / "since", manifest)]
    assert found == edited
    assert manifest.watermark > first.watermark


def test_the_server_s_label_limit_is_kept_to(own_bench, tmp_path):
    project = own_bench.project(rows=50, created=1.0)
    own_bench.emulator.limits(label_rows_per_request=7)
    assert own_bench.export(project, tmp_path).counts.exported == 50


@pytest.mark.parametrize(
    "fault",
    [
        {"match": READS, "when": {"every": 2}, "do": {"status": 503}},
        {"match": READS, "when": {"every": 3}, "do": {"cut": "before"}},
        {"match": READS, "when": {"every": 3}, "do": {"cut": "after"}},
        {"match": READS, "when": {"every": 2}, "do": {"v1_error": "UNKNOWN_ERROR"}},
        {"match": READS, "when": {"every": 2}, "do": {"status": 200, "text": "<html>proxy</html>"}},
        {"match": READS, "when": {"every": 2}, "do": {"status": 429, "headers": {"Retry-After": "1"}}},
        {"match": READS, "when": {"every": 3, "times": 2}, "do": {"status": 413}},
        {"match": {"query_type": "labelrowmetadata"}, "when": {"nth": 1}, "do": {"cut": "after"}},
    ],
    ids=lambda fault: str(fault["do"]),
)
def test_trouble_on_the_way_does_not_show_in_the_files(bench, tmp_path, fault):
    project = bench.project(rows=40, created=1.0)
    bench.export(project, tmp_path / "undisturbed", batch_size=6)
    bench.emulator.faults([fault])
    bench.export(project, tmp_path / "disturbed", batch_size=6, max_concurrency=1)  # else it may be one row every time
    assert files(tmp_path / "disturbed") == files(tmp_path / "undisturbed")
    assert any(entry["fault"] for entry in bench.emulator.journal())


def test_trouble_does_not_show_when_many_requests_are_running(bench, tmp_path):
    project = bench.project(rows=300, created=1.0)
    bench.export(project, tmp_path / "undisturbed")
    faults = [{"status": 503}, {"cut": "before"}, {"cut": "after"}, {"delay_s": 0.05}]
    bench.emulator.faults(
        [{"match": READS, "when": {"probability": 0.05, "seed": seed}, "do": do} for seed, do in enumerate(faults)]
    )
    bench.export(project, tmp_path / "disturbed", batch_size=4, max_concurrency=8, max_shard_bytes=100_000)
    bench.export(project, tmp_path / "undisturbed", max_shard_bytes=100_000)
    assert files(tmp_path / "disturbed") == files(tmp_path / "undisturbed")
    assert any(entry["fault"] for entry in bench.emulator.journal())


def test_trouble_that_lasts_ends_the_export_and_the_next_run_completes_it(bench, tmp_path):
    project = bench.project(rows=40, created=1.0)
    bench.export(project, tmp_path / "undisturbed")
    bench.emulator.faults([{"match": READS, "do": {"status": 503}}])
    with pytest.raises(UnavailableError):
        bench.export(project, tmp_path / "disturbed")
    assert not (tmp_path / "disturbed" / MANIFEST).exists()
    bench.emulator.clear_faults()
    bench.export(project, tmp_path / "disturbed")
    assert files(tmp_path / "disturbed") == files(tmp_path / "undisturbed")


def test_rows_removed_while_they_are_exported_are_reported(bench, tmp_path):
    project = bench.project(rows=30, created=1.0)
    with bench.client() as client:
        dataset = client.project(project).datasets()[0].dataset_hash

        class Removing(SyncTransport):
            """Removes the data right after it was listed."""

            def send(self, call):
                result = super().send(call)
                if call.operation == "label_rows.list" and call.request.payload["label_hashes"] is None:
                    client.project(project).detach_datasets([dataset])
                return result

        credential = SshKey.parse(bench.private_key)
        removing = EncordClient(credential, bench.settings, transport=Removing(credential, bench.settings))
        manifest = export(removing, RowSelection(project_id=project), tmp_path)
    assert (manifest.counts.not_found, manifest.counts.exported) == (30, 0)
    assert len({row.label_hash for row in manifest.not_found}) == 30


def test_a_project_that_does_not_exist_is_not_an_empty_export(bench, tmp_path):
    with pytest.raises((NotFoundError, PermissionDeniedError)):
        bench.export("00000000-0000-4000-8000-000000000001", tmp_path / "export")
    assert not (tmp_path / "export").exists()


def test_a_key_that_may_not_read_labels_is_refused(bench, tmp_path):
    project = bench.project(rows=3, created=1.0)
    with bench.client_of_key(project, ["label_logs.read"]) as client, pytest.raises(PermissionDeniedError):
        export(client, RowSelection(project_id=project), tmp_path / "export")
    assert not (tmp_path / "export").exists()


_EXPORT = """
import pathlib, sys, tracemalloc
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.exports.labels import ExportSpec, export_labels
from airflow_provider_encord.exports.listing import RowSelection
from airflow_provider_encord.exports.manifest import Layout
from airflow_provider_encord.exports.reading import ReadOptions
url, key, project, destination, rows = sys.argv[1:]
with EncordClient(SshKey.from_path(key), Settings(base_url=url)) as client:
    tracemalloc.start()
    selection, layout = RowSelection(project_id=project), Layout(max_shard_bytes=2**20)
    spec = ExportSpec(selection=selection, layout=layout, logical_date="2026-11-24T00:00:00+00:00")
    manifest = export_labels(client, spec, pathlib.Path(destination), reading=ReadOptions(batch_size=int(rows)))
print(manifest.bytes, tracemalloc.get_traced_memory()[1])
"""


def _process(bench: Bench, tmp_path: Path, project: str, name: str, batch_size: int) -> subprocess.Popen[str]:
    """An export in a process of its own, which prints bytes exported and bytes of memory at the peak."""
    key = tmp_path / "key"
    key.write_text(bench.private_key)
    arguments = [bench.emulator.url, str(key), project, str(tmp_path / name), str(batch_size)]
    return subprocess.Popen([sys.executable, "-c", _EXPORT, *arguments], stdout=subprocess.PIPE, text=True)


@pytest.mark.system
def test_the_labels_need_the_memory_of_a_bundle_and_not_of_the_project(bench, tmp_path):
    project = bench.project(rows=2000, created=1.0, objects_per_row=100)
    output, _ = _process(bench, tmp_path, project, "export", 100).communicate(timeout=120)
    exported, peak = map(int, output.split())
    assert exported > 100e6
    assert peak < 0.6 * exported  # four bundles of 5 MB are in memory, each as it came and as lines


def _export_slowly(url: str, key: str, project: str, destination: Path) -> None:
    """What `Killable.export` does, with more requests."""
    selection, layout = RowSelection(project_id=project), Layout(max_shard_bytes=2**20)
    spec = ExportSpec(selection=selection, layout=layout, logical_date=RUN)
    with EncordClient(SshKey.parse(key), Settings(base_url=url)) as client:
        export_labels(client, spec, destination, reading=ReadOptions(batch_size=5))


class Killable:
    """A project whose export takes some sixty requests, and that export undisturbed."""

    def __init__(self, bench: Bench, directory: Path):
        self.bench, self.directory = bench, directory
        self.project_id = bench.project(rows=300, created=1.0, objects_per_row=60)
        self.export(directory / "undisturbed")

    def export(self, destination: Path) -> Manifest:
        """As the process does it."""
        return self.bench.export(self.project_id, destination, max_shard_bytes=2**20, logical_date=RUN)

    def reads(self) -> int:
        return sum(entry["query_type"] == "labelrow" for entry in self.bench.emulator.journal())


@pytest.fixture(scope="module")
def killable(_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Killable:
    return Killable(Bench(_emulator), tmp_path_factory.mktemp("killable"))


@pytest.mark.parametrize("seed", range(10))
def test_an_export_that_was_killed_at_any_moment_is_completed_by_the_next(bench, killable, tmp_path, seed):
    moment = random.Random(seed).randint(1, 55)
    bench.emulator.faults([{"match": READS, "do": {"delay_s": 0.03}}])
    arguments = (killable.bench.private_key, killable.project_id, tmp_path / "killed")
    process = start_worker(_export_slowly, bench.emulator.url, *arguments)
    deadline = time.monotonic() + 120
    try:
        while killable.reads() < moment:
            assert process.is_alive(), f"the export ended before its request {moment}"
            assert time.monotonic() < deadline, f"the export did not come to its request {moment} in time"
            time.sleep(0.005)
        assert process.is_alive(), "the export had ended before it could be killed"
    finally:
        process.kill()
        process.join()
    assert process.exitcode == -9
    assert not (tmp_path / "killed" / MANIFEST).exists()
    bench.emulator.clear_faults()
    manifest = killable.export(tmp_path / "killed")
    assert files(tmp_path / "killed") == files(killable.directory / "undisturbed")
    assert read_manifest(tmp_path / "killed") == manifest
    assert manifest.counts.exported == 300
    assert [one for one in bench.changes() if one["query_type"] == "labelrow"] == []
