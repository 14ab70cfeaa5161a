"""The table of annotations has what the vendor's SDK reads of sounds, texts, pages, videos and image groups."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.exports.labels import ExportSpec, export_labels
from airflow_provider_encord.exports.listing import RowSelection
from airflow_provider_encord.exports.manifest import Layout
from tests.sdk import media
from tests.sdk.conftest import Account
from tests.sdk.data.test_storage import _sound
from tests.sdk.environments import SSH_SDK

pytestmark = pytest.mark.sdk

SIZES = {"drive.mp4": (320, 240), "group": (64, 48)}


def _files(folder: Path) -> Path:
    _sound(folder / "horn.wav")
    (folder / "h.html").write_text("<p>kerb</p>")
    (folder / "notes.txt").write_text("mind the kerb")
    (folder / "drive.mp4").write_bytes(media.mp4(320, 240, frames=30, frames_per_second=10))
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(media.png(64, 48))
    return folder


def _as_the_sdk_reads_it(line: dict[str, Any]) -> dict[str, Any]:
    """A line in the form of `label_kinds`, with its box in fractions."""
    about = {"title": "data_title", "hash": "hash", "name": "name", "feature": "feature_hash", "answers": "answers"}
    found = {ours: line[name] for ours, name in about.items()}
    if line["range_start"] is not None:
        found["range"] = [line["range_start"], line["range_end"]]
    if line["range_start_xpath"] is not None:
        found["xpath"] = line["range_start_xpath"]
    if line["frame"] is not None:
        found |= {"frame": line["frame"], "unit": line["unit"]}
    if line["box_x"] is not None:
        width, height = SIZES[line["data_title"]]
        sides = (line["box_x"] / width, line["box_y"] / height, line["box_w"] / width, line["box_h"] / height)
        found["box"] = [round(side, 9) for side in sides]
    return found


def test_the_lines_are_what_the_sdk_reads(owner: Account, tmp_path: Path) -> None:
    files, exported = tmp_path / "files", tmp_path / "exported"
    files.mkdir()
    shown = owner.run(SSH_SDK, "label_kinds", files=_files(files))
    with EncordClient(SshKey.from_path(str(owner.key_file)), Settings(base_url=owner.server.url)) as client:
        spec = ExportSpec(
            selection=RowSelection(project_id=shown["project"]), layout=Layout(format="annotations.jsonl")
        )
        manifest = export_labels(client, spec, exported)
    lines = [json.loads(line) for shard in manifest.shards for line in (exported / shard.name).open()]
    assert {line["project_id"] for line in lines} == {shown["project"]}
    assert {line["created_by"] for line in lines} == {"owner@example.com"}
    assert [shard.unsupported for shard in manifest.shards] == [{}] * len(manifest.shards)

    def order(entry: dict[str, Any]) -> str:
        return json.dumps(entry, sort_keys=True)

    ours = sorted((_as_the_sdk_reads_it(line) for line in lines), key=order)
    assert ours == sorted(shown["read"], key=order)
    assert {entry["title"] for entry in ours} == {"horn.wav", "notes.txt", "h.html", "drive.mp4", "group"}
    assert {entry["answers"].get("Brake") for entry in ours if "box" in entry} == {None, "pressed", "released"}
