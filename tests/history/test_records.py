"""Lines of a history: what is read is what was written, and whatever is wrong is refused with a reason."""

from __future__ import annotations

import contextlib
import datetime
import json
import uuid
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.history.records import (
    ActivityOfDay,
    ActivitySeen,
    Event,
    Fact,
    LabelsSeen,
    ProjectSeen,
    StageCount,
    StagesSeen,
    StageType,
    Task,
    UnreadableRecordError,
    decode,
    encode,
    record_of,
    utc_text,
)

PROJECT = str(uuid.UUID(int=7))
AT = datetime.datetime(2026, 11, 30, 4, 5, 6, tzinfo=datetime.UTC)
FACTS: list[Fact] = [
    ProjectSeen(title="A", status="inProgress", stages=[StageType(stage_id="1", title="B", stage_type="DONE")]),
    StagesSeen(stages=[StageCount(stage_id="1", title="B", tasks=3)], whole=True),
    LabelsSeen(rows=3, labelled=2),
    ActivitySeen(
        start="2026-11-01",
        end="2026-11-02",
        actions=True,
        time_spent=False,
        final=True,
        days=[ActivityOfDay(day="2026-11-01", submitted=1)],
    ),
    Event(event="export", outcome="done", counts={"rows": 3}, uri="s3://bucket/manifest.json"),
]


@pytest.mark.parametrize("fact", FACTS)
def test_a_record_is_read_as_it_was_written(fact: Fact) -> None:
    record = record_of(PROJECT, fact, AT, Task(dag_id="d", run_id="r", task_id="t"))
    line = encode([record])
    assert line.count(b"\n") == 1
    assert decode(line.rstrip(), PROJECT) == record


def test_fields_of_a_newer_minor_version_are_skipped() -> None:
    written = json.loads(encode([record_of(PROJECT, FACTS[2], AT)]))
    written |= {"schema_version": "1.7", "colour": "green"}
    assert decode(json.dumps(written).encode(), PROJECT).fact == FACTS[2]


def test_times_are_written_in_utc_and_sort_as_texts() -> None:
    east = datetime.timezone(datetime.timedelta(hours=5, minutes=45))
    assert utc_text(AT.astimezone(east)) == "2026-11-30T04:05:06.000000+00:00"
    assert record_of(PROJECT, FACTS[2], AT.astimezone(east)).day == "2026-11-30"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"schema_version": "2.0"}, "schema version '2.0'"),
        ({"schema_version": "0.9"}, "schema version '0.9'"),
        ({"schema_version": 1}, "not a record"),
        ({"project_id": str(uuid.UUID(int=8))}, "another project"),
        ({"at": "yesterday"}, "not a record of version 1.0"),
        ({"at": "2026-11-30T04:05:06+01:00"}, "not a time in UTC"),
        ({"fact": {"type": "labels", "rows": 3, "labelled": 4}}, "more rows are labelled"),
        ({"fact": {"type": "labels", "rows": -3, "labelled": -4}}, "negative"),
        ({"fact": {"type": "dreams"}}, "not a record of version 1.0"),
        ({"fact": {**msgspec.to_builtins(FACTS[3]), "end": "2026-13-02"}}, "not a record of version 1.0"),
    ],
)
def test_a_wrong_record_is_refused_with_the_reason(change: dict[str, Any], reason: str) -> None:
    written = json.loads(encode([record_of(PROJECT, FACTS[2], AT)])) | change
    with pytest.raises(UnreadableRecordError, match=reason) as refused:
        decode(json.dumps(written).encode(), PROJECT)
    assert refused.value.newer == (change.get("schema_version") == "2.0")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_anything_else_is_refused_and_nothing_else_is_raised(line: bytes) -> None:
    with pytest.raises(UnreadableRecordError):
        decode(line, PROJECT)


@given(st.dictionaries(st.sampled_from(["id", "project_id", "at", "fact", "task"]), JSON))
def test_a_damaged_record_is_read_or_refused(change: dict[str, Any]) -> None:
    written = json.loads(encode([record_of(PROJECT, FACTS[0], AT)])) | change
    with contextlib.suppress(UnreadableRecordError):
        decode(json.dumps(written).encode(), PROJECT)
