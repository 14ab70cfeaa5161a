"""Packed files: whole ones are read in any number of members, and cut or wrong ones are named (fault 4.1, 4.4)."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_encord.packed_lines import DamagedFileError, lines_of

zstandard = pytest.importorskip("zstandard")
LINES = [b'{"n": %d}' % number for number in range(2000)]
CONTENT = b"\n".join(LINES) + b"\n"


def _gzip(content: bytes, flush_at: int | None = None) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    if flush_at is None:
        return packer.compress(content) + packer.flush()
    first = packer.compress(content[:flush_at]) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + packer.compress(content[flush_at:]) + packer.flush()


def _zst(content: bytes, flush_at: int | None = None) -> bytes:
    packer = zstandard.ZstdCompressor().compressobj()
    if flush_at is None:
        return packer.compress(content) + packer.flush()
    first = packer.compress(content[:flush_at]) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    return first + packer.compress(content[flush_at:]) + packer.flush()


PACKED = [pytest.param(_gzip, ".jsonl.gz", id="gzip"), pytest.param(_zst, ".jsonl.zst", id="zstandard")]


@pytest.mark.parametrize(("pack", "suffix"), PACKED)
def test_members_are_read_one_after_the_other(tmp_path, pack, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(pack(CONTENT[:5000]) + pack(b"") + pack(CONTENT[5000:]))
    assert [*lines_of(path, "source")] == LINES


@pytest.mark.parametrize(("pack", "suffix"), PACKED)
def test_a_file_that_was_cut_between_two_blocks_is_damaged(tmp_path, pack, suffix):
    """Fault 4.1: 1,000 of 2,000 rows, and green."""
    whole = len(b"\n".join(LINES[:1000])) + 1
    packed = pack(CONTENT, flush_at=whole)
    path = tmp_path / f"a{suffix}"
    for size in range(len(packed)):
        if size % 37 and size > 40:
            continue
        path.write_bytes(packed[:size])
        with pytest.raises(DamagedFileError, match=rf"a{suffix} is damaged") as raised:
            [*lines_of(path, "source")]
        assert not raised.value.retryable


@pytest.mark.parametrize(("pack", "suffix"), PACKED)
def test_a_second_member_that_was_cut_is_damaged(tmp_path, pack, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(pack(CONTENT) + pack(CONTENT)[:-9])
    with pytest.raises(DamagedFileError, match="cut off"):
        [*lines_of(path, "source")]


@pytest.mark.parametrize(("pack", "suffix"), PACKED)
@pytest.mark.parametrize("junk", [b"junk", b"{}\n" * 9000, b"\x1f\x8b junk", random.Random(1).randbytes(50_000)])
def test_junk_by_the_name_of_a_packed_file_is_damaged_permanently(tmp_path, pack, suffix, junk):
    path = tmp_path / f"a{suffix}"
    for content in (junk, pack(CONTENT) + junk):
        path.write_bytes(content)
        with pytest.raises(DamagedFileError, match=rf"a{suffix}") as raised:
            [*lines_of(path, "source")]
        assert not raised.value.retryable


@pytest.mark.parametrize(("pack", "suffix"), PACKED)
def test_an_empty_file_is_no_packed_file_and_a_packed_nothing_has_no_lines(tmp_path, pack, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"")
    with pytest.raises(DamagedFileError, match="cut off"):
        [*lines_of(path, "source")]
    path.write_bytes(pack(b""))
    assert [*lines_of(path, "source")] == []


def test_zeros_after_a_member_are_passed_over(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(_gzip(CONTENT) + b"\0" * 20_000)
    assert [*lines_of(path, "source")] == LINES


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300), st.integers(1, 9))
def test_lines_are_those_of_the_content(tmp_path_factory, content, level):
    path = tmp_path_factory.mktemp("packed") / "a.gz"
    path.write_bytes(gzip.compress(content, level))
    expected = content.split(b"\n")
    assert [*lines_of(path, "source")] == (expected if expected[-1] else expected[:-1])
