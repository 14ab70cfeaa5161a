"""Incremental exports: what is read again, what is said to have left, and which export a new one goes on from."""

from __future__ import annotations

import datetime
import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.incremental import Chain, links
from airflow_provider_encord.exports.listing import Filters, RowSelection
from airflow_provider_encord.exports.listing_file import DELETED, FILTERED_OUT, read_rows
from airflow_provider_encord.exports.manifest import Manifest
from tests.exports.bench import PROJECT, QUESTION, Encord, Unit, export, lines, unit

LONG_AGO = "2026-01-02T00:00:00.000000+00:00"
LATER = "2026-01-03T00:00:00.000000+00:00"


def _day(number: int) -> str:
    return (datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC) + datetime.timedelta(days=number)).isoformat()


def _units(numbers: Any, edited: dict[int, str] | None = None) -> list[Unit]:
    return [unit(number, {"n": number}, last_edited_at=(edited or {}).get(number, LONG_AGO)) for number in numbers]


def _next(
    chain: Path,
    day: int,
    present: list[Unit],
    selection: RowSelection = QUESTION,
    *,
    overwrite: bool = False,
    **server: Any,
) -> Manifest:
    """The export of a day."""
    return export(
        Encord(present, **server).client(),
        selection,
        chain / f"day-{day}",
        logical_date=_day(day),
        history=Chain(directory=chain, lookback_seconds=10.0),
        overwrite=overwrite,
    )


def _exported(chain: Path, day: int, manifest: Manifest) -> list[int]:
    return [json.loads(line)["content"]["n"] for line in lines(chain / f"day-{day}", manifest)]


def _left(chain: Path, day: int, manifest: Manifest) -> dict[int, str]:
    assert manifest.removed is not None
    return {int(row.data_hash[-6:], 16): why for row, why in read_rows(chain / f"day-{day}", manifest.removed)}


def test_the_first_export_of_a_chain_is_of_all_rows(tmp_path):
    manifest = _next(tmp_path, 1, _units(range(1, 6)))
    assert _exported(tmp_path, 1, manifest) == [1, 2, 3, 4, 5]
    assert (manifest.previous, manifest.removed, manifest.counts.unchanged) == (None, None, 0)


def test_the_next_export_is_of_rows_that_are_new_or_have_another_time(tmp_path):
    first = _next(tmp_path, 1, _units(range(1, 6)))
    manifest = _next(tmp_path, 2, _units(range(1, 8), {3: LATER}))
    assert _exported(tmp_path, 2, manifest) == [3, 6, 7]
    assert (manifest.counts.with_labels, manifest.counts.unchanged, manifest.counts.removed) == (7, 4, 0)
    assert manifest.previous is not None
    assert (manifest.previous.logical_date, manifest.previous.watermark) == (_day(1), first.watermark)
    assert manifest.previous.manifest == str(tmp_path / "day-1" / "manifest.json")


def test_a_row_that_moves_into_the_filter_is_exported_though_its_time_stays(tmp_path):
    _next(tmp_path, 1, _units([1, 2]))
    assert _exported(tmp_path, 2, _next(tmp_path, 2, _units([1, 2, 3]))) == [3]


def test_rows_that_are_not_listed_any_more_are_reported(tmp_path):
    _next(tmp_path, 1, _units(range(1, 6)))
    manifest = _next(tmp_path, 2, _units([1, 3]))
    assert _exported(tmp_path, 2, manifest) == []
    assert _left(tmp_path, 2, manifest) == {2: DELETED, 4: DELETED, 5: DELETED}
    assert manifest.counts.removed == 3


def test_a_row_that_came_back_is_exported_again(tmp_path):
    _next(tmp_path, 1, _units([1, 2]))
    _next(tmp_path, 2, _units([1]))
    assert _exported(tmp_path, 3, _next(tmp_path, 3, _units([1, 2]))) == [2]


def test_a_row_that_was_gone_when_it_was_to_be_read_is_exported_once_it_is_there(tmp_path):
    rows = _units([1, 2])
    first = _next(tmp_path, 1, rows, gone=frozenset({rows[1].label_hash or ""}))
    assert first.counts.not_found == 1
    assert _exported(tmp_path, 2, _next(tmp_path, 2, rows)) == [2]


def test_rows_edited_shortly_before_the_listing_are_read_again(tmp_path):
    just_now = datetime.datetime.now(datetime.UTC).isoformat()
    _next(tmp_path, 1, _units([1, 2], {2: just_now}))
    assert _exported(tmp_path, 2, _next(tmp_path, 2, _units([1, 2], {2: just_now}))) == [2]


@pytest.mark.parametrize("time", [None, "soon"])
def test_a_row_without_a_time_that_can_be_read_is_exported_every_time(tmp_path, time):
    rows = [unit(1, {"n": 1}, last_edited_at=time)]
    _next(tmp_path, 1, rows)
    assert _exported(tmp_path, 2, _next(tmp_path, 2, rows)) == [1]


def test_an_export_continues_the_one_that_was_listed_last(tmp_path):
    for day in (1, 5, 3):
        _next(tmp_path, day, _units([1]))
    manifest = _next(tmp_path, 4, _units([1]))
    assert manifest.previous is not None
    assert manifest.previous.logical_date == _day(3)


def test_exports_of_another_question_and_broken_ones_are_passed_over(tmp_path):
    _next(tmp_path, 1, _units([1]))
    _next(tmp_path, 2, _units([1]), RowSelection(project_id=PROJECT, filters=Filters(stage="Review")))
    (tmp_path / "day-3").mkdir()
    (tmp_path / "day-3" / "labels-00000.jsonl").write_text("{}\n")
    (tmp_path / "notes.txt").write_text("mine")
    manifest = _next(tmp_path, 4, _units([1]))
    assert manifest.previous is not None
    assert manifest.previous.logical_date == _day(1)


def test_a_destination_that_all_runs_share_is_refused(tmp_path):
    chain = Chain(directory=tmp_path, lookback_seconds=10.0)
    export(Encord(_units([1])).client(), QUESTION, tmp_path / "all", logical_date=_day(1), history=chain)
    with pytest.raises(InvalidArgumentError, match=r"destination: .* a separate directory"):
        export(Encord(_units([1])).client(), QUESTION, tmp_path / "all", logical_date=_day(2), history=chain)


@pytest.mark.parametrize("harm", ["missing", "damaged", "short"])
def test_a_chain_whose_last_listing_is_broken_makes_a_full_export_and_says_so(tmp_path, caplog, harm):
    """Fault 1.7."""
    first = _next(tmp_path, 1, _units([1, 2]))
    listing = tmp_path / "day-1" / first.listing.name
    if harm == "missing":
        listing.unlink()
    else:
        listing.write_bytes(listing.read_bytes()[:20] if harm == "damaged" else b"")
    manifest = _next(tmp_path, 2, _units([1, 2]))
    assert _exported(tmp_path, 2, manifest) == [1, 2]
    assert (manifest.previous, manifest.removed) == (None, None)
    assert first.listing.name in manifest.history.restarted
    assert "The history is broken, so this export contains all rows" in caplog.text
    assert _exported(tmp_path, 3, _next(tmp_path, 3, _units([1, 2, 3]))) == [3]


@pytest.mark.parametrize(
    ("day", "harm"),  # only the second export has a file of rows that left
    [*itertools.product((1, 2), ("directory", "manifest", "shard")), (2, "removed")],
)
def test_a_link_that_was_deleted_makes_a_full_export_and_says_so(tmp_path, day, harm):
    """Fault 1.7: the exports after it cannot be replayed."""
    made = {1: _next(tmp_path, 1, _units([1, 2])), 2: _next(tmp_path, 2, _units([2, 3])), 3: None}
    made[3] = _next(tmp_path, 3, _units([2, 3, 4]))
    directory = tmp_path / f"day-{day}"
    if harm == "directory":
        shutil.rmtree(directory)
    elif harm == "manifest":
        (directory / "manifest.json").write_text("{")
    else:
        (directory / (made[day].removed.name if harm == "removed" else made[day].shards[0].name)).unlink()
    manifest = _next(tmp_path, 4, _units([2, 3, 4]))
    assert _exported(tmp_path, 4, manifest) == [2, 3, 4]
    assert f"day-{day}" in manifest.history.restarted
    assert _exported(tmp_path, 5, _next(tmp_path, 5, _units([2, 3, 4]))) == []


@pytest.mark.parametrize("other", [{"format": "jsonl.gz"}, {"max_shard_bytes": 7}, {"name": "hourly"}])
def test_two_chains_in_one_directory_do_not_continue_each_other(tmp_path, other):
    """Fault 1.7."""
    other = dict(other)
    name = other.pop("name", "")
    chain = Chain(directory=tmp_path, lookback_seconds=10.0, name=name)

    def of_other(hour: int, present: list[Unit]) -> Manifest:
        client, run = Encord(present).client(), f"2026-11-01T{hour:02d}:00:00+00:00"
        return export(client, QUESTION, tmp_path / f"hour-{hour}", logical_date=run, history=chain, **other)

    assert (of_other(1, _units([1])).previous, _next(tmp_path, 1, _units([1, 2])).previous) == (None, None)
    second = of_other(2, _units([1, 2]))
    assert second.previous.manifest == str(tmp_path / "hour-1" / "manifest.json")
    assert second.counts.exported == 1
    third = _next(tmp_path, 2, _units([1, 2, 3]))
    assert third.previous.manifest == str(tmp_path / "day-1" / "manifest.json")
    assert _exported(tmp_path, 2, third) == [3]


@pytest.mark.parametrize("ahead", [3600.0, -3600.0, 5.0, -0.2])
def test_a_worker_whose_clock_is_wrong_loses_no_row(tmp_path, monkeypatch, ahead):
    """Fault 1.7: an edit in the same second as the listing keeps the row's time."""
    now = datetime.datetime(2026, 11, 1, 8, tzinfo=datetime.UTC)

    class Wrong(datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime.datetime:
            return now + datetime.timedelta(seconds=ahead)

    monkeypatch.setattr("airflow_provider_encord.exports.listing.datetime.datetime", Wrong)
    rows = [unit(1, {"n": 1}, last_edited_at=now.isoformat()), unit(2, {"n": 2}, last_edited_at=LONG_AGO)]
    first = _next(tmp_path, 1, rows, clock_ahead=ahead)
    assert (first.listed_at, first.clock) == (now.isoformat(), "encord")
    assert _exported(tmp_path, 2, _next(tmp_path, 2, rows, clock_ahead=ahead)) == [1]


def test_without_a_date_of_encord_the_newest_edit_bounds_the_time_of_the_listing(tmp_path):
    """Fault 1.7: whether the worker's clock is right is not known then."""
    rows = _units([1, 2], {2: LATER})
    first = _next(tmp_path, 1, rows, clock_ahead=None)
    assert first.clock == "worker"
    assert _exported(tmp_path, 2, _next(tmp_path, 2, rows, clock_ahead=None)) == [2]


def test_an_old_date_that_is_made_again_is_continued_by_the_next_export(tmp_path):
    """Fault 1.7: what is listed last is continued, and the links say in which order to replay."""
    for day, numbers in ((1, [1]), (2, [1, 2]), (3, [1, 3])):
        _next(tmp_path, day, _units(numbers))
    again = _next(tmp_path, 2, _units([1, 3, 4]), overwrite=True)
    assert "was replaced" in again.history.restarted  # day 3 continues what was in day 2
    assert _exported(tmp_path, 2, again) == [1, 3, 4]
    last = _next(tmp_path, 4, _units([1, 4, 5]))
    assert [place.name for place, _ in links(tmp_path, last)] == ["day-2", "day-4"]
    assert _replay(tmp_path, last) == {1, 4, 5}


def test_the_newest_export_made_again_continues_the_one_before_it(tmp_path):
    for day in (1, 2):
        _next(tmp_path, day, _units(range(1, day + 2)))
    again = _next(tmp_path, 2, _units([2, 3, 4]), overwrite=True)
    assert again.previous.logical_date == _day(1)
    assert again.history.restarted is None
    assert _replay(tmp_path, again) == {2, 3, 4}


def test_a_backfill_in_any_order_is_replayed_along_the_links(tmp_path):
    """Fault 1.7."""
    for day, numbers in ((1, [1]), (5, [1, 2]), (3, [2, 3]), (4, [3, 4])):
        manifest = _next(tmp_path, day, _units(numbers))
    assert [place.name for place, _ in links(tmp_path, manifest)] == ["day-1", "day-5", "day-3", "day-4"]
    assert _replay(tmp_path, manifest) == {3, 4}


def test_two_exports_of_a_chain_at_once_both_continue_the_same_one(tmp_path):
    _next(tmp_path, 1, _units([1]))
    others: list[Manifest] = []

    class Slow(Encord):
        def _rows(self, label_hashes: list[str]) -> bytes:
            if not others:
                others.append(_next(tmp_path, 3, _units([1, 2, 3])))
            return super()._rows(label_hashes)

    client = Slow(_units([1, 2])).client()
    chain = Chain(directory=tmp_path, lookback_seconds=10.0)
    second = export(client, QUESTION, tmp_path / "day-2", logical_date=_day(2), history=chain)
    assert [one.previous and one.previous.logical_date for one in (second, *others)] == [_day(1), _day(1)]
    last = _next(tmp_path, 4, _units([2, 3, 4]))
    assert _replay(tmp_path, last) == {2, 3, 4}


def test_a_row_that_was_gone_when_it_was_read_and_then_left_does_not_stay_in_the_replay(tmp_path):
    """Day 1 exports rows 1 and 2. Row 2 is edited, listed on day 2, and deleted before it is read."""
    _next(tmp_path, 1, _units([1, 2]))
    rows = _units([1, 2], {2: LATER})
    assert _next(tmp_path, 2, rows, gone=frozenset({rows[1].label_hash or ""})).counts.not_found == 1
    third = _next(tmp_path, 3, _units([1]))
    assert _left(tmp_path, 3, third) == {2: DELETED}
    assert _replay(tmp_path, third) == {1}


def _replay(chain: Path, manifest: Manifest) -> set[int]:
    held: set[int] = set()
    for place, one in links(chain, manifest):
        held |= {json.loads(line)["content"]["n"] for line in lines(place, one)}
        if one.removed:
            held -= {int(row.data_hash[-6:], 16) for row, _ in read_rows(place, one.removed)}
    return held


def test_a_retry_compares_with_what_the_first_try_compared_with(tmp_path):
    _next(tmp_path, 1, _units([1, 2]))
    failure = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        _next(tmp_path, 2, _units([1, 2, 3]), fails_at=1, failure=failure)
    manifest = _next(tmp_path, 2, _units([1, 2, 3, 4]))
    assert _exported(tmp_path, 2, manifest) == [3]


DAYS = st.lists(st.dictionaries(st.integers(1, 12), st.sampled_from(["a", "b", "c"])), min_size=1, max_size=5)


@settings(deadline=None, max_examples=40)  # files are written: a busy disk is not a failure
@given(DAYS)
def test_applying_the_exports_of_a_chain_in_order_gives_the_current_rows(tmp_path_factory, days):
    """Each day has rows with a version; the version is in the row's content, and in its time."""
    chain = tmp_path_factory.mktemp("chain")
    held: dict[int, str] = {}
    for day, versions in enumerate(days, start=1):
        rows = [
            unit(one, {"n": one, "v": version}, last_edited_at=f"2026-01-0{'abc'.index(version) + 1}T00:00:00+00:00")
            for one, version in versions.items()
        ]
        manifest = _next(chain, day, rows)
        for line in lines(chain / f"day-{day}", manifest):
            content = json.loads(line)["content"]
            assert held.get(content["n"]) != content["v"], "an unchanged row is not read"
            held[content["n"]] = content["v"]
        for number, why in (_left(chain, day, manifest) if manifest.removed else {}).items():
            assert why in (FILTERED_OUT, DELETED)
            del held[number]
        assert held == versions


@pytest.mark.parametrize("what", ["shards", "removed", "listing"])
def test_an_export_after_one_whose_file_was_cut_is_of_all_rows(tmp_path, what):
    """Fault 4.1: it could not be replayed. Found by `make soak`."""
    _next(tmp_path, 1, _units([1, 2, 3]))
    second = _next(tmp_path, 2, _units([1, 2], {2: LATER}))
    record = second.shards[0] if what == "shards" else getattr(second, what)
    path = tmp_path / "day-2" / record.name
    path.write_bytes(path.read_bytes()[:-1])
    third = _next(tmp_path, 4, _units([1, 2], {2: LATER}))
    assert _exported(tmp_path, 4, third) == [1, 2]
    assert third.history is not None
    assert str(path) in (third.history.restarted or "")
