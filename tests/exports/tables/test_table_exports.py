"""Whole exports of the table of annotations against the emulator: stages of label rows, and labels in spaces."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.client.api.label_actions import complete_label_rows
from airflow_provider_encord.client.api.labels import save_label_rows
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.exports.formats import FORMATS, Origin
from airflow_provider_encord.exports.incremental import Chain
from airflow_provider_encord.exports.listing import RowSelection
from airflow_provider_encord.exports.listing_file import REMOVED, read_rows
from airflow_provider_encord.exports.manifest import Manifest
from encord_emulator.process import Emulator
from tests.client import keys
from tests.exports.bench import export, lines
from tests.exports.documents import BOX, STRUCTURE, label_row, recorded, row, unit

OWNER = "owner@example.com"


class _Street:
    """A project of three labelled images, and its owner's client."""

    def __init__(self, emulator: Emulator, client: EncordClient):
        self.client, self._emulator = client, emulator
        self.use("image")

    def use(self, kind: str) -> None:
        """Take another project, with data of this kind."""
        self.made = self._emulator.project(owner=OWNER, title="Cats", rows=3, created=1.0, kind=kind)
        self.project_id = self.made["project_id"]

    def export(self, folder: Path, day: int, format_: str = "annotations.jsonl") -> Manifest:
        selection = RowSelection(project_id=self.project_id)
        run = f"2026-11-{day:02d}T00:00:00+00:00"
        chain = Chain(directory=folder, lookback_seconds=0.0)
        return export(self.client, selection, folder / str(day), format=format_, logical_date=run, history=chain)

    def stages(self) -> dict[str, str]:
        rows = self.client.project(self.project_id).label_rows()
        return {row.label_hash or "": row.workflow_graph_node.title for row in rows if row.workflow_graph_node}


@pytest.fixture
def street(encord_emulator: Emulator) -> Iterator[_Street]:
    key = keys.new_key()
    encord_emulator.authorize(keys.public_line(key), email=OWNER)
    with EncordClient(SshKey.parse(keys.openssh(key)), Settings(base_url=encord_emulator.url)) as client:
        made = _Street(encord_emulator, client)
        encord_emulator.clock(advance_s=20)  # so that the labels are older than any export
        yield made


def _in_files(folder: Path, manifest: Manifest) -> dict[str, str]:
    written = [json.loads(line) for line in lines(folder, manifest)]
    return {line["label_hash"]: line["stage"] for line in written}


def test_each_line_has_the_stage_that_its_label_row_is_in(street: _Street, tmp_path: Path) -> None:
    moved = min(street.stages())
    street.client.send(complete_label_rows(street.project_id, [moved]))
    written = _in_files(tmp_path / "1", street.export(tmp_path, 1))
    assert written == street.stages()
    assert len(set(written.values())) == 2


def test_an_incremental_export_has_the_rows_that_only_moved(
    street: _Street, tmp_path: Path, encord_emulator: Emulator
) -> None:
    assert street.export(tmp_path, 1).counts.exported == 3
    assert street.export(tmp_path, 2).counts.exported == 0
    moved = min(street.stages())
    street.client.send(complete_label_rows(street.project_id, [moved]))
    manifest = street.export(tmp_path, 3)
    assert _in_files(tmp_path / "3", manifest) == {moved: street.stages()[moved]}


def test_other_formats_ask_for_no_stages_and_do_not_read_rows_again_that_only_moved(
    street: _Street, tmp_path: Path, encord_emulator: Emulator
) -> None:
    street.export(tmp_path, 1, "jsonl")
    street.client.send(complete_label_rows(street.project_id, [min(street.stages())]))
    manifest = street.export(tmp_path, 2, "jsonl")
    assert (manifest.counts.exported, manifest.counts.unchanged) == (0, 3)
    assert [listed.stage for listed, _ in read_rows(tmp_path / "2", manifest.listing)] == [None] * 3


def test_a_removed_row_is_listed_with_its_reason_and_without_a_stage(street: _Street, tmp_path: Path) -> None:
    street.export(tmp_path, 1)
    street.client.dataset(street.made["dataset_id"]).remove_data_rows([street.made["data_hashes"][0]])
    manifest = street.export(tmp_path, 2)
    assert manifest.removed is not None
    assert manifest.removed.name.startswith(REMOVED)
    ((listed, why),) = read_rows(tmp_path / "2", manifest.removed)
    assert (listed.data_hash, listed.stage, why) == (street.made["data_hashes"][0], None, "deleted")


def _on_a_group_of(street: _Street, group: dict[str, Any], label_hash: str) -> dict[str, Any]:
    """A label row of the street, a data group, with the recorded labels on its own spaces of the same types."""
    (read,) = street.client.project(street.project_id).read_label_rows([label_hash])
    row = read.decoded()
    own = {space["space_type"]: name for name, space in row["spaces"].items() if space["space_type"][:7] != "medical"}
    names = {name: own.get(space["space_type"], "") for name, space in group["spaces"].items()}
    text = json.dumps({part: group[part] for part in ("object_answers", "classification_answers")})
    for recorded_name, name in names.items():
        text = text.replace(f'"{recorded_name}":', f'"{name}":')
    labels = {name: group["spaces"][there]["labels"] for there, name in names.items() if name}
    spaces = {name: {**space, "labels": labels.get(name, {})} for name, space in row["spaces"].items()}
    return {**row, **json.loads(text), "spaces": spaces}


def test_labels_in_spaces_are_served_as_they_were_saved_and_exported_as_rows(street: _Street, tmp_path: Path) -> None:
    street.use("group")
    label_hash = min(street.stages())
    sent = _on_a_group_of(street, recorded("group"), label_hash)
    street.client.send(save_label_rows(street.project_id, [label_hash], [sent]))
    (served,) = street.client.project(street.project_id).read_label_rows([label_hash])
    assert served.decoded()["spaces"] == sent["spaces"]
    assert {hash_: one.get("spaces") for hash_, one in served.decoded()["object_answers"].items()} == {
        hash_: one.get("spaces") for hash_, one in sent["object_answers"].items()
    }
    manifest = street.export(tmp_path, 1)
    written = [json.loads(line) for line in lines(tmp_path / "1", manifest)]
    kinds = {
        line["space_type"]: line["shape"]
        for line in written
        if line["label_hash"] == label_hash and line["space"] and line["kind"] == "object"
    }
    assert kinds == {
        "image": "bounding_box",
        "video": "bounding_box",
        "pdf": "bounding_box",
        "audio": "audio",
        "time_series": "time_range",
        "text": "text",
        "html": "text",
    }


class _Nothing:
    """A file that keeps nothing."""

    def write(self, data: bytes, /) -> int:
        return len(data)

    def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize("format_", ["annotations.jsonl", "annotations.jsonl.gz"])
def test_memory_does_not_grow_with_the_number_of_lines(format_: str) -> None:
    frames: dict[str, Any] = {str(frame): {"objects": [BOX], "classifications": []} for frame in range(100)}
    document = label_row(row("video", unit("v", frames)))
    peaks = []
    for rows in (5, 100):
        encoder = FORMATS[format_](_Nothing(), Origin(project_id="p", structure=STRUCTURE))
        tracemalloc.start()
        for _ in range(rows):
            encoder.write(document)
        encoder.finish()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] + 100_000
