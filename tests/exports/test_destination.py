"""What may be replaced, what is refused, and what a killed run leaves."""

from __future__ import annotations

from pathlib import PosixPath
from typing import ClassVar

import pytest

from airflow_provider_encord.client.errors import InvalidArgumentError, UnavailableError
from airflow_provider_encord.exports.listing import Filters, RowSelection
from airflow_provider_encord.exports.manifest import MANIFEST, read_manifest
from tests.exports.bench import PROJECT, QUESTION, Encord, export, files, names, units

OTHER = "00000000-0000-4000-8000-00000000000b"


class Killed(BaseException):
    """Not an error: nothing handles it, as nothing handles SIGKILL."""


def _export(destination, rows=20, selection=QUESTION, **server):
    return export(Encord(units(rows), **server).client(), selection, destination, max_shard_bytes=500)


class DyingAtRemoval(PosixPath):
    """A path on whose second removal the process is killed."""

    removed: ClassVar[list[str]] = []

    def unlink(self, missing_ok: bool = False) -> None:
        if self.removed:
            raise Killed
        self.removed.append(self.name)
        super().unlink(missing_ok)


class DyingAtManifest(PosixPath):
    """A path on which the process is killed right before the manifest appears."""

    def rename(self, target):
        if PosixPath(target).name == MANIFEST:
            raise Killed
        return super().rename(target)


@pytest.mark.parametrize("read", [1, 2, 3])
def test_after_a_kill_a_second_run_gives_the_files_of_an_undisturbed_one(tmp_path, read):
    _export(tmp_path / "undisturbed")
    with pytest.raises(Killed):
        _export(tmp_path / "killed", fails_at=read, failure=Killed())
    assert not (tmp_path / "killed" / MANIFEST).exists()
    _export(tmp_path / "killed")
    assert files(tmp_path / "killed") == files(tmp_path / "undisturbed")


def test_while_an_export_is_done_again_there_is_no_manifest(tmp_path):
    _export(tmp_path)
    with pytest.raises(Killed):
        _export(tmp_path, fails_at=1, failure=Killed())
    assert not (tmp_path / MANIFEST).exists()


def test_the_manifest_is_the_first_file_to_go(tmp_path):
    _export(tmp_path)
    DyingAtRemoval.removed.clear()
    with pytest.raises(Killed):
        _export(DyingAtRemoval(tmp_path))
    assert DyingAtRemoval.removed == [MANIFEST]
    manifest = _export(tmp_path)  # what it was about to remove is known as ours
    assert names(tmp_path) == [shard.name for shard in manifest.shards]


def test_a_kill_just_before_the_manifest_is_there_leaves_none_and_is_mended(tmp_path):
    with pytest.raises(Killed):
        _export(DyingAtManifest(tmp_path))
    assert not (tmp_path / MANIFEST).exists()
    manifest = _export(tmp_path)
    assert names(tmp_path) == [shard.name for shard in manifest.shards]


def test_an_export_stays_as_it_is_if_the_new_one_cannot_begin(tmp_path):
    manifest = _export(tmp_path)
    server = Encord(units(3))
    server.send = lambda call: (_ for _ in ()).throw(Killed())  # type: ignore[method-assign]
    with pytest.raises(Killed):
        export(server.client(), QUESTION, tmp_path)
    assert read_manifest(tmp_path) == manifest
    assert len(files(tmp_path)) == len(manifest.shards)


def test_files_that_the_new_export_does_not_need_are_removed(tmp_path):
    assert len(_export(tmp_path, rows=50).shards) > len(_export(tmp_path, rows=4).shards)
    assert names(tmp_path) == [shard.name for shard in read_manifest(tmp_path).shards]


def test_a_manifest_that_was_being_written_when_the_run_was_killed_is_replaced(tmp_path):
    (tmp_path / "manifest.json.0123abcd.unfinished").write_bytes(b'{"schema')
    manifest = _export(tmp_path)
    assert names(tmp_path) == [shard.name for shard in manifest.shards]


FOREIGN = [
    "notes.txt",
    "labels-00000.json",
    "labels-1.jsonl",
    "labels-00000.jsonl",
    "labels-00000.jsonl.bak",
    "labels-00000-00000.jsonl",
    "labels-0123abcd-00000-00000-0123abcd.jsonl",
    "listing.jsonl.gz",
    "part-00000.json",
    "left.jsonl.gz",
    "task_actions-00000.jsonl",
    "2026-11-23/manifest.json",
    "labels-00000.jsonl.0123abcd.unfinished",
]


def _snapshot(directory):
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("beside", ["nothing of ours", "a whole export", "a killed export"])
def test_a_directory_with_a_file_that_no_export_names_is_refused_and_left_alone(tmp_path, name, beside):
    """Fault 4.3: somebody's own ``labels-00000.jsonl`` was removed."""
    if beside == "a whole export":
        _export(tmp_path)
    if beside == "a killed export":
        with pytest.raises(Killed):
            _export(tmp_path, fails_at=1, failure=Killed())
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    before = _snapshot(tmp_path)
    with pytest.raises(InvalidArgumentError, match=rf"destination: .* other files \({name.partition('/')[0]}\)"):
        _export(tmp_path)
    assert _snapshot(tmp_path) == before


@pytest.mark.parametrize("content", ["{}", "[]", "mine", '{"id": "x"}', '{"id": "x", "selection": {}}'])
def test_a_plan_of_somebody_else_is_refused_and_left_alone(tmp_path, content):  # fault 4.3
    (tmp_path / "plan.json").write_text(content)
    (tmp_path / "labels-00000.jsonl").write_text("mine")
    before = _snapshot(tmp_path)
    with pytest.raises(InvalidArgumentError, match=r"destination: .*plan.json is not the plan of an export"):
        _export(tmp_path)
    assert _snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("selection", "differing"),
    [
        (RowSelection(project_id=OTHER), "an export of another project"),
        (RowSelection(project_id=PROJECT, branch="test"), "an export of another branch"),
        (RowSelection(project_id=PROJECT, filters=Filters(stage="Review")), "with other filters"),
    ],
)
def test_an_export_of_another_question_is_refused_and_left_alone(tmp_path, selection, differing):
    manifest = _export(tmp_path, selection=selection)
    with pytest.raises(InvalidArgumentError, match=f"destination: .*{differing}"):
        _export(tmp_path)
    assert read_manifest(tmp_path) == manifest


def test_a_foreign_manifest_is_refused(tmp_path):
    (tmp_path / MANIFEST).write_text('{"name": "my web app"}')
    with pytest.raises(InvalidArgumentError, match=r"destination: .* contains something else"):
        _export(tmp_path)
    assert "my web app" in (tmp_path / MANIFEST).read_text()


def test_a_file_is_refused_as_a_destination(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InvalidArgumentError, match=r"destination: .* is a file"):
        _export(tmp_path / "file")


def test_a_missing_directory_is_made(tmp_path):
    _export(tmp_path / "a" / "b")
    assert read_manifest(tmp_path / "a" / "b").counts.exported == 20


@pytest.mark.parametrize("place", ["file/export", "/proc/nowhere/export"])
def test_a_place_that_cannot_be_written_is_an_error_that_names_the_argument_and_the_fix(tmp_path, place):
    (tmp_path / "file").touch()
    with pytest.raises(InvalidArgumentError, match=rf"destination: .*{place} cannot be used: .* pass another path"):
        _export(tmp_path / place)


class FullPath(PosixPath):
    """A path on a disk that is full."""

    def open(self, *arguments, **options):
        raise OSError(28, "No space left on device")


def test_a_full_disk_is_an_error_that_may_pass(tmp_path):
    with pytest.raises(UnavailableError, match=r"destination: .* cannot be used now: No space left on device"):
        _export(FullPath(tmp_path / "export"))
