"""Answers in Parquet are those that the vendor's SDK reads, also in rows that Encord's editor wrote (fault 5.1)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.client.api.labels import save_label_rows
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.exports.labels import ExportSpec, export_labels
from airflow_provider_encord.exports.listing import RowSelection
from airflow_provider_encord.exports.manifest import Layout
from tests.sdk.conftest import Account
from tests.sdk.environments import SSH_SDK
from tests.sdk.street import RICH, make_street

pytestmark = pytest.mark.sdk


def _as_the_editor_writes(document: dict[str, Any]) -> dict[str, Any]:
    """Options with the name of their attribute, which only their feature hash and value tell apart."""
    for part in ("object_answers", "classification_answers"):
        for answered in document[part].values():
            for attribute in answered["classifications"]:
                if isinstance(attribute["answers"], list):
                    attribute["answers"] = [{**answer, "name": attribute["name"]} for answer in attribute["answers"]]
    return document


def test_options_are_those_that_the_sdk_reads(owner: Account, pictures: dict[str, Path], tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    street = make_street(owner, pictures, "Street of answers")
    owner.run(SSH_SDK, "write_labels", project=street.project)
    with EncordClient(SshKey.from_path(str(owner.key_file)), Settings(base_url=owner.server.url)) as client:
        hashes = [row.label_hash for row in client.project(street.project).label_rows() if row.label_hash]
        for row in client.project(street.project).read_label_rows(hashes):
            changed = _as_the_editor_writes(row.decoded())
            client.send(save_label_rows(street.project, [row.label_hash], [changed]))
        order = ExportSpec(selection=RowSelection(project_id=street.project), layout=Layout(format="parquet"))
        manifest = export_labels(client, order, tmp_path)
    ours: dict[tuple[str, str], dict[str, Any]] = {}
    for shard in manifest.shards:
        for one in parquet.read_table(tmp_path / shard.name).to_pylist():
            ours[one["data_title"], one["hash"]] = json.loads(one["answers"])
    read = owner.run(SSH_SDK, "read_labels", project=street.project)
    compared = 0
    for title, row in read.items():
        for instance in (*row["objects"], *row["classifications"]):
            found = ours[title, instance["hash"]]
            for name, answer in instance["answers"].items():
                held = found.get(name)
                expected = [answer] if isinstance(held, list) and not isinstance(answer, list) else answer
                assert (sorted(held) if isinstance(held, list) else held) == expected
                compared += answer is not None
    assert compared >= 8
    (car,) = (one["hash"] for one in read[RICH]["objects"] if one["name"] == "Car")
    assert ours[RICH, car]["Colour"] == ["Blue"]
