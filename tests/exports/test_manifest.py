"""The manifest: written and read again, and refused when it is not ours to read."""

from __future__ import annotations

import json

import pytest

from airflow_provider_encord import __version__
from airflow_provider_encord.exports.listing import Filters, RowSelection
from airflow_provider_encord.exports.manifest import MANIFEST, SCHEMA_VERSION, Manifest, ManifestError, read_manifest
from tests.exports.bench import PROJECT, QUESTION, Encord, export, unit, units


def _export(directory, selection=QUESTION):
    return export(Encord([*units(3), unit(9, labelled=False)]).client(), selection, directory)


def test_what_was_written_is_read_again(tmp_path):
    manifest = _export(tmp_path)
    assert read_manifest(tmp_path) == manifest


def test_the_manifest_says_where_the_labels_come_from_and_what_was_asked(tmp_path):
    known = units(1)[0].data_hash
    filters = Filters(stage="Review", data_hashes=[known])
    selection = RowSelection(project_id=PROJECT, branch="test", filters=filters)
    _export(tmp_path, selection)
    content = json.loads((tmp_path / MANIFEST).read_bytes())
    assert content["schema_version"] == SCHEMA_VERSION
    assert content["kind"] == "labels"
    assert content["provider_version"] == __version__
    assert content["host"] == "api.encord.com"
    assert content["project_id"] == PROJECT
    assert content["branch"] == "test"
    assert {*content["filters"]} == {*Filters.__struct_fields__}
    wanted = {name: value for name, value in content["filters"].items() if value is not None}
    assert wanted == {"stage": "Review", "data_hashes": [known]}
    counts = {name: count for name, count in content["counts"].items() if count}
    assert counts == {"listed": 4, "with_labels": 3, "without_labels": 1, "exported": 3}
    assert read_manifest(tmp_path).selection == selection


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": "2.0"}, "schema_version 2.0, but this version .* reads only up to 1.0. Upgrade"),
        ({"schema_version": "2.0", "shards": "elsewhere"}, "schema_version 2.0"),
        ({"schema_version": "new"}, "'new', which is not a valid version"),
        ({"schema_version": 1}, "schema_version"),
        ({"kind": "analytics"}, "analytics"),
        ({"counts": None}, "counts"),
    ],
)
def test_a_manifest_that_cannot_be_understood_is_refused(tmp_path, change, message):
    _export(tmp_path)
    content = json.loads((tmp_path / MANIFEST).read_bytes())
    (tmp_path / MANIFEST).write_text(json.dumps({**content, **change}))
    with pytest.raises(ManifestError, match=message):
        read_manifest(tmp_path)


@pytest.mark.parametrize("field", Manifest.__struct_fields__)
def test_a_manifest_without_a_field_that_every_manifest_has_is_refused(tmp_path, field):
    _export(tmp_path)
    content = json.loads((tmp_path / MANIFEST).read_bytes())
    del content[field]
    (tmp_path / MANIFEST).write_text(json.dumps(content))
    with pytest.raises(ManifestError, match=f"missing required field `{field}`"):
        read_manifest(tmp_path)


def test_a_newer_minor_version_with_new_fields_is_read(tmp_path):
    manifest = _export(tmp_path)
    content = json.loads((tmp_path / MANIFEST).read_bytes())
    (tmp_path / MANIFEST).write_text(json.dumps({**content, "schema_version": "1.7", "format": "zstd"}))
    assert read_manifest(tmp_path).shards == manifest.shards


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"hello"])
def test_other_json_and_no_json_are_refused(tmp_path, content):
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(ManifestError, match="is not the manifest of an export"):
        read_manifest(tmp_path)


def test_a_directory_without_a_manifest_holds_no_whole_export(tmp_path):
    with pytest.raises(ManifestError, match="no complete export"):
        read_manifest(tmp_path)
