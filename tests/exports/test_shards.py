"""What the files hold, whatever the rows are, and in whatever bundles and order Encord gives them."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_encord.exports.formats.json_lines import one_line
from tests.exports.bench import PROJECTS, QUESTION, Encord, Unit, export, files, lines, names, unit


@settings(deadline=None, max_examples=60)  # files are written: a busy disk is not a failure
@given(PROJECTS, st.integers(1, 40), st.integers(1, 40), st.integers(1, 1000), st.integers(1, 12), st.randoms())
def test_bundles_and_order_of_the_answers_do_not_show_in_the_files(project, some, others, max_shard_bytes, limit, dice):
    shuffled = dice.sample(project, len(project))
    with tempfile.TemporaryDirectory() as directory:
        one, other = Path(directory, "one"), Path(directory, "other")
        first, second = Encord(project), Encord(shuffled, most_rows=limit, seed=1)
        export(first.client(), QUESTION, one, batch_size=some, max_shard_bytes=max_shard_bytes)
        export(second.client(), QUESTION, other, batch_size=others, max_shard_bytes=max_shard_bytes)
        assert files(one) == files(other)


@settings(deadline=None, max_examples=60)  # files are written: a busy disk is not a failure
@given(PROJECTS, st.integers(1, 40), st.integers(1, 1000))
def test_every_labelled_row_is_one_line_in_order_of_data_hash_and_equal_as_json(project, some, max_shard_bytes):
    labelled = sorted((one for one in project if one.row), key=lambda one: one.data_hash)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name, "export")
        server = Encord(project)
        manifest = export(server.client(), QUESTION, directory, batch_size=some, max_shard_bytes=max_shard_bytes)
        found = [json.loads(line) for line in lines(directory, manifest)]
    assert found == [json.loads(one.row) for one in labelled]
    assert manifest.counts.listed == len(project)
    assert manifest.counts.without_labels == len(project) - len(labelled)


@settings(deadline=None, max_examples=60)  # files are written: a busy disk is not a failure
@given(PROJECTS, st.integers(1, 1000))
def test_the_manifest_describes_each_file_and_no_file_is_larger_than_asked_unless_it_is_one_row(
    project, max_shard_bytes
):
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name, "export")
        manifest = export(Encord(project).client(), QUESTION, directory, max_shard_bytes=max_shard_bytes)
        written = {name: (directory / name).read_bytes() for name in names(directory)}
    assert [*written] == [shard.name for shard in manifest.shards]
    for shard in manifest.shards:
        content = written[shard.name]
        assert (shard.rows, shard.bytes) == (content.count(b"\n"), len(content))
        assert shard.sha256 == hashlib.sha256(content).hexdigest()
        assert shard.bytes <= max_shard_bytes or shard.rows == 1
    for shard, following in zip(manifest.shards, manifest.shards[1:], strict=False):
        first_line = written[following.name].index(b"\n") + 1
        assert shard.bytes + first_line > max_shard_bytes  # the next row did not fit
    assert manifest.bytes == sum(map(len, written.values()))


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (b'{"a": 1}', b'{"a": 1}\n'),
        (b'{\n  "a": 1\n}', b'{   "a": 1 }\n'),
        (b'{\r\n"a": 1}', b'{  "a": 1}\n'),
        (b'{"a": "x\\ny\\r"}', b'{"a": "x\\ny\\r"}\n'),
        ('{"a": "x\u2028y\u0085"}'.encode(), '{"a": "x\u2028y\u0085"}\n'.encode()),
        (b'{"a": 1.0, "b": 12345678901234567890, "a": 1e400}', b'{"a": 1.0, "b": 12345678901234567890, "a": 1e400}\n'),
    ],
    ids=["plain", "pretty", "windows", "escaped newlines stay", "other line ends stay", "numbers stay as written"],
)
def test_only_newlines_between_tokens_change(row, line):
    assert one_line(row) + b"\n" == line


def test_content_reaches_the_file_byte_for_byte(tmp_path):
    plain = unit(1)
    odd = b'{ "label_hash":"%s","data_hash" : "%s", "\\u00e9": [1.0, 1e-7, 12345678901234567890123, 1], "b": 1, "b": 2}'
    row = odd % (plain.label_hash.encode(), plain.data_hash.encode())
    server = Encord([Unit(plain.data_hash, plain.label_hash, row)])
    manifest = export(server.client(), QUESTION, tmp_path)
    assert lines(tmp_path, manifest) == [row]


def test_a_row_larger_than_a_shard_has_one_of_its_own(tmp_path):
    rows = [unit(number, "b" * (50 if number == 2 else 1)) for number in (1, 2, 3)]
    manifest = export(Encord(rows).client(), QUESTION, tmp_path, max_shard_bytes=10)
    assert [shard.rows for shard in manifest.shards] == [1, 1, 1]
    assert [*files(tmp_path)] == [f"labels-00000-0000{number}.jsonl" for number in range(3)]


def test_a_project_without_labels_gives_a_manifest_and_no_files(tmp_path):
    server = Encord([unit(1, labelled=False)])
    manifest = export(server.client(), QUESTION, tmp_path / "export")
    assert ([*manifest.shards], manifest.counts.without_labels, server.reads) == ([], 1, [])
    assert {path.name for path in (tmp_path / "export").iterdir()} == {"manifest.json", manifest.listing.name}
