"""Which rows are exported, in which order, and what is asked of Encord for it."""

from __future__ import annotations

import datetime

import pytest

from airflow_provider_encord.client.api.label_row_stamps import LabelRowStamp
from airflow_provider_encord.client.errors import UnexpectedResponseError
from airflow_provider_encord.exports.listing import Filters, RowSelection, list_rows, listing_of
from tests.exports.bench import PROJECT, Encord, export, unit, units

NOW = datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC)


def _metadata(label_hash, data_hash="d", branch="main", last_edited_at=None):
    return LabelRowStamp(label_hash=label_hash, data_hash=data_hash, branch_name=branch, last_edited_at=last_edited_at)


def test_rows_are_ordered_by_data_hash_and_then_branch():
    listed = [_metadata("1", "b"), _metadata("2", "a", "test"), _metadata("3", "a"), _metadata(None, "c")]
    listing = listing_of(listed, NOW)
    assert [row.label_hash for row in listing.rows] == ["3", "2", "1"]
    assert (listing.listed, listing.without_labels) == (4, 1)


def test_a_row_that_is_listed_twice_is_an_error():
    with pytest.raises(UnexpectedResponseError, match=r"label row 1 .*twice"):
        listing_of([_metadata("1", "a"), _metadata("1", "b")], NOW)


@pytest.mark.parametrize(
    ("times", "watermark"),
    [
        ([], None),
        ([None], None),
        (["2026-01-02T00:00:00", None, "2026-01-10T00:00:00", "2026-01-09T00:00:00"], "2026-01-10T00:00:00"),
        (["2026-01-02T01:00:00+02:00", "2026-01-02T00:00:00"], "2026-01-02T00:00:00"),
        (["Fri, 02 Jan 2026 03:04:05 UTC", "2026-01-02 03:04:04"], "Fri, 02 Jan 2026 03:04:05 UTC"),
        (["soon", "2026-01-02T00:00:00"], "2026-01-02T00:00:00"),
    ],
    ids=["nothing", "no time", "latest", "by time and not by text", "Encord's other forms", "no time at all"],
)
def test_the_watermark_is_the_latest_time_as_encord_wrote_it(times, watermark):
    listed = [_metadata(str(number), last_edited_at=text) for number, text in enumerate(times)]
    assert listing_of(listed, NOW).watermark == watermark


def test_every_filter_reaches_encord():
    server = Encord(units(1))
    filters = Filters(
        edited_after="2026-01-01T00:00:00+00:00",
        edited_before="2026-02-01T00:00:00+00:00",
        stage="Review",
        label_statuses=["QUEUED"],
        data_title_like="street%",
        data_hashes=["d"],
    )
    list_rows(server.client(), RowSelection(project_id=PROJECT, branch="test", filters=filters))
    payload = server.asked[0].payload
    result = {name: value for name, value in payload.items() if value is not None and value is not False}
    assert result == {
        "edited_after": "2026-01-01T00:00:00+00:00",
        "edited_before": "2026-02-01T00:00:00+00:00",
        "workflow_graph_node_title_eq": "Review",
        "label_statuses": ["QUEUED"],
        "data_title_like": "street%",
        "data_hashes": ["d"],
        "branch_name": "test",
        "include_uninitialised_labels": True,
    }


@pytest.mark.parametrize("filters", [Filters(data_hashes=[]), Filters(label_statuses=[])])
def test_an_empty_list_lets_nothing_through_and_is_not_asked(filters):
    server = Encord([*units(3), unit(9, labelled=False)])
    listing = list_rows(server.client(), RowSelection(project_id=PROJECT, filters=filters))
    assert (listing.rows, listing.listed, server.asked) == ([], 0, [])


@pytest.mark.parametrize(
    ("selection", "named"),
    [
        (RowSelection(project_id=PROJECT, filters=Filters(stage="Reviw")), ["stage='Reviw'"]),
        (RowSelection(project_id=PROJECT, branch="tset"), ["branch='tset'"]),
        (RowSelection(project_id=PROJECT, filters=Filters(data_hashes=[])), ["data_hashes='[]'"]),
        (
            RowSelection(project_id=PROJECT, branch="b", filters=Filters(data_title_like="x%", label_statuses=["Q"])),
            ["branch='b'", "data_title_like='x%'", "label_statuses="],
        ),
        (RowSelection(project_id=PROJECT), None),
    ],
)
def test_an_export_of_nothing_warns_of_the_filters_that_may_be_why(tmp_path, caplog, selection, named):
    export(Encord([unit(9, labelled=False)]).client(), selection, tmp_path)
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == (named is not None)
    assert all(name in warnings[0] for name in named or [])


def test_an_export_of_something_does_not_warn(tmp_path, caplog):
    export(Encord(units(1)).client(), RowSelection(project_id=PROJECT, filters=Filters(stage="Review")), tmp_path)
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []
