"""How bundles are asked for: bounded, halved when refused, and what becomes of rows that are gone."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.errors import (
    EncordError,
    NotFoundError,
    PayloadTooLargeError,
    UnavailableError,
    UnexpectedResponseError,
)
from airflow_provider_encord.exports.listing import ListedRow, list_rows
from airflow_provider_encord.exports.reading import MOST_BYTES_OF_BUNDLE, BundleSize, Reader, ReadOptions, in_order
from tests.exports.bench import QUESTION, Encord, export, lines, unit, units

HEAVY = "x" * 1000


def _read(server: Encord, batch_size: int = 100, max_concurrency: int = 1) -> list[str]:
    """Label hashes in the order read."""
    client = server.client()
    reader = Reader(client, QUESTION.project_id, ReadOptions(batch_size=batch_size, max_concurrency=max_concurrency))
    return [row.label_hash for _, row in reader.rows(list_rows(client, QUESTION).rows) if row]


def test_no_request_asks_for_more_rows_than_allowed():
    server = Encord(units(50))
    assert len(_read(server, batch_size=7)) == 50
    assert max(server.reads) == 7


def test_bundles_start_small_and_grow_while_rows_are_light():
    server = Encord(units(1000))
    _read(server)
    assert server.reads[:6] == [2, 8, 32, 100, 100, 100]


def test_heavy_rows_are_asked_for_in_smaller_bundles():
    size = BundleSize(100, most_bytes=10_000)
    for _ in range(6):
        size.read(size.rows, size.rows * 10)
    assert size.rows == 100
    size.read(100, 100 * 2_500)
    assert size.rows == 4
    size.read(4, 4 * 1_000_000)
    assert size.rows == 1


@given(st.integers(1, 1000), st.lists(st.tuples(st.integers(0, 10**8), st.booleans()), max_size=50))
def test_the_size_of_bundles_stays_between_one_and_what_was_asked_for(most, events):
    size = BundleSize(most)
    for weight, refused in events:
        size.refused(size.rows, None) if refused else size.read(size.rows, weight)
        assert 1 <= size.rows <= most


def test_a_label_limit_is_met_once_and_then_kept_to():
    server = Encord(units(400), most_rows=30)
    assert len(_read(server)) == 400
    assert [rows for rows in server.reads if rows > 30] == [32]


def test_a_bundle_that_is_too_heavy_is_halved_and_lighter_rows_are_read_in_large_bundles_again():
    rows = [unit(n, HEAVY if 40 <= n < 60 else "") for n in range(1, 601)]
    server = Encord(rows, most_bytes=20_000)
    assert len({*_read(server)}) == 600
    assert server.reads[-3] == 100


def test_a_row_that_is_too_large_alone_is_named(tmp_path):
    rows = units(20)
    rows[13] = unit(14, HEAVY)
    server = Encord(rows, most_bytes=500)
    with pytest.raises(
        PayloadTooLargeError, match=f"Label row {rows[13].label_hash} .data {rows[13].data_hash}. is too large"
    ):
        export(server.client(), QUESTION, tmp_path / "export")
    assert not (tmp_path / "export" / "manifest.json").exists()


@pytest.mark.parametrize("refuses", [False, True], ids=["left out of the answer", "refused with the whole bundle"])
def test_rows_that_are_gone_are_reported_and_the_others_exported(tmp_path, refuses):
    rows = units(60)
    gone = frozenset(one.label_hash for one in (rows[0], rows[31], rows[32], rows[59]))
    server = Encord(rows, gone=gone, refuses_gone=refuses)
    manifest = export(server.client(), QUESTION, tmp_path)
    exported = {json.loads(line)["label_hash"] for line in lines(tmp_path, manifest)}
    assert {one.label_hash for one in manifest.not_found} == gone
    assert exported == {row.label_hash for row in rows} - gone
    assert (manifest.counts.exported, manifest.counts.not_found) == (56, 4)


def test_rows_that_an_answer_leaves_out_though_they_are_listed_are_asked_for_again(tmp_path):
    rows = units(60)
    server = Encord(rows, unsupported={one.label_hash: 1 for one in (rows[0], rows[1], rows[31], rows[59])})
    manifest = export(server.client(), QUESTION, tmp_path)
    assert (manifest.counts.exported, manifest.counts.not_found, manifest.counts.failed) == (60, 0, 0)
    assert [json.loads(line)["label_hash"] for line in lines(tmp_path, manifest)] == [row.label_hash for row in rows]


@pytest.mark.parametrize("skip", [False, True])
def test_a_row_in_place_of_the_one_that_was_asked_for_is_named(tmp_path, skip):
    rows = units(6)
    rows[3] = dataclasses.replace(rows[3], row=json.dumps({"label_hash": "x", "data_hash": rows[3].data_hash}).encode())
    with pytest.raises(UnexpectedResponseError, match="returned the label row x, which was not requested"):
        export(Encord(rows).client(), QUESTION, tmp_path, skip_unreadable=skip)


def test_a_row_that_every_answer_leaves_out_though_it_is_listed_is_named_and_may_be_retried(tmp_path):
    rows = units(60)
    server = Encord(rows, unsupported={rows[31].label_hash: 99})
    with pytest.raises(UnavailableError, match=f"lists label row {rows[31].label_hash} .*does not return its content"):
        export(server.client(), QUESTION, tmp_path)
    assert not (tmp_path / "manifest.json").exists()


def test_a_row_that_every_answer_leaves_out_though_it_is_listed_counts_as_failed_where_those_are_skipped(tmp_path):
    rows = units(60)
    server = Encord(rows, unsupported={rows[31].label_hash: 99}, gone=frozenset({str(rows[32].label_hash)}))
    manifest = export(server.client(), QUESTION, tmp_path, skip_unreadable=True)
    assert [one.label_hash for one in manifest.failed] == [rows[31].label_hash]
    assert (manifest.counts.exported, manifest.counts.not_found, manifest.counts.failed) == (58, 1, 1)


def test_a_refusal_of_a_row_that_is_still_listed_stands(tmp_path):
    server = Encord(units(10), refuses_every_row=NotFoundError("you shall not"))
    with pytest.raises(NotFoundError, match="you shall not"):
        export(server.client(), QUESTION, tmp_path)
    assert server.reads[0] == 2
    assert server.reads[-1] == 1


def test_any_other_failure_ends_the_export_without_a_manifest(tmp_path):
    server = Encord(units(10), fails_at=2, failure=EncordError("cut"))
    with pytest.raises(EncordError, match="cut"):
        export(server.client(), QUESTION, tmp_path)
    assert not (tmp_path / "manifest.json").exists()


def test_a_row_given_twice_is_an_error():
    rows = _given(units(2))
    with pytest.raises(UnexpectedResponseError, match="twice"):
        in_order(_listed(units(2)), [*rows, rows[0]])


def test_a_row_that_was_not_asked_for_is_an_error():
    with pytest.raises(UnexpectedResponseError, match="not requested"):
        in_order(_listed(units(1)), _given(units(2)))


def test_nothing_but_reads_is_sent(tmp_path):
    server = Encord([*units(5), unit(9, labelled=False)])
    export(server.client(), QUESTION, tmp_path)
    assert {(request.query_type, request.verb) for request in server.asked} == {
        ("labelrowmetadata", "GET"),
        ("labelrow", "GET"),
    }
    assert sum(request.query_type == "labelrowmetadata" for request in server.asked) == 1


def _listed(rows) -> list[ListedRow]:
    return [ListedRow(row.data_hash, row.branch, row.label_hash) for row in rows]


def _given(rows):
    server = Encord(rows)
    client = server.client()
    return list(client.project(QUESTION.project_id).read_label_rows([row.label_hash for row in rows]))


def test_a_bundle_that_is_heavier_than_those_before_is_not_taken_whole(tmp_path):
    """Fault 7.6: what is in memory is bounded by bytes, and not by rows."""
    light, heavy = 400, 60
    rows = [unit(number, "x" * (10 if number <= light else 2**20)) for number in range(1, light + heavy + 1)]
    server = Encord(rows)
    manifest = export(server.client(), QUESTION, tmp_path, batch_size=1000, max_concurrency=1)
    assert manifest.counts.exported == light + heavy
    assert server.largest <= MOST_BYTES_OF_BUNDLE


def test_a_row_alone_may_be_heavier_than_a_bundle(tmp_path):
    rows = [unit(1, "x"), unit(2, "x" * (MOST_BYTES_OF_BUNDLE + 1)), unit(3, "x")]
    assert export(Encord(rows).client(), QUESTION, tmp_path).counts.exported == 3
